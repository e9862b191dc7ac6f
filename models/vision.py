"""The training recipe: a folder of photos, a pretrained network, an honest score."""

import os
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.error import URLError

import fastai.callback.progress  # noqa: F401  gives every Learner its no_bar()
import fastai.callback.schedule  # noqa: F401  and its fit_one_cycle()
from fastai.callback.hook import num_features_model
from fastai.callback.training import BnFreeze
from fastai.data.core import DataLoaders
from fastai.learner import Learner
from fastai.losses import LabelSmoothingCrossEntropyFlat
from fastai.metrics import error_rate
from fastai.vision.learner import add_head, create_body, default_split, model_meta
from safetensors.torch import load_file
from torch import nn
from torchvision.models import mobilenet_v2

from .data.items import folder_items
from .data.loaders import dataloaders
from .data.split import random_split
from .duplicates import Fingerprint, fingerprint, group_duplicates
from .weights import WEIGHTS_FOLDER, stored_weights


class WeightsMissing(RuntimeError):
    """Pretrained weights are neither on this computer nor to be had from the network."""


def image_folder_dataloaders(
    path: str | Path,
    *,
    size: int = 160,
    valid_pct: float = 0.2,
    seed: int = 42,
    batch_size: int = 16,
    workers: int = 0,
    unreadable: str = "error",
) -> DataLoaders:
    """DataLoaders from a folder with one subfolder of photos per label.

    >>> dls = image_folder_dataloaders("data/bears", size=160)
    >>> dls.vocab
    ['black', 'grizzly', 'teddy']

    The same `seed` gives the same split: `valid_pct` of each label, with near-duplicate photos kept
    on one side. Training photos are cropped, flipped, warped, relit and partly erased at random;
    validation photos are squished and centre-cropped. `size` is in pixels, height and width.
    Raises ValueError for a folder without photos or with one label only, for a label that has only
    copies of one photo, and for files that cannot be opened as images, naming them;
    `unreadable="skip"` leaves those out with a warning instead.
    """
    if unreadable not in ("error", "skip"):
        raise ValueError(f'unreadable must be "error" or "skip", not {unreadable!r}')
    items = folder_items(path)
    files, fingerprints = _open_all([Path(item) for item in items.item], unreadable)
    items = items[items.item.isin(map(str, files))]
    if items.label.nunique() == 1:
        name, label = Path(path).name, items.label.iloc[0]
        raise ValueError(f"{name} holds one label only, {label!r}; a classifier needs at least two.")
    items = random_split(items, valid_pct=valid_pct, seed=seed, copies=group_duplicates(fingerprints))
    return dataloaders(items, size=size, batch_size=batch_size, workers=workers, path=path)


def transfer_learner(
    dls: DataLoaders, arch: Callable[..., nn.Module] = mobilenet_v2, *, pretrained: bool = True
) -> Learner:
    """A fastai Learner: a torchvision network with its ImageNet weights frozen, and a new linear head.

    >>> learn = transfer_learner(dls)
    >>> learn.fit_one_cycle(12, 3e-3)

    The weights come from `$IPYFASTAI_WEIGHTS/<arch>.safetensors` where that file exists (whoever sets
    the variable gets the same weights every time and no wait for a network), else from torchvision,
    which downloads once. RuntimeError when neither gives any; only `pretrained=False` starts from
    random weights.
    """
    # fastai knows where to cut most networks; the others end in one classifier module.
    meta = model_meta.get(arch, {"cut": -1, "split": default_split})
    network = _pretrained_network(arch, meta["cut"]) if pretrained else arch(weights=None)
    body = create_body(network, cut=meta["cut"])
    # Dropout and one linear layer on averaged features, as MobileNetV2 itself ends. fastai's own head (two
    # layers, concatenated pooling, batch norms) has more weights than the rest of a small network.
    channels = num_features_model(nn.Sequential(*body.children()))
    model = add_head(body, channels, dls.c, init=None, concat_pool=False, lin_ftrs=[], ps=0.2, first_bn=False)
    loss = LabelSmoothingCrossEntropyFlat(eps=0.05)
    learn = Learner(
        dls,
        model,
        loss_func=loss,
        splitter=meta["split"],
        metrics=error_rate,
        # A frozen layer keeps its batch norm's scale and statistics too: a few hundred photos would
        # only blur what was measured on a million. Unfreezing frees them.
        train_bn=not pretrained,
        cbs=BnFreeze() if pretrained else None,
    )
    if pretrained:
        learn.freeze()
    return learn


def _pretrained_network(arch: Callable[..., nn.Module], cut: int) -> nn.Module:
    stored = stored_weights(arch.__name__)
    if stored:
        return _load_stored(arch, cut, stored)
    try:
        return arch(weights="DEFAULT")
    except URLError as error:
        where = "it is not there yet" if os.environ.get(WEIGHTS_FOLDER) else "now not set"
        raise WeightsMissing(
            f"No pretrained weights for {arch.__name__}. Three ways to go on: connect to a network, so that "
            f"torchvision can download them; put {arch.__name__}.safetensors into a folder and name that "
            f"folder in {WEIGHTS_FOLDER} ({where}); or pass pretrained=False to start from random weights."
        ) from error


def _load_stored(arch: Callable[..., nn.Module], cut: int, path: Path) -> nn.Module:
    """`arch` filled from a file of torchvision names; only the classifier that is cut off may be missing."""
    network = arch(weights=None)
    filled = network.load_state_dict(load_file(path), strict=False)
    # create_body cuts out the module objects themselves, so its tensors can be told by identity.
    body = {id(tensor) for tensor in create_body(network, cut=cut).state_dict(keep_vars=True).values()}
    tensors = network.state_dict(keep_vars=True)
    missing = [name for name in filled.missing_keys if id(tensors[name]) in body]
    if missing or filled.unexpected_keys:
        raise ValueError(
            f"{path.name} does not fit {arch.__name__}: missing {missing or 'nothing'}, unexpected "
            f"{filled.unexpected_keys or 'nothing'}. It must hold torchvision's tensor names."
        )
    return network


def _open_all(files: Sequence[Path], unreadable: str) -> tuple[list[Path], list[Fingerprint]]:
    """The files that open as images, with their fingerprints; opening here names the bad ones early."""
    good, fingerprints, bad = [], [], []
    for file in files:
        try:
            fingerprints.append(fingerprint(file))
            good.append(file)
        except (OSError, ValueError) as error:
            bad.append(f"{file.parent.name}/{file.name} ({type(error).__name__})")
    if bad:
        message = f"{len(bad)} of {len(files)} files cannot be opened as images: {', '.join(bad)}."
        if unreadable == "error":
            raise ValueError(f'{message} Remove them, or pass unreadable="skip" to leave them out.')
        warnings.warn(f"{message} They are left out.", stacklevel=3)
    if not good:
        raise ValueError(f"None of the {len(files)} files can be opened as an image.")
    return good, fingerprints
