"""The line chart that the training widgets share, in a page of its own."""

import json
import math
import re

import pytest
from browser import fits
from ipyfastai.widgets.assets import joined
from playwright.sync_api import expect

RATES = [1e-6 * 10 ** (index / 10) for index in range(61)]
LOSSES = [1 + 0.4 * math.cos(index / 10) for index in range(61)]
SETTINGS = (
    '{ name: "Loss by learning rate", x: { label: "learning rate", log: true, format: rate }, y: { label: "loss" }, '
    "picked: (index) => picked.push(index) }"
)


@pytest.fixture
def drawn(watch):
    """Call it with a chart's settings and data for its page."""
    opened = []

    def draw(data, settings=SETTINGS, *, width=700, **options):
        watched = watch(viewport={"width": width, "height": 500}, **options)
        opened.append(watched)
        script = (
            f"window.picked = []; const el = document.querySelector('main'); window.plot = chart({settings});"
            f"el.append(plot.element); plot.draw({json.dumps(data)}); "
            "addEventListener('draw', ({ detail }) => plot.draw(detail));"
        )
        watched.page.set_content(
            f"<style>:root {{ color-scheme: light dark }}{joined('base.css', 'training/chart.css')}</style>"
            "<main class='ipyfastai'></main>"
            f"<script type=module>{joined('dom.js', 'training/scale.js', 'training/chart.js')}{script}</script>"
        )
        watched.page.locator(".plot path.line").first.wait_for(state="attached")
        return watched.page

    yield draw
    assert not any(one.foreign or one.errors for one in opened), [one.errors for one in opened]


def curve(**more):
    return {"lines": [{"name": "run 1", "xs": RATES, "ys": LOSSES}], **more}


def redraw(page, data):
    page.evaluate("detail => dispatchEvent(new CustomEvent('draw', { detail }))", data)


def picked(page, *indices):
    """Wait until these points have been picked, one after the other."""
    page.wait_for_function("wanted => picked.join() === wanted", arg=",".join(map(str, indices)))


def path_points(page, index=0):
    """The (x, y) pixels that a line's path goes through, and how many pieces it has."""
    d = page.locator(".plot path.line").nth(index).get_attribute("d")
    steps = d.replace("M", " M").replace("L", " L").split(" ")[1:]
    numbers = [float(step.lstrip("ML")) for step in steps]
    return list(zip(numbers[::2], numbers[1::2], strict=True)), d.count("M")


def test_a_logarithmic_axis_spaces_powers_of_ten_evenly_and_a_line_goes_through_its_points(drawn):
    page = drawn(curve())
    points, pieces = path_points(page)
    assert len(points) == 61 and pieces == 1
    gaps = {round(b[0] - a[0], 0) for a, b in zip(points, points[1:], strict=False)}
    assert max(gaps) - min(gaps) <= 1
    ticks = {text.text_content(): text.bounding_box() for text in page.locator("svg text").all()}
    assert {"1e-6", "1e-3", "1e0", "learning rate"} <= set(ticks)
    middle = ticks["1e-3"]["x"] + ticks["1e-3"]["width"] / 2
    left = page.locator(".plot").bounding_box()["x"]
    assert left + points[30][0] == pytest.approx(middle, abs=2)
    # The loss: the same distance on the screen for the same difference.
    (_, high), (_, low) = points[0], points[31]
    share = (points[10][1] - high) / (low - high)
    assert share == pytest.approx((LOSSES[0] - LOSSES[10]) / (LOSSES[0] - LOSSES[31]), abs=0.01)


def test_keys_step_along_the_points_and_pick_them(drawn):
    page = drawn(curve(at=RATES[30]))
    slider = page.get_by_role("slider", name="Loss by learning rate, by learning rate")
    expect(slider).to_have_attribute("aria-valuetext", "learning rate 1e-3: run 1 0.604")
    slider.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "PageUp", "End", "ArrowRight", "Home", "ArrowDown", "x"):
        page.keyboard.press(key)
    picked(page, 31, 32, 31, 37, 60, 60, 0, 0)
    expect(slider).to_have_attribute("aria-valuetext", "learning rate 1e-6: run 1 1.4")
    expect(page.locator(".reading")).to_have_text("learning rate 1e-6: run 1 1.4")
    page.evaluate("document.activeElement.blur()")  # back to what is picked
    expect(slider).to_have_attribute("aria-valuetext", re.compile("^learning rate 1e-3"))


def test_the_pointer_reads_and_a_click_picks(drawn):
    page = drawn(curve())
    points, _ = path_points(page)
    box = page.locator(".plot").bounding_box()
    page.mouse.move(box["x"] + points[20][0] + 1, box["y"] + 100)
    expect(page.locator(".reading")).to_have_text("learning rate 1e-4: run 1 0.834")
    picked(page)
    page.mouse.click(box["x"] + points[44][0] - 1, box["y"] + 100)
    picked(page, 44)
    page.mouse.move(box["x"] - 5, 5)
    expect(page.get_by_role("slider")).to_have_attribute("aria-valuenow", "44")


