"""The confusion matrix as a matplotlib figure, to be printed or saved."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NUMBERS = 30  # labels up to which the cells hold their numbers
LABELS = 250  # labels up to which all names are written


def shown_values(counts: np.ndarray, by: Literal["counts", "label", "predicted"]) -> np.ndarray:
    """The counts, or their shares of all items of a label (rows) or of all such answers (columns).

    >>> shown_values(np.array([[3, 1], [0, 0]]), "label")
    array([[0.75, 0.25],
           [ nan,  nan]])

    NaN where there is nothing to have a share of. Raises ValueError for another `by`.
    """
    if by == "counts":
        return counts
    if by not in ("label", "predicted"):
        raise ValueError(f'by must be "counts", "label" or "predicted", not {by!r}')
    whole = counts.sum(1, keepdims=True) if by == "label" else counts.sum(0, keepdims=True)
    return np.divide(counts, whole, out=np.full(counts.shape, np.nan), where=whole > 0)


def confusion_figure(
    counts: np.ndarray,
    labels: list[str],
    *,
    by: Literal["counts", "label", "predicted"] = "counts",
    rows: Sequence[int] | None = None,
    title: str = "",
) -> Figure:
    """A matplotlib `Figure` of a confusion matrix; right answers in blue, mistakes in red.

    >>> confusion_figure(confusion(table), labels(table), by="label").savefig("confusion.png")

    `rows` are the positions of the labels to show, in that order; shares are of all labels nevertheless.
    It belongs to no pyplot window, so it can be made in any thread and is not kept by matplotlib.
    Raises ValueError where there are no labels, RuntimeError where matplotlib is not installed.
    """
    if not labels:
        raise ValueError("There is nothing to draw: the table has no labels.")
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise RuntimeError("A figure needs matplotlib, which is not installed: pip install matplotlib.") from error
    rows = range(len(labels)) if rows is None else rows
    values, counts = shown_values(counts, by)[np.ix_(rows, rows)], counts[np.ix_(rows, rows)]
    labels, count = [labels[row] for row in rows], len(rows)
    inches = min(24.0, 2.5 + max(3.0, 0.45 * count if count <= NUMBERS else 0.14 * count))
    figure = Figure(figsize=(inches, inches), layout="constrained")
    axes = figure.subplots()
    axes.imshow(_colours(counts, values), interpolation="nearest")
    step = -(-count // LABELS)
    size = 10 if count <= NUMBERS else max(4.0, 0.75 * 72 * (inches - 2.5) / count * step)
    ticks = range(0, count, step)
    axes.set_xticks(ticks, [_short(labels[i]) for i in ticks], rotation=90, fontsize=size, parse_math=False)
    axes.set_yticks(ticks, [_short(labels[i]) for i in ticks], fontsize=size, parse_math=False)
    axes.set(xlabel="Predicted", ylabel="Label")
    axes.set_title(title, parse_math=False)
    if count <= NUMBERS:
        for (row, column), value in np.ndenumerate(values):
            if counts[row, column]:
                text = f"{value:,}" if by == "counts" else f"{value:.0%}"
                axes.text(column, row, text, ha="center", va="center", fontsize=9)
    return figure


def figure_bytes(figure: Figure, kind: Literal["png", "svg"]) -> bytes:
    """The figure as a file's bytes; the same figure gives the same bytes.

    >>> figure_bytes(confusion_figure(counts, labels), "svg")[:5]
    b'<?xml'
    """
    out = io.BytesIO()
    figure.savefig(out, format=kind, dpi=150, metadata={"Date": None} if kind == "svg" else None)
    return out.getvalue()


def _colours(counts: np.ndarray, values: np.ndarray) -> np.ndarray:
    """RGB for each cell, light enough for black numbers: a few mistakes must not pale beside all that is right."""
    right = np.eye(len(counts), dtype=bool)
    colours = np.ones((*counts.shape, 3))
    for cells, colour in ((right, (0.10, 0.46, 0.82)), (~right, (0.83, 0.18, 0.18))):
        part = np.nan_to_num(np.where(cells, values, 0).astype(float))
        strength = np.sqrt(part / part.max()) if part.max(initial=0) > 0 else part
        strength = np.where(part > 0, 0.1 + 0.55 * strength, 0)[..., None]
        colours = np.where(cells[..., None], 1 - strength * (1 - np.array(colour)), colours)
    return colours


def _short(label: str) -> str:
    text = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in label)
    return text if len(text) <= 40 else text[:39] + "…"
