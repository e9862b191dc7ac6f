"""A recommender as one `.safetensors` file, with JSON in its header."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError, deserialize, safe_open
from safetensors.numpy import save_file

from ..card import ModelCard
from .fold_in import Prior
from .histories import Histories

if TYPE_CHECKING:
    from .factor_model import FactorModel

KEY = "ipyfastai"  # the one entry of the header's metadata
KIND = "recommender"
FORMAT_VERSION = 1
HINT = "Write one with recommender.save('films.safetensors')."
DAMAGED = f"This is no .safetensors file, or a damaged one. {HINT}"

# Arrays of the file by their kind of number. Those of the histories may be missing.
ARRAYS = {
    "item_factors": "float32",
    "item_bias": "float32",
    "item_counts": "int64",
    "item_means": "float32",
    "user_factors": "float32",
    "user_bias": "float32",
    "prior": "float32",
}
HISTORIES = {"history_starts": "int64", "history_items": "int32", "history_ratings": "float32"}
_DTYPES = {"F32": "float32", "I64": "int64", "I32": "int32"}  # as the format calls them


def write(model: FactorModel, path: Path) -> Path:
    """Write it beside the path first, so that there is never half of a file."""
    values = {
        "kind": KIND,
        "format_version": FORMAT_VERSION,
        "item_ids": list(model.item_ids),
        "titles": list(model.titles),
        "genres": None if model.genres is None else [list(names) for names in model.genres],
        "user_ids": list(model.user_ids),
        "offset": model.offset,
        "rating_range": model.rating_range and list(model.rating_range),
        "scale": list(model.scale),
        "step": model.step,
        "noise": model.noise,
        "card": model.card.to_dict(),
    }
    arrays = {name: getattr(model, name) for name in ARRAYS if name != "prior"}
    arrays["prior"] = np.stack(model.prior)
    if model.histories is not None:
        arrays |= dict(zip(HISTORIES, model.histories, strict=True))
    kinds = ARRAYS | HISTORIES
    arrays = {name: np.ascontiguousarray(array, dtype=kinds[name]) for name, array in arrays.items()}
    beside = path.with_name(f".{path.name}.part")
    try:
        save_file(arrays, beside, {KEY: json.dumps(values, ensure_ascii=False, allow_nan=False)})
        os.umask(mask := os.umask(0))
        beside.chmod(0o666 & ~mask)  # the library lets nobody else read it, a server perhaps
        os.replace(beside, path)
    except SafetensorError as error:
        raise OSError(f"{path.name} could not be written: {error}") from error
    finally:
        beside.unlink(missing_ok=True)
    return path


def read(source: str | os.PathLike | bytes) -> dict[str, Any]:
    """What `Recommender(...)` is called with, which checks it further. ValueError, a sentence, for another file."""
    arrays, metadata = _content(source)
    values = _json(metadata)
    for name, kind in ARRAYS.items():
        if name not in arrays:
            raise ValueError(f"This file has no array {name!r}: it is no recommender. {HINT}")
        if arrays[name].dtype != kind:
            raise ValueError(f"The array {name!r} in this file must be {kind}, not {arrays[name].dtype}.")
    if arrays["prior"].shape[:1] != (2,):
        raise ValueError("The array 'prior' in this file must have two rows.")
    histories = [arrays[name] for name in HISTORIES if name in arrays]
    if len(histories) not in (0, len(HISTORIES)):
        raise ValueError("The ratings of users in this file are not complete.")
    wanted = ("item_ids", "titles", "genres", "user_ids", "offset", "rating_range", "scale", "step", "noise")
    try:
        return {
            **{name: arrays[name] for name in ARRAYS if name != "prior"},
            **{name: values[name] for name in wanted},
            "prior": Prior(*arrays["prior"]),
            "histories": Histories(*histories) if histories else None,
            "card": ModelCard.from_dict(values["card"]),
        }
    except KeyError as missing:
        raise ValueError(f"The description inside this file has no {missing.args[0]!r}. {HINT}") from missing


def _content(source: str | os.PathLike | bytes) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    try:
        if isinstance(source, bytes | bytearray | memoryview):
            data = bytes(source)
            arrays = {name: _array(entry["dtype"], entry["shape"], entry["data"]) for name, entry in deserialize(data)}
            header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])  # sound: it was just read so
            return arrays, header.get("__metadata__", {})
        if not Path(source).stat().st_size:
            raise ValueError(f"The file is empty (0 bytes). {HINT}")
        with safe_open(source, "np") as file:
            for name in file.keys():  # noqa: SIM118
                _known(file.get_slice(name).get_dtype())
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(DAMAGED) from error


def _array(kind: str, shape: list[int], data: bytes) -> np.ndarray:
    return np.frombuffer(data, _known(kind)).reshape(shape)


def _known(kind: str) -> str:
    if kind not in _DTYPES:
        raise ValueError(f"This file holds arrays of {kind}: it is no recommender. {HINT}")
    return _DTYPES[kind]


def _json(metadata: dict[str, str]) -> dict[str, Any]:
    if KEY not in metadata:
        raise ValueError(f"This .safetensors file says nothing of items and titles: it is no recommender. {HINT}")
    try:
        values = json.loads(metadata[KEY])
    except (ValueError, RecursionError) as error:
        raise ValueError(f"The description inside this file is no JSON. {HINT}") from error
    if not isinstance(values, dict) or values.get("kind") != KIND:
        raise ValueError(f"This file is no recommender. {HINT}")
    version = values.get("format_version")
    if type(version) is not int or not 1 <= version < 1_000_000:
        raise ValueError(f"The description inside this file has no format version. {HINT}")
    if version > FORMAT_VERSION:
        raise ValueError(
            f"This recommender was written in format {version}; this ipyfastai reads up to {FORMAT_VERSION}. "
            "Upgrade it: pip install --upgrade ipyfastai."
        )
    return values
