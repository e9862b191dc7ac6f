"""The ladder: models of ratings, each the one before and one idea more."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .rung import Rung
    from .settings import CollabSettings


@dataclass(frozen=True)
class Step:
    """One rung: what it is called, what it adds, and the class that it is made of.

    `ranged` and `net` say what the class is given; `weight_decay` is what it is trained with unless the settings
    say otherwise.
    """

    title: str
    adds: str
    model: str  # module.Class
    ranged: bool = False
    weight_decay: float = 0.0
    net: bool = False

    @property
    def has_factors(self) -> bool:
        """Whether a rating is a dot product of factors, which is what a Recommender is made of."""
        return not self.net


RUNGS: dict[str, Step] = {
    "dot_product": Step(
        "Dot product",
        "Factors for each user and each item, in plain matrices; a rating is the product of the two.",
        "dot_product.DotProduct",
    ),
    "embedding": Step(
        "Dot product of embeddings",
        "The same with PyTorch's embeddings in place of the matrices.",
        "embedding_dot_product.EmbeddingDotProduct",
    ),
    "biases": Step(
        "+ biases",
        "A number for each user and each item: some people are kind, some items are good.",
        "dot_product_bias.DotProductBias",
    ),
    "range": Step(
        "+ sigmoid range",
        "Ratings are kept within their scale, and a little beyond.",
        "dot_product_bias.DotProductBias",
        ranged=True,
    ),
    "weight_decay": Step(
        "+ weight decay",
        "Numbers are kept small unless many ratings speak for them: less is learned by heart.",
        "dot_product_bias.DotProductBias",
        ranged=True,
        weight_decay=0.1,
    ),
    "net": Step(
        "Neural network",
        "Two layers on the embeddings laid end to end, in place of the product.",
        "embedding_net.EmbeddingNet",
        ranged=True,
        weight_decay=0.1,
        net=True,
    ),
}


def build_rung(
    settings: CollabSettings, n_users: int, n_items: int, *, scale: tuple[float, float] = (0.5, 5.0)
) -> Rung:
    """The untrained model of some settings, its numbers drawn with their seed.

    >>> build_rung(CollabSettings(rung="range"), 610, 9724).rating_range
    (0.0, 5.5)

    `scale` are the lowest and the highest rating there can be; a range reaches a ninth of it beyond either end,
    which makes the lessons' 0 to 5.5 of 0.5 to 5. Source: fastai's book, chapter 8: "it is better to have the
    range go a little bit over 5".
    """
    import torch

    step = RUNGS[settings.rung]
    module, name = step.model.split(".")
    model = getattr(import_module(f".{module}", __package__), name)
    options: dict[str, object] = {"generator": torch.Generator().manual_seed(settings.seed)}
    if step.net:
        options |= {"sizes": settings.embedding_sizes, "hidden": settings.hidden}
    else:
        options["factors"] = settings.factors
    if step.ranged:
        low, high = scale
        beyond = (high - low) / 9
        options["rating_range"] = settings.rating_range or (low - beyond, high + beyond)
    return model(n_users, n_items, **options)
