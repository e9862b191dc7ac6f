"""A photo in, a probability for each label out, from one self-describing ONNX file."""

import math
import os
from collections.abc import Iterable, Iterator
from itertools import islice
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from .bundle import INPUT, NOVELTY, PROBABILITIES, BundleInfo
from .card import ModelCard
from .memory import give_back
from .onnx_file import EXPORT_HINT, read_metadata

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


class Prediction(dict):
    """{label: probability}, summing to 1, that also knows how unlike the training photos the image is.

    >>> Prediction({"black": 0.9, "teddy": 0.1}, novelty=0.31, unfamiliar=False)["black"]
    0.9

    `novelty` is nan where the model does not measure it; `unfamiliar` is True above its threshold.
    """

    def __init__(self, probabilities, *, novelty: float = math.nan, unfamiliar: bool = False):
        super().__init__(probabilities)
        self.novelty = novelty
        self.unfamiliar = unfamiliar


class Classifier:
    """An image classifier on ONNX Runtime.

    >>> classifier = Classifier.shipped("bears")
    >>> classifier(Image.open("bear.jpg"))
    {'black': 0.013, 'grizzly': 0.984, 'teddy': 0.003}

    Called with a PIL image of any mode (turned to RGB as Pillow does; `open_image` does it better),
    returns a `Prediction`. `labels` are the keys in order; `card` is the model card of the file,
    `size` the (height, width) to which it shrinks every photo.
    """

    def __init__(self, session: "InferenceSession", info: BundleInfo):
        self._session = session
        self._info = info
        self._outputs = [PROBABILITIES] + [NOVELTY] * (info.threshold is not None)

    @classmethod
    def load(cls, source: str | os.PathLike | bytes) -> "Classifier":
        """A classifier from a bundle: the path of a file, or its bytes.

        >>> classifier = Classifier.load("bears.onnx")

        Nothing in the file is executed but ONNX operators, and no other file is opened, so a
        stranger's upload may be passed as bytes. FileNotFoundError where there is no such file;
        ValueError, saying what is wrong and what to do, for anything that is not a complete bundle.
        """
        if isinstance(source, (bytes, bytearray, memoryview)):
            data = bytes(source)
            return cls._from(data, BundleInfo.from_metadata(read_metadata(data)))
        path = Path(source)
        if not path.stat().st_size:  # an empty file cannot be mapped
            return cls.load(b"")
        with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
            info = BundleInfo.from_metadata(read_metadata(data))
        return cls._from(str(path), info)

    @classmethod
    def shipped(cls, name: str) -> "Classifier":
        """A classifier that travels with the package, such as "bears"."""
        folder = Path(__file__).parent
        names = sorted(path.stem for path in folder.glob("*.onnx"))
        if name not in names:
            raise ValueError(f"No shipped classifier {name!r}; there is {', '.join(names) or 'none'}.")
        return cls.load(folder / f"{name}.onnx")

    @classmethod
    def _from(cls, model: str | bytes, info: BundleInfo) -> "Classifier":
        # Imported here, because it costs more than the rest of this package together.
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = min(os.cpu_count() or 1, 4)
        options.inter_op_num_threads = 1
        # The arena keeps what the largest chunk needed: measured 193 MB instead of 68 after 16 bears, for a
        # tenth less time.
        options.enable_cpu_mem_arena = options.enable_mem_pattern = False
        options.log_severity_level = 4  # what goes wrong is raised below
        # ONNX Runtime would otherwise guess, and might read a crafted file as its other format.
        options.add_session_config_entry("session.load_model_format", "ONNX")
        try:
            session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its exceptions share no base class of their own
            raise ValueError(f"ONNX Runtime cannot load this model: {error} {EXPORT_HINT}") from error
        _check_graph(session, info)
        give_back()  # the parsed file; without this a visitor's kernel is a fifth larger
        return cls(session, info)

    @property
    def labels(self) -> tuple[str, ...]:
        return self._info.labels

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels of what the network sees."""
        return self._info.resize.height, self._info.resize.width

    @property
    def card(self) -> ModelCard:
        return self._info.card

    def __call__(self, image: Image.Image) -> Prediction:
        return next(self.batch([image]))

    def batch(self, images: Iterable[Image.Image], *, chunk: int = 2) -> Iterator[Prediction]:
        """A `Prediction` for each image, in order.

        >>> for path, answer in zip(paths, classifier.batch(map(open_image, paths))): ...

        `images` is read `chunk` images at a time and each is shrunk at once, so a generator over
        10,000 photos never holds more than one at full size. Larger chunks were measured to need more
        memory (10 MB a photo for the shipped bears) and no less time on a CPU. ValueError below 1.
        """
        if chunk < 1:
            raise ValueError(f"chunk must be at least 1, not {chunk}")
        return self._predict(iter(images), chunk)

    def _predict(self, images: Iterator[Image.Image], chunk: int) -> Iterator[Prediction]:
        while small := [self._info.resize(image) for image in islice(images, chunk)]:
            probabilities, *novelty = self._session.run(self._outputs, {INPUT: np.stack(small)})
            if probabilities.shape != (len(small), len(self.labels)):
                raise ValueError(
                    f"The model answered {probabilities.shape} for {len(small)} images and {len(self.labels)} labels."
                )
            scores = novelty[0] if novelty else np.full(len(small), math.nan)
            for row, score in zip(probabilities.tolist(), scores.tolist(), strict=True):
                unfamiliar = self._info.threshold is not None and score > self._info.threshold
                yield Prediction(zip(self.labels, row, strict=True), novelty=score, unfamiliar=unfamiliar)


def _check_graph(session: "InferenceSession", info: BundleInfo) -> None:
    """ValueError when the graph's inputs and outputs are not those that `info` describes."""
    inputs = {item.name: (item.type, item.shape[1:]) for item in session.get_inputs()}
    wanted = {INPUT: ("tensor(uint8)", [info.resize.height, info.resize.width, 3])}
    if inputs != wanted:
        raise ValueError(f"The model takes {inputs}, not {wanted} as its description says. {EXPORT_HINT}")
    outputs = {item.name: (item.type, item.shape[1:]) for item in session.get_outputs()}
    wanted = {PROBABILITIES: ("tensor(float)", [len(info.labels)])}
    if info.threshold is not None:
        wanted[NOVELTY] = ("tensor(float)", [])
    if {name: outputs.get(name) for name in wanted} != wanted:  # others are no matter
        raise ValueError(f"The model returns {outputs}, not {wanted} as its description says. {EXPORT_HINT}")
