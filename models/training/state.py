"""Everything that training changes in a learner, taken down so that it can be put back."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from fastai.callback.progress import ProgressCallback, ShowGraphCallback
from fastai.learner import Learner, Metric
from fastai.optimizer import Lookahead, OptimWrapper
from fastcore.basics import noop
from fastcore.foundation import L

from ..data.randomness import RandomState


@dataclass
class ModelState:
    """A network's tensors by name (parameters and buffers) and the gradients that parameters hold.

    A gradient of zeros is not none: fastai's optimizers decay the weights of the one and pass over the other.
    """

    tensors: dict[str, torch.Tensor]
    gradients: dict[str, torch.Tensor]

    @classmethod
    def capture(cls, model: torch.nn.Module) -> ModelState:
        gradients = {name: _kept(value.grad) for name, value in model.named_parameters() if value.grad is not None}
        return cls({name: _kept(tensor) for name, tensor in tensors_of(model)}, gradients)

    def restore(self, model: torch.nn.Module) -> None:
        """ValueError, with nothing changed, if these are another network's tensors."""
        own = dict(tensors_of(model))
        strange = [name for name, tensor in own.items() if _shape(self.tensors.get(name)) != tensor.shape]
        if strange or len(own) != len(self.tensors):
            which = f"{strange[0]!r} differs" if strange else "it has other layers"
            raise ValueError(f"These weights belong to another network than this {type(model).__name__}: {which}.")
        with torch.no_grad():
            for name, tensor in own.items():
                tensor.copy_(self.tensors[name])
            for name, parameter in model.named_parameters():
                gradient = self.gradients.get(name)
                parameter.grad = None if gradient is None else gradient.to(parameter.device, copy=True)


def tensors_of(model: torch.nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    """Names and tensors of all parameters and buffers, those that a `state_dict` leaves out too."""
    yield from model.named_parameters()
    yield from model.named_buffers()


@dataclass
class OptimizerState:
    """What an optimizer knows of each parameter (in its order), its rates by group, and Lookahead's slow weights."""

    parameters: list[dict]
    groups: list[dict]
    frozen: int
    count: int | None = None
    slow: list[torch.Tensor] | None = None

    @classmethod
    def capture(cls, opt: object) -> OptimizerState:
        known, groups = _inside(opt)
        parameters = [{key: _kept(value) for key, value in known.get(one, {}).items()} for one in _parameters(opt)]
        groups = [{key: value for key, value in group.items() if key != "params"} for group in groups]
        state = cls(parameters, copy.deepcopy(groups), opt.frozen_idx)
        if isinstance(opt, Lookahead):
            state.count = opt.count
            state.slow = opt.slow_weights and [_kept(one) for group in opt.slow_weights for one in group]
        return state

    def restore(self, opt: object) -> None:
        """ValueError if this is the state of an optimizer of other parameters."""
        known, groups = _inside(opt)
        parameters = _parameters(opt)
        if (len(parameters), len(groups)) != (len(self.parameters), len(self.groups)):
            raise ValueError(f"This is the state of another optimizer: it has {len(self.parameters)} parameters.")
        for group, values in zip(groups, self.groups, strict=True):
            group.update(copy.deepcopy(values))
        known.clear()
        for parameter, values in zip(parameters, self.parameters, strict=True):
            known[parameter] = {key: _back(value, parameter) for key, value in values.items()}
        opt.frozen_idx = self.frozen
        if isinstance(opt, Lookahead):
            opt.count, slow = self.count, iter(self.slow or [])
            lists = (L(next(slow).to(one.device, copy=True) for one in group) for group in opt.param_lists)
            opt.slow_weights = self.slow and L(lists)


@contextmanager
def restored(learn: Learner) -> Iterator[None]:
    """Whatever training does inside, the learner is afterwards as it was: weights and buffers, optimizer,
    frozen layers, callbacks, data loaders and all random generators. Kept in memory, nothing on disk.

    >>> with restored(learn):
    ...     learn.fit(1)
    """
    opt, dls, cbs = learn.opt, learn.dls, learn.cbs
    model, generators = ModelState.capture(learn.model), RandomState.capture(dls)
    optimizer = opt and OptimizerState.capture(opt)
    flags = [(module, module.training) for module in learn.model.modules()]
    trainable = [(parameter, parameter.requires_grad) for parameter in learn.model.parameters()]
    objects = [learn, *cbs, *dls.loaders]
    attributes = [(one, {name: _copied(value) for name, value in vars(one).items()}) for one in objects]
    lists = [(cbs, list(cbs)), (dls.loaders, list(dls.loaders))]
    try:
        yield
    finally:
        for one, values in attributes:
            vars(one).clear()
            vars(one).update(values)
        learn.cbs = cbs
        for one, members in lists:
            one[:] = members
        for module, training in flags:
            module.training = training
        for parameter, requires_grad in trainable:
            parameter.requires_grad_(requires_grad)
        model.restore(learn.model)
        if optimizer:
            optimizer.restore(opt)
        generators.restore(dls)


@contextmanager
def quiet(learn: Learner) -> Iterator[None]:
    """Inside, the learner prints nothing and draws no progress bar.

    >>> with quiet(learn):
    ...     learn.fit(1)
    """
    callbacks, logger = list(learn.cbs), learn.logger
    drawing = [one for one in callbacks if isinstance(one, ProgressCallback | ShowGraphCallback)]
    learn.remove_cbs(drawing)
    learn.logger = noop
    try:
        yield
    finally:
        learn.logger = logger
        learn.add_cbs(drawing)
        learn.cbs.sort(key=lambda one: callbacks.index(one) if one in callbacks else len(callbacks))


def _parameters(opt: object) -> list[torch.Tensor]:
    return [parameter for group in opt.param_lists for parameter in group]


def _inside(opt: object) -> tuple[dict, list[dict]]:
    """What the optimizer keeps by parameter, and its groups: fastai's own optimizers or one of PyTorch."""
    return (opt.opt.state, opt.opt.param_groups) if isinstance(opt, OptimWrapper) else (opt.state, opt.hypers)


def _kept(value: object) -> object:
    """A copy in main memory: a GPU may have no room for a second network."""
    return value.detach().to("cpu", copy=True) if isinstance(value, torch.Tensor) else copy.deepcopy(value)


def _back(value: object, parameter: torch.Tensor) -> object:
    # PyTorch's optimizers count their steps in a tensor of main memory, wherever the parameter lies.
    if isinstance(value, torch.Tensor):
        return value.to(parameter.device if value.shape == parameter.shape else "cpu", copy=True)
    return copy.deepcopy(value)


def _copied(value: object) -> object:
    """A copy of what callbacks and loaders change in place; everything else is the same object."""
    return copy.copy(value) if isinstance(value, list | dict | set | L | Metric) else value


def _shape(tensor: torch.Tensor | None) -> torch.Size | None:
    return None if tensor is None else tensor.shape
