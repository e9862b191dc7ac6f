"""The JSON that makes an ONNX file self-describing: labels, size, threshold, model card."""

import json
from dataclasses import dataclass
from typing import Any

from .card import ModelCard, is_clean, is_number
from .onnx_file import EXPORT_HINT
from .resize import Resize

KEY = "ipyfastai"  # the one entry of the ONNX metadata_props
FORMAT_VERSION = 1
MAX_LABELS = 10_000
MAX_LABEL_LENGTH = 200
INPUT, PROBABILITIES, NOVELTY = "image", "probabilities", "novelty"  # names in the graph


@dataclass(frozen=True)
class BundleInfo:
    """All that a bundle says about its graph.

    >>> BundleInfo.from_json(BundleInfo(("cat", "dog"), Resize(160, 160), ModelCard("Pets")).to_json())

    `threshold`: a novelty above it is unlike the training data; None where the graph measures none.
    `novelty_method` names the measure for a person.
    """

    labels: tuple[str, ...]
    resize: Resize
    card: ModelCard
    threshold: float | None = None
    novelty_method: str = ""

    def to_json(self) -> str:
        novelty = {"threshold": self.threshold, "method": self.novelty_method}
        return json.dumps(
            {
                "format_version": FORMAT_VERSION,
                "labels": list(self.labels),
                "size": [self.resize.height, self.resize.width],
                "resize": self.resize.to_dict(),
                "novelty": None if self.threshold is None else novelty,
                "card": self.card.to_dict(),
            },
            ensure_ascii=False,
        )

    @classmethod
    def from_metadata(cls, metadata: dict[str, str]) -> "BundleInfo":
        """From an ONNX file's untrusted metadata; ValueError says what is missing or malformed."""
        if KEY not in metadata:
            raise ValueError(f"This ONNX file carries no labels and no image size. {EXPORT_HINT}")
        try:
            values = json.loads(metadata[KEY])
        except (ValueError, RecursionError) as error:
            raise ValueError(f"The description inside this ONNX file is no JSON. {EXPORT_HINT}") from error
        version = values.get("format_version") if isinstance(values, dict) else None
        if type(version) is not int or not 1 <= version < 1_000_000:
            raise ValueError(f"The description inside this ONNX file has no format version. {EXPORT_HINT}")
        if version > FORMAT_VERSION:
            raise ValueError(
                f"This model was written in format {version}; this ipyfastai reads up to "
                f"{FORMAT_VERSION}. Upgrade it: pip install --upgrade ipyfastai."
            )
        try:
            return cls(
                labels=_labels(values.get("labels")),
                resize=Resize.from_dict(values.get("size"), values.get("resize")),
                card=ModelCard.from_dict(values.get("card")),
                **_novelty(values.get("novelty")),
            )
        except ValueError as error:
            raise ValueError(f"The description inside this ONNX file is malformed: {error} {EXPORT_HINT}") from error


def _labels(values: Any) -> tuple[str, ...]:
    if not isinstance(values, list) or not 2 <= len(values) <= MAX_LABELS:
        raise ValueError(f"labels must be a list of 2 to {MAX_LABELS:,} texts.")
    if not all(isinstance(label, str) and 0 < len(label) <= MAX_LABEL_LENGTH for label in values):
        raise ValueError(f"every label must be a text of 1 to {MAX_LABEL_LENGTH} characters.")
    if not all(map(is_clean, values)):
        raise ValueError("every label must be printable, without control or direction characters.")
    if len(set(values)) < len(values):
        raise ValueError("labels must differ from one another.")
    return tuple(values)


def _novelty(values: Any) -> dict[str, Any]:
    if values is None:
        return {}
    threshold, method = (values.get("threshold"), values.get("method", "")) if isinstance(values, dict) else (None, "")
    if not is_number(threshold):
        raise ValueError("the novelty threshold must be a finite number.")
    if not isinstance(method, str) or len(method) > MAX_LABEL_LENGTH or not is_clean(method):
        raise ValueError(f"the novelty method must be a printable text of at most {MAX_LABEL_LENGTH} characters.")
    return {"threshold": float(threshold), "novelty_method": method}
