"""Drawings with labels, some of them wrong, and what a small model says of them: to try things out with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw

from ..progress import Progress
from .predictions import predictions_table

SHAPES = ("circle", "square", "triangle")
EACH = 80  # drawings of each shape
WRONG = 12  # of all drawings lie in another shape's folder
SIDE, LOOK = 128, 16  # pixels of a drawing, and of what the model sees of it
NEIGHBOURS = 7


def example_predictions(folder: str | Path, *, seed: int = 0, progress: Progress | None = None) -> pd.DataFrame:
    """Draw circles, squares and triangles into a folder each, and predict each from the others.

    >>> table = example_predictions("drawings")
    >>> table["label"].value_counts().to_dict()
    {'triangle': 82, 'square': 80, 'circle': 78}

    Of the 240 drawings WRONG lie in the folder of another shape; `label` is the folder's name, and
    `table.attrs["wrong"]` the rows. What is predicted is what the seven nearest neighbours are called, a drawing's
    own label left out: a real model, which makes its own mistakes. The same seed gives the same drawings.
    """
    random, progress, folder = np.random.default_rng(seed), progress or Progress(), Path(folder)
    shapes = random.permutation(np.repeat(np.arange(len(SHAPES)), EACH))
    labels, wrong = shapes.copy(), np.sort(random.choice(len(shapes), WRONG, replace=False))
    labels[wrong] = (shapes[wrong] + random.integers(1, len(SHAPES), WRONG)) % len(SHAPES)
    items, looks = [], []
    for number, (shape, label) in enumerate(zip(shapes, labels, strict=True)):
        progress.report(number, len(shapes), "Drawing the example")
        drawing = _drawn(SHAPES[shape], random)
        items.append(folder / SHAPES[label] / f"{number:03}.jpg")
        items[-1].parent.mkdir(parents=True, exist_ok=True)
        drawing.save(items[-1], quality=90)
        looks.append(_look(drawing))
    shares = _nearest(np.stack(looks), labels)
    split = np.where(random.random(len(items)) < 0.2, "valid", "train")
    table = predictions_table(items, labels, probabilities=shares, labels=SHAPES, split=split)
    table.attrs["wrong"] = wrong.tolist()
    return table


def _drawn(shape: str, random: np.random.Generator) -> Image.Image:
    """One drawing: tilted, anywhere, in any colours, on grainy paper."""
    paper, ink = (tuple(random.integers(*ends, 3).tolist()) for ends in ((150, 256), (0, 140)))
    if random.random() < 0.3:
        paper, ink = ink, paper
    image = Image.new("RGB", (SIDE, SIDE), paper)
    radius, tilt = random.uniform(0.26, 0.4) * SIDE, random.uniform(-0.4, 0.4)
    x, y = SIDE / 2 + random.uniform(-0.04, 0.04, 2) * SIDE
    if shape == "circle":
        squeeze = random.uniform(0.8, 1)
        ImageDraw.Draw(image).ellipse(
            (x - radius, y - radius * squeeze, x + radius, y + radius * squeeze), tuple(map(int, ink))
        )
    else:
        corners = {"square": 4, "triangle": 3}[shape]
        turns = tilt + np.pi / 4 + 2 * np.pi * np.arange(corners) / corners - (shape == "triangle") * 3 * np.pi / 4
        points = np.stack([x + radius * np.cos(turns), y + radius * np.sin(turns)], axis=1)
        ImageDraw.Draw(image).polygon([tuple(point) for point in points.tolist()], ink)
    grain = random.normal(0, 12, (SIDE, SIDE, 1))
    return Image.fromarray(np.clip(np.asarray(image) + grain, 0, 255).astype(np.uint8))


def _look(drawing: Image.Image) -> np.ndarray:
    """Brightness in few pixels, as if all were dark on light."""
    small = np.asarray(drawing.convert("L").resize((LOOK, LOOK), Image.Resampling.BOX), np.float32).ravel()
    small -= small.mean()
    small *= np.sign(small[0]) or 1
    return small / np.linalg.norm(small)


def _nearest(looks: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """What share of the nearest others has each label, (n, labels); none is quite impossible."""
    alike = looks @ looks.T
    np.fill_diagonal(alike, -np.inf)
    nearest = np.argpartition(-alike, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
    votes = np.stack([(labels[nearest] == label).sum(axis=1) for label in range(len(SHAPES))], axis=1) + 0.05
    return (votes / votes.sum(axis=1, keepdims=True)).astype(np.float32)
