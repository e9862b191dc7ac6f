"""From a fastai image classifier to one self-describing ONNX file."""

import copy
import os
import tempfile
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from fastai.learner import Learner
from torch import nn

from .bundle import INPUT, KEY, NOVELTY, PROBABILITIES, BundleInfo
from .card import ModelCard
from .classifier import Classifier
from .novelty import NearestNeighbours, Novelty, check_body_and_head
from .validation import Validation

OPSET = 20
TOLERANCE = 1e-3  # of a probability and of a cosine distance: rounding stays below 1e-5, a forgotten step is far above
CHECKED = 256  # validation photos that the parity check looks at, at most


def export_onnx(
    learn: Learner,
    path: str | os.PathLike,
    *,
    card: ModelCard | None = None,
    novelty: Novelty | None = None,
) -> Path:
    """Write a classifier bundle that needs neither fastai nor torch.

    >>> export_onnx(learn, "bears.onnx", card=ModelCard("Bears"), novelty=fit_novelty(learn))
    >>> Classifier.load("bears.onnx")(photo)

    Resizing is recorded, normalisation and softmax are part of the graph: `image` uint8
    (n, height, width, 3) in; `probabilities` (n, labels) and, with `novelty`, `novelty` (n,) out.
    Before anything is written, the bundle must answer as the Learner does on validation photos. The
    file then appears whole or not at all; the Learner is left as it was.

    ValueError when the Learner is no single-label classifier of RGB images, when a transform of its
    validation photos cannot be reproduced (it is named), or when the answers differ.
    """
    validation = Validation.of(learn)
    labels = tuple(str(label) for label in learn.dls.vocab)
    info = BundleInfo(
        labels=labels,
        resize=validation.resize,
        card=card or ModelCard(name=Path(path).stem, labels=list(labels)),
        threshold=novelty.threshold if novelty else None,
        novelty_method=novelty.method if novelty else "",
    )
    # A copy, so that moving it to the CPU and into evaluation mode cannot disturb a Learner in use.
    network = copy.deepcopy(learn.model).cpu().eval()
    graph = _Graph(network, validation.in_graph, novelty and novelty.module)
    data = _bundle(graph, info)
    _check_parity(learn, graph, Classifier.load(data))
    return _write(data, Path(path))


class _Graph(nn.Module):
    """uint8 photos -> probabilities, and the novelty where it is measured."""

    def __init__(self, network: nn.Module, prepare: nn.Module, novelty: NearestNeighbours | None):
        super().__init__()
        if novelty:
            check_body_and_head(network)
        self.network, self.prepare, self.novelty = network, prepare, novelty

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, ...]:
        pixels = self.prepare(image.permute(0, 3, 1, 2).float())
        if self.novelty is None:
            return (torch.softmax(self.network(pixels), dim=1),)
        maps = self.network[0](pixels)
        return torch.softmax(self.network[1](maps), dim=1), self.novelty(maps)


def _bundle(graph: _Graph, info: BundleInfo) -> bytes:
    example = torch.zeros(2, info.resize.height, info.resize.width, 3, dtype=torch.uint8)
    with warnings.catch_warnings(), torch.no_grad():
        # The exporter warns about its own internals; a graph that came out wrong fails the parity check.
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            graph.eval(),
            (example,),
            input_names=[INPUT],
            output_names=[PROBABILITIES, NOVELTY][: 1 + (graph.novelty is not None)],
            dynamic_shapes=({0: torch.export.Dim("n")},),
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    model = program.model_proto
    _strip_traces(model)
    onnx.helper.set_model_props(model, {KEY: info.to_json()})
    return model.SerializeToString()


def _strip_traces(model: onnx.ModelProto) -> None:
    """Drop the exporter's stack traces: they name folders of the machine, and double the load time."""
    graph = model.graph
    for part in (graph, *graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        del part.metadata_props[:]
        part.doc_string = ""
    model.doc_string = ""


@torch.no_grad()
def _check_parity(learn: Learner, graph: _Graph, classifier: Classifier) -> None:
    """ValueError unless the bundle and the Learner agree on validation photos, file to answer."""
    loader = learn.dls.valid
    expected: list[torch.Tensor] = []
    distances: list[torch.Tensor] = []
    for batch in loader:
        pixels = batch[0].cpu()
        expected += learn.loss_func.activation(graph.network(pixels))
        if graph.novelty is not None:
            distances += graph.novelty(graph.network[0](pixels))
        if len(expected) >= CHECKED:
            break
    photos = (loader.dataset[index][0] for index in range(len(expected)))
    answers = list(classifier.batch(photos))
    _compare("probabilities", [list(answer.values()) for answer in answers], expected)
    if distances:
        _compare("novelties", [answer.novelty for answer in answers], distances)


def _compare(what: str, answers: list, expected: list[torch.Tensor]) -> None:
    difference = np.abs(np.array(answers) - torch.stack(expected).numpy()).max()
    if not difference <= TOLERANCE:  # also where it is nan
        raise ValueError(
            f"The exported file answers differently from the Learner: {what} differ by up to "
            f"{difference:.3g} on {len(expected)} validation photos, the limit is {TOLERANCE:g}. Nothing was written."
        )


def _write(data: bytes, path: Path) -> Path:
    """All of the file or none of it: a reader never sees half a model."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            os.chmod(file.name, 0o644)  # a temporary file is its owner's alone
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise
    return path
