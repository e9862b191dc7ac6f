"""Why items do not fit into one batch, and what to add."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image

NAMED = 3  # items named for each kind

_ONE_BLOCK = "A batch is one block of numbers, so all of them need the same shape."
_LABELS = "blocks=(ImageBlock, MultiCategoryBlock)"
_MODES = {1: "1 channel (grey)", 3: "3 channels (colour)", 4: "4 channels (colour and transparency)"}


@dataclass(frozen=True)
class CollateProblem:
    """`sentence` says which items do not go together and why; `remedy` is the code to add, "" if none is known.

    `groups` holds (what they are like, names of the items) for each kind of item, the most frequent first.
    """

    sentence: str
    remedy: str = ""
    groups: tuple[tuple[str, tuple[str, ...]], ...] = ()


def explain_collate_error(samples: Sequence, *, names: Sequence[str] = ()) -> CollateProblem | None:
    """Why `samples` cannot be one batch; None if nothing speaks against it.

    >>> explain_collate_error([(torch.zeros(3, 40, 60), 0), (torch.zeros(3, 60, 40), 1)]).remedy
    'item_tfms=Resize(32)'

    `samples` are what a data set gives after its item transforms, tuples of parts or single values;
    `names` tells how to call them ("item 0" without). It looks for what torch's `default_collate` and
    fastai's `fa_collate` refuse: pictures of several sizes or modes, labels of several lengths, parts
    that are no numbers, a different number of parts.
    """
    names = [names[index] if index < len(names) else f"item {index}" for index in range(len(samples))]
    rows = [_parts(sample) for sample in samples]
    lengths = _group([len(row) for row in rows], names, "{} parts".format)
    if len(lengths) > 1:
        return _problem("The items have different numbers of parts", lengths, "Each must be (input, target) alike.")
    for place in range(len(rows[0]) if rows else 0):
        column = [row[place] for row in rows]
        what = "input" if place == 0 else "target" if len(rows[0]) == 2 else f"part {place + 1}"
        if (found := _explain_column(column, names, what)) is not None:
            return found
    return None


def _parts(sample: Any) -> tuple:
    if isinstance(sample, Mapping):
        return tuple(sample.values())
    return tuple(sample) if isinstance(sample, tuple | list) else (sample,)


def _explain_column(column: list, names: list[str], what: str) -> CollateProblem | None:
    if all(isinstance(part, np.ndarray) and part.dtype.kind in "biuf" for part in column):
        column = [torch.as_tensor(part) for part in column]
    kinds = _group([type(part).__name__ for part in column], names, str)
    if any(part is None for part in column):
        return _problem(f"The {what} of some items is None", kinds, "The function that makes it found nothing.")
    if all(isinstance(part, torch.Tensor) for part in column):
        return _explain_tensors(column, names, what)
    if any(isinstance(part, Image.Image) for part in column):
        return _problem(
            f"The {what} is still a picture, not numbers", kinds, "It has to become a tensor.", "item_tfms=ToTensor()"
        )
    if all(isinstance(part, list | tuple) for part in column):
        lengths = _group([len(part) for part in column], names, "{} values".format)
        if len(lengths) > 1:
            return _problem(f"The {what}s are lists of different lengths", lengths, _ONE_BLOCK, _LABELS)
        return None  # lists of one length go value by value
    if isinstance(column[0], str | bytes):
        return None  # a list of them, whatever follows
    if len(kinds) > 1 and not all(isinstance(part, int | float) for part in column):
        return _problem(f"The {what}s are of different types", kinds, "All must be of one type.")
    if not isinstance(column[0], int | float | Mapping) and not hasattr(column[0], "__array__"):
        kind = type(column[0]).__name__
        sentence = f"The {what} is a {kind}, which cannot be put into a batch."
        block = "blocks=(ImageBlock, CategoryBlock)"
        return CollateProblem(f"{sentence} Give it a block that turns it into numbers.", block, kinds)
    return None


def _explain_tensors(column: list[torch.Tensor], names: list[str], what: str) -> CollateProblem | None:
    shapes = [tuple(part.shape) for part in column]
    if len(set(shapes)) == 1:
        return None
    kind = type(column[0]).__name__
    if len({len(shape) for shape in shapes}) > 1:
        groups = _group(shapes, names, "shape {}".format)
        return _problem(f"The {what}s have different numbers of axes", groups, _ONE_BLOCK)
    if kind == "TensorBBox":
        groups = _group([shape[0] for shape in shapes], names, "{} boxes".format)
        return _problem("The items have different numbers of boxes", groups, _ONE_BLOCK, "before_batch=bb_pad")
    if kind == "TensorPoint":
        groups = _group([shape[0] for shape in shapes], names, "{} points".format)
        return _problem("The items have different numbers of points", groups, "Every item needs the same points.")
    if len(shapes[0]) == 1:
        groups = _group([shape[0] for shape in shapes], names, "{} values".format)
        if kind == "TensorText":
            return _problem("The texts are of different lengths", groups, _ONE_BLOCK, "before_batch=pad_input")
        return _problem(f"The {what}s are of different lengths", groups, _ONE_BLOCK, _LABELS)
    return _explain_pictures(shapes, names, "mask" if kind == "TensorMask" else "picture")


def _explain_pictures(shapes: list[tuple], names: list[str], noun: str) -> CollateProblem:
    """Of pictures (channels, height, width) or masks (height, width)."""
    if len(shapes[0]) == 3 and len({shape[0] for shape in shapes}) > 1:
        groups = _group([shape[0] for shape in shapes], names, lambda c: _MODES.get(c, f"{c} channels"))
        return _problem(
            "The pictures are of different modes",
            groups,
            "Open all of them in the same mode.",
            "blocks=(ImageBlock(PILImage), …)",
        )
    sizes = [(shape[-1], shape[-2]) for shape in shapes]
    groups = _group(sizes, names, lambda size: f"{size[0]} × {size[1]} pixels")
    remedy = f"item_tfms=Resize({_usual_side(sizes)})"
    return _problem(f"The {noun}s are of different sizes", groups, _ONE_BLOCK, remedy)


def _usual_side(sizes: list[tuple[int, int]]) -> int:
    """224, or for small pictures the largest multiple of 32 that half of them have."""
    middle = sorted(map(min, sizes))[len(sizes) // 2]
    return min(224, max(32, middle // 32 * 32))


def _group(values: list, names: list[str], describe) -> tuple[tuple[str, tuple[str, ...]], ...]:
    members: dict[Any, list[str]] = {}
    for value, name in zip(values, names, strict=True):
        members.setdefault(value, []).append(name)
    by_count = sorted(members.items(), key=lambda entry: -len(entry[1]))
    return tuple((describe(value), tuple(group)) for value, group in by_count)


def _problem(start: str, groups: tuple, why: str, remedy: str = "") -> CollateProblem:
    """A sentence for each of the first kinds, so that a person finds the items."""
    kinds = []
    for described, items in groups[:NAMED]:
        rest = f" and {len(items) - NAMED} more" if len(items) > NAMED else ""
        kinds.append(f"{', '.join(items[:NAMED])}{rest}: {described}")
    more = len(groups) - NAMED
    others = f"; and {more} other kind{'s' if more > 1 else ''}" if more > 0 else ""
    return CollateProblem(f"{start} ({'; '.join(kinds)}{others}). {why}", remedy, groups)
