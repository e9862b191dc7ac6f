"""What the benchmarks write: medians, ratios, verdicts, and each run its own part of the page."""

import math

from benchmarks.document import part, put
from benchmarks.figures import Target, comparison

FIGURES = {"epoch (s)": {"bare": [10.0, 14.0, 12.0], "ours": [11.0, 15.0, 13.0]}, "photo (s)": {"bare": [math.inf]}}


def test_a_row_holds_medians_ranges_and_ratios():
    head, _, epoch, photo = comparison(FIGURES, "ours").splitlines()
    assert head == "|  | bare | ours | ours / bare |"
    assert epoch == "| epoch (s) | 12 (10–14) | 13 (11–15) | 1.08 |"
    assert photo == "| photo (s) | lost |  |  |"


def test_a_target_is_met_by_the_ratio_of_medians():
    met = Target("epoch (s)", "bare", at_most=1.09, name="ours").line(FIGURES)
    missed = Target("epoch (s)", "bare", at_most=1.08, name="ours").line(FIGURES)
    assert met == "| epoch (s) | ≤ 1.09 × bare | 1.08 (1.07–1.1) | met |"
    assert missed.endswith("| **missed** |")
    assert "not measured" in Target("memory", None, at_most=1, name="ours").line(FIGURES)


def test_a_run_replaces_its_own_part_and_leaves_the_others(tmp_path):
    page = tmp_path / "docs" / "benchmarks.md"
    put("Training", "outdated\n\n### Targets\n\n| a |", page)
    put("Cleaner", "second", page)
    put("Training", part("benchmarks.training", FIGURES, [], about="- **bare**: x", ours="ours"), page)
    text = page.read_text()
    assert text.index("## Training") < text.index("## Cleaner") < text.index("second")
    assert "outdated" not in text and text.count("# Benchmarks") == 1 and "| epoch (s) |" in text
