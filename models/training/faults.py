"""What went wrong in a training, in a sentence for the person who started it."""

from __future__ import annotations

import errno
import gc
import re
from pathlib import Path

import torch
from fastai.learner import Learner

from ..data.names import without_paths
from ..vision import WeightsMissing
from .workers import WorkerDied

_MISSING = re.compile(r"No such file or directory: '(.+)'")
_UNREADABLE = re.compile(r"cannot identify image file '(.+)'")
FULL = (errno.ENOSPC, errno.EDQUOT)


def problem(kind: str, message: str, suggestion: str = "", **settings: object) -> dict:
    """What a training says of a fault: `kind` for programs, `message` and `suggestion` for people, and
    `settings` that are worth a try."""
    return {"kind": kind, "message": message, "suggestion": suggestion, "settings": settings}


def explain(error: BaseException, *, batch_size: int | None) -> dict:
    """The problem that an exception of a training stands for; no path of the server is in it.

    >>> explain(torch.OutOfMemoryError("..."), batch_size=64)["settings"]
    {'batch_size': 32}
    """
    text = str(error)
    if out_of_memory(error):
        return _memory(batch_size)
    if path := _path(error, _MISSING, FileNotFoundError):
        return problem(
            "file_missing",
            f"The file {path} is gone: it was there when the training began.",
            "Put it back, or make the data anew without it; the training can go on from its last finished epoch.",
        )
    if path := _path(error, _UNREADABLE, OSError):
        return problem(
            "file_unreadable",
            f"The file {path} cannot be opened as a photo: it was changed after the training began.",
            "Mend or remove it and make the data anew; the training can go on from its last finished epoch.",
        )
    if isinstance(error, WeightsMissing):
        return problem(
            "weights_missing",
            "The pretrained weights of this network are not on this computer and could not be downloaded.",
            "Untick Pretrained in Settings, or take another network.",
        )
    if isinstance(error, WorkerDied):
        return problem("worker_died", text, "The training can go on from its last finished epoch.")
    if isinstance(error, OSError) and error.strerror:
        return problem("files", f"The files could not be used: {error.strerror}.")
    if isinstance(error, ValueError) and text:
        return problem("settings", text)
    line = text.strip().splitlines()[0] if text.strip() else "no further words"
    return problem("error", f"The training failed with {type(error).__name__}: {without_paths(line)}")


def out_of_memory(error: BaseException) -> bool:
    """Whether a GPU or the computer had no memory left."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    words = ("not enough memory", "allocate memory", "out of memory", "_status_alloc_failed")
    return isinstance(error, RuntimeError) and any(word in str(error).lower() for word in words)


def free_memory(learn: Learner) -> None:
    """Let go of gradients, of the last batch's graph and of what PyTorch keeps for later: the next try needs it."""
    vars(learn).pop("loss_grad", None)  # the one thing of a batch that fastai's own cleaning leaves
    for parameter in learn.model.parameters():
        parameter.grad = None
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def diverged(learning_rate: float, kept: str) -> dict:
    """The loss is no number any more."""
    lower = float(f"{learning_rate / 10:.1g}")
    return problem(
        "diverged",
        f"The loss is not a number any more, so the training was stopped. {kept}",
        f"The learning rate is most likely too high: try {lower:g} instead of {learning_rate:g}.",
        learning_rate=lower,
    )


def unsaved(error: OSError, epoch: int) -> dict:
    """An epoch could not be written; the training goes on."""
    full = error.errno in FULL
    why = "The disk is full" if full else f"The run's folder cannot be written ({error.strerror})"
    what = f"epoch {epoch}" if epoch else "the beginning"
    return problem(
        "disk_full" if full else "not_saved",
        f"{why}: {what} of this run could not be saved. Nothing is lost, the training goes on in memory.",
        "Make room: everything is saved with the next epoch that there is room for." if full else "",
    )


def _memory(batch_size: int | None) -> dict:
    message = "The memory is not enough for a batch of this size; it has been freed, and the kernel goes on."
    if batch_size is None:
        return problem("out_of_memory", message, "Try a smaller batch size.")
    if batch_size == 1:
        return problem("out_of_memory", message, "The batch size is 1 already: make the photos smaller.")
    half = batch_size // 2
    return problem("out_of_memory", message, f"Try a batch size of {half} instead of {batch_size}.", batch_size=half)


def _path(error: BaseException, words: re.Pattern, kind: type[OSError]) -> str | None:
    """The file that an exception is about, with its folder's name; a loader's worker hands on its words only."""
    if not isinstance(error, kind):
        return None
    found = words.search(str(error))
    path = found[1] if found else error.filename if kind is FileNotFoundError else None
    return "/".join(Path(str(path)).parts[-2:]) if path else None
