"""The training recipe: a folder of photos, a pretrained network, an honest score."""

import os
import random
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.error import URLError

import fastai.callback.progress  # noqa: F401  gives every Learner its no_bar()
import fastai.callback.schedule  # noqa: F401  and its fit_one_cycle()
import numpy as np
from fastai.callback.hook import num_features_model
from fastai.callback.training import BnFreeze
from fastai.data.block import CategoryBlock, DataBlock
from fastai.data.core import DataLoaders
from fastai.data.transforms import IndexSplitter, Normalize, get_image_files, parent_label
from fastai.learner import Learner
from fastai.losses import LabelSmoothingCrossEntropyFlat
from fastai.metrics import error_rate
from fastai.vision.augment import RandomErasing, RandomResizedCrop, aug_transforms
from fastai.vision.core import imagenet_stats
from fastai.vision.data import ImageBlock
from fastai.vision.learner import add_head, create_body, default_split, model_meta
from PIL import Image
from safetensors.torch import load_file
from torch import nn
from torchvision.models import mobilenet_v2

from .duplicates import fingerprint, group_duplicates

WEIGHTS_FOLDER = "IPYFASTAI_WEIGHTS"


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
    files = sorted(get_image_files(path))
    if not files:
        raise ValueError(f"No images in {path}: expected one subfolder of photos for each label.")
    files, fingerprints = _open_all(files, unreadable)
    labels = [parent_label(file) for file in files]
    if len(set(labels)) < 2:
        raise ValueError(f"{path} holds one label only, {labels[0]!r}; a classifier needs at least two.")
    valid = grouped_split(labels, group_duplicates(fingerprints), valid_pct=valid_pct, seed=seed)
    return DataBlock(
        blocks=(ImageBlock, CategoryBlock),
        splitter=IndexSplitter(valid),
        get_y=parent_label,
        item_tfms=RandomResizedCrop(size, min_scale=0.3),
        batch_tfms=[
            *aug_transforms(max_rotate=15, max_zoom=1.0, max_lighting=0.4, max_warp=0.2, p_lighting=0.9),
            Normalize.from_stats(*imagenet_stats),
            RandomErasing(p=0.3, sh=0.3, max_count=2),
        ],
    ).dataloaders(files, path=path, bs=batch_size, val_bs=2 * batch_size, num_workers=workers)


def grouped_split(labels: Sequence[str], groups: Sequence[int], *, valid_pct: float = 0.2, seed: int = 42) -> list[int]:
    """Indices of the validation items: a share of each label, whole groups at a time.

    >>> grouped_split(["a", "a", "a", "b", "b"], groups=[0, 1, 1, 2, 3], valid_pct=0.5)
    [0, 3]

    `labels` and `groups` are (n,). A group counts under the label of its first item. At least one
    group of each label is left for training: ValueError names a label that has fewer than two.
    """
    members: dict[int, list[int]] = {}
    for index, group in enumerate(groups):
        members.setdefault(int(group), []).append(index)
    by_label: dict[str, list[list[int]]] = {}
    for indices in members.values():
        by_label.setdefault(labels[indices[0]], []).append(indices)
    shuffle = random.Random(seed).shuffle
    valid: list[int] = []
    for label in sorted(set(labels)):
        candidates = by_label.get(label, [])
        if len(candidates) < 2:
            raise ValueError(
                f"Label {label!r} needs at least two different photos, one to learn from and one to be tested on; "
                f"it has {len(candidates)} (copies of one photo count once)."
            )
        shuffle(candidates)
        wanted = max(1, round(valid_pct * sum(map(len, candidates))))
        chosen: list[int] = []
        while len(chosen) < wanted and len(candidates) > 1:
            chosen += candidates.pop()
        valid += chosen
    return sorted(valid)


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
    folder = os.environ.get(WEIGHTS_FOLDER)
    stored = Path(folder, f"{arch.__name__}.safetensors") if folder else None
    if stored and stored.is_file():
        return _load_stored(arch, cut, stored)
    try:
        return arch(weights="DEFAULT")
    except URLError as error:
        raise RuntimeError(
            f"No pretrained weights for {arch.__name__}. Three ways to go on: connect to a network, so that "
            f"torchvision can download them; put {arch.__name__}.safetensors into a folder and name that "
            f"folder in {WEIGHTS_FOLDER} (now {folder or 'not set'}); or pass pretrained=False to start from "
            "random weights."
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
            f"{path} does not fit {arch.__name__}: missing {missing or 'nothing'}, unexpected "
            f"{filled.unexpected_keys or 'nothing'}. It must hold torchvision's tensor names."
        )
    return network


def _open_all(files: Sequence[Path], unreadable: str) -> tuple[list[Path], list[np.ndarray]]:
    """The files that open as images, with their fingerprints; opening here names the bad ones early."""
    good, fingerprints, bad = [], [], []
    for file in files:
        try:
            fingerprints.append(fingerprint(file))
            good.append(file)
        except (OSError, ValueError, Image.DecompressionBombError) as error:
            bad.append(f"{file.parent.name}/{file.name} ({type(error).__name__})")
    if bad:
        message = f"{len(bad)} of {len(files)} files cannot be opened as images: {', '.join(bad)}."
        if unreadable == "error":
            raise ValueError(f'{message} Remove them, or pass unreadable="skip" to leave them out.')
        warnings.warn(f"{message} They are left out.", stacklevel=3)
    return good, fingerprints