def test_the_echo_of_an_earlier_step_does_not_pull_the_cursor_back(drawn):
    page = drawn(curve())
    page.get_by_role("slider").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    redraw(page, curve(at=RATES[0]))
    page.keyboard.press("ArrowRight")
    picked(page, 0, 1, 2)


def test_a_hundred_thousand_points_keep_their_extremes_in_a_short_path(drawn):
    count = 100_000
    losses = [math.sin(index / 997) for index in range(count)]
    losses[50_001], losses[70_003] = 9.0, -9.0
    page = drawn(
        {"lines": [{"name": "loss", "xs": list(range(count)), "ys": losses}]},
        '{ name: "Loss", x: { label: "batch" }, y: { label: "loss" } }',
    )
    points, _ = path_points(page)
    assert 600 < len(points) < 4 * 700
    heights = [y for _, y in points]
    assert heights.index(min(heights)) / len(heights) == pytest.approx(0.5, abs=0.01)
    assert heights.index(max(heights)) / len(heights) == pytest.approx(0.7, abs=0.01)


def test_what_is_not_a_number_breaks_the_line_and_is_said_so(drawn):
    page = drawn({"lines": [{"name": "loss", "xs": [1, 2, 3, 4, 5], "ys": [3, None, 2, None, 1]}]}, SETTINGS)
    points, pieces = path_points(page)
    assert len(points) == 3 and pieces == 3
    page.get_by_role("slider").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".reading")).to_have_text("learning rate 2e0: loss not a number")


def test_nothing_to_draw_hides_the_chart_and_one_value_is_drawn(drawn):
    page = drawn({"lines": [{"name": "loss", "xs": [3], "ys": [0.5], "dots": True}]})
    expect(page.locator(".plot .dot")).to_have_count(1)
    redraw(page, {"lines": [{"name": "loss", "xs": [], "ys": []}]})
    page.locator("figure").wait_for(state="hidden")
    redraw(page, curve())
    page.locator("figure").wait_for()


def test_lines_differ_in_more_than_colour_and_names_are_only_text(drawn):
    hostile = "<img src=x onerror=alert(1)>"
    lines = [{"name": f"{hostile}{n}", "xs": [1, 2], "ys": [n, n + 1], "dots": True} for n in range(6)]
    page = drawn({"lines": lines})
    attribute = "(all, name) => all.map((one) => one.getAttribute(name))"
    expect(page.locator(".plot path.line")).to_have_count(6)
    dashes = page.locator(".plot path.line").evaluate_all(attribute, "stroke-dasharray")
    shapes = page.locator(".plot .dot").evaluate_all(attribute, "d")
    assert len(set(dashes)) == 6 and len(set(shapes)) == 6
    expect(page.locator(".legend li")).to_have_text([line["name"] for line in lines])
    expect(page.locator("img")).to_have_count(0)


def test_marks_are_named_without_covering_each_other_and_told_in_the_summary(drawn):
    marks = [{"name": name, "x": 10**-power, "y": 1} for name, power in [("valley", 3), ("steep", 2.9), ("slide", 2.8)]]
    page = drawn(curve(marks=marks), width=390)
    expect(page.locator("text.mark")).to_have_count(3)
    boxes = [text.bounding_box() for text in page.locator("text.mark").all()]
    for index, one in enumerate(boxes):
        assert one["x"] >= 0 and one["x"] + one["width"] <= 390
        for other in boxes[index + 1 :]:
            apart = one["x"] + one["width"] <= other["x"] or other["x"] + other["width"] <= one["x"]
            assert apart or abs(one["y"] - other["y"]) >= 12
    said = r"run 1: 61 points, first 1\.4, last.*lowest 0\.6 at learning rate 1\.3e-3"
    marked = "Marked: valley at 1e-3, steep at 1.3e-3, slide at 1.6e-3."
    expect(page.locator("figure .unseen")).to_have_text(re.compile(f"{said}.*{re.escape(marked)}$"))


def test_it_takes_the_width_it_is_given(drawn):
    page = drawn(curve())
    page.set_viewport_size({"width": 390, "height": 500})
    page.wait_for_function("document.querySelector('.plot svg').getAttribute('width') <= 390")
    fits(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_line_stands_out_from_its_ground(drawn, scheme):
    lines = [{"name": str(n), "xs": [1, 2], "ys": [n, n + 1]} for n in range(6)]
    page = drawn({"lines": lines}, color_scheme=scheme)
    ground = (255, 255, 255) if scheme == "light" else (17, 17, 17)
    expect(page.locator(".plot path.line")).to_have_count(6)
    for line in page.locator(".plot path.line").all():
        colour = line.evaluate("one => getComputedStyle(one).stroke")
        assert contrast(tuple(map(int, colour[4:-1].split(","))), ground) >= 3


def contrast(one, other):
    """WCAG 2.2, 1.4.11: the ratio of relative luminances."""

    def luminance(colour):
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in colour)]
        return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    light, dark = sorted((luminance(one) + 0.05, luminance(other) + 0.05), reverse=True)
    return light / dark
