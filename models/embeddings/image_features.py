"""What a trained image classifier sees in each photo."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from fastai.learner import Learner
from torch import nn

from ..data.names import short
from ..interpretation.inference import infer
from ..progress import Progress
from .embedding import Embedding


def image_features(
    learn: Learner, *, splits: Sequence[str] = ("train", "valid"), progress: Progress | None = None
) -> Embedding:
    """The activations in front of a fastai classifier's last linear layer, a row for each photo.

    >>> EmbeddingExplorer(image_features(learn))

    Labels are the photos' file names, metadata their `label`, what was `predicted`, `confidence` and `split`; the
    photos themselves are the thumbnails. One pass over the data with the transforms of validation; the Learner is
    as it was before. Raises ValueError with a sentence for a network without a linear layer; Cancelled.
    """
    last = [layer for layer in learn.model.modules() if isinstance(layer, nn.Linear)]
    if not last:
        raise ValueError("This network has no linear layer, in front of which its features would be.")
    features: list[np.ndarray] = []

    def keep(_layer: nn.Module, given: tuple[torch.Tensor, ...]) -> None:
        features.append(given[0].detach().flatten(1).float().cpu().numpy())

    hook = last[-1].register_forward_pre_hook(keep)
    try:
        parts = list(infer(learn, splits, progress or Progress()))
    finally:
        hook.remove()
    items, tables = [], []
    for part in parts:
        names = np.array(list(map(str, part.labels)), object)
        tables.append(
            pd.DataFrame(
                {
                    "label": pd.Categorical.from_codes(part.targets, names),
                    "predicted": pd.Categorical.from_codes(part.probabilities.argmax(1), names),
                    "confidence": part.probabilities.max(1),
                    "split": pd.Categorical([part.split] * len(part.items), list(splits)),
                }
            )
        )
        items += part.items
    names = [_name(item, row) for row, item in enumerate(items, 1)]
    return Embedding(np.concatenate(features), names, pd.concat(tables, ignore_index=True), items)


def _name(item: object, row: int) -> str:
    return short(item) if isinstance(item, str) else f"Photo {row:,}"
