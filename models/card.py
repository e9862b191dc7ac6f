"""What a model is, how well it does, and what it is not for."""

import os
from dataclasses import asdict, dataclass, field, fields
from datetime import date, datetime, timezone
from typing import Any

MAX_TEXT = 10_000  # characters in any one text of a card that comes from a stranger's file
MAX_ENTRIES = 1_000  # labels, metrics or sets listed in one
MAX_COUNT = 2**53  # whole numbers up to here are exact in JavaScript

# Titles as they are shown, in the order they are shown.
_TEXTS = {
    "summary": "What it does",
    "data": "Data",
    "data_source": "Where the data comes from",
    "training": "How it was trained",
    "split": "How it was tested",
    "intended_use": "Intended use",
    "not_intended_for": "Not intended for",
    "date": "Date",
    "licence": "Licence",
}


@dataclass
class ModelCard:
    """A model card: one page about a model, carried inside its file.

    >>> card = ModelCard(
    ...     name="Bears", labels=["black", "grizzly"], split="80 of 400 photos held back, seed 42",
    ...     metrics={"error rate": {"value": 0.03, "baseline": 0.5}},
    ... )
    >>> card.sections()[0]
    ('How it was tested', '80 of 400 photos held back, seed 42')

    `metrics` maps a name to {"value": float, "baseline": float}, the baseline being what always
    answering the commonest label scores. `confusion` has a row per true label and a column per
    predicted one, in the order of `labels`. `unfamiliar` maps a named set of images to
    {"rate": share flagged as unlike the training data, "count": images in the set}.

    Source: Mitchell et al., "Model Cards for Model Reporting", FAT* 2019.
    """

    name: str
    summary: str = ""
    labels: list[str] = field(default_factory=list)
    data: str = ""
    data_source: str = ""
    training: str = ""
    split: str = ""
    metrics: dict[str, dict[str, float]] = field(default_factory=dict)
    confusion: list[list[int]] = field(default_factory=list)
    unfamiliar: dict[str, dict[str, float]] = field(default_factory=dict)
    intended_use: str = ""
    not_intended_for: str = ""
    date: str = ""
    licence: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The card as JSON-ready types; `from_dict` reads it back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Any) -> "ModelCard":
        """A card from untrusted JSON.

        >>> ModelCard.from_dict({"name": "Bears"}).name
        'Bears'

        Keys it does not know are left out, so that newer cards can still be read. ValueError names
        the entry that is malformed.
        """
        if not isinstance(values, dict):
            raise ValueError(f"The model card must be a JSON object, not {type(values).__name__}.")
        known = {entry.name: values[entry.name] for entry in fields(cls) if entry.name in values}
        for name in ("name", *_TEXTS):
            _check(isinstance(known.get(name, ""), str), name, "a text")
            _check(len(known.get(name, "")) <= MAX_TEXT, name, f"at most {MAX_TEXT:,} characters long")
            _check(is_clean(known.get(name, ""), also="\n\t\u00a0"), name, "printable")
        _check(bool(known.get("name")), "name", "given")
        labels = known.get("labels", [])
        _check(_is_list_of(str, labels) and all(map(is_clean, labels)), "labels", "a list of printable texts")
        for name, keys in (("metrics", {"value", "baseline"}), ("unfamiliar", {"rate", "count"})):
            _check(_is_table(known.get(name, {}), keys), name, f"named sets of numbers {sorted(keys)}")
        confusion = known.get("confusion", [])
        _check(
            isinstance(confusion, list)
            and len(confusion) in (0, len(labels))
            and all(_is_list_of(int, row) and len(row) == len(labels) for row in confusion)
            and all(0 <= count <= MAX_COUNT for row in confusion for count in row),
            "confusion",
            "a row and a column of counts for each label",
        )
        return cls(**known)

    def sections(self) -> list[tuple[str, str | list[list[str]]]]:
        """Titled parts to show: a paragraph, or a table as rows of text with the header first.

        >>> ModelCard("Bears", date="2026-11-21").sections()
        [('Date', '2026-11-21')]

        Parts without content are left out. The texts are as they came: escape them where shown.
        """
        shown: list[tuple[str, str | list[list[str]]]] = []
        for name, title in _TEXTS.items():
            if text := getattr(self, name):
                shown.append((title, text))
            if name == "split":
                shown += [(title, rows) for title, rows in self._tables() if len(rows) > 1]
        return shown

    def _tables(self) -> list[tuple[str, list[list[str]]]]:
        metrics = [
            [name, _percent(entry["value"]), _percent(entry["baseline"])] for name, entry in self.metrics.items()
        ]
        confusion = [[label, *map(str, row)] for label, row in zip(self.labels, self.confusion, strict=False)]
        unfamiliar = [
            [name, _percent(entry["rate"]), str(int(entry["count"]))] for name, entry in self.unfamiliar.items()
        ]
        return [
            ("How well it does", [["", "this model", "always the commonest label"], *metrics]),
            ("What it takes for what", [["true label ↓, predicted →", *self.labels], *confusion]),
            ("Flagged as unlike the training photos", [["images", "flagged", "of"], *unfamiliar]),
        ]


def today() -> date:
    """The day of SOURCE_DATE_EPOCH where it is set, so that a build can be repeated (reproducible-builds.org)."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    return datetime.fromtimestamp(int(epoch), timezone.utc).date() if epoch else date.today()


def is_number(value: Any) -> bool:
    """Whether it is a number, no bool, neither nan nor infinite nor too large for a float."""
    return type(value) in (int, float) and abs(value) <= 1e300


def is_clean(text: str, *, also: str = "") -> bool:
    """Whether a stranger's text can be shown: no control or direction characters, no lone surrogates.

    >>> is_clean("bear\u202egpj.exe")
    False

    Joiners are let through: emoji (U+200D) and Persian (U+200C) are written with them.
    """
    return text.translate(dict.fromkeys(map(ord, "\u200c\u200d" + also))).isprintable()


def _check(holds: bool, name: str, expected: str) -> None:
    if not holds:
        raise ValueError(f"The model card's {name!r} must be {expected}.")


def _is_list_of(kind: type, values: Any) -> bool:
    return (
        isinstance(values, list)
        and len(values) <= MAX_ENTRIES
        and all(type(value) is kind for value in values)  # `type`, because True is an int
    )


def _is_table(values: Any, keys: set[str]) -> bool:
    return (
        isinstance(values, dict)
        and len(values) <= MAX_ENTRIES
        and all(
            is_clean(name) and isinstance(entry, dict) and set(entry) == keys and all(map(is_number, entry.values()))
            for name, entry in values.items()
        )
    )


def _percent(share: float) -> str:
    return f"{share:.1%}"
