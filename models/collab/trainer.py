"""Trains a rung on ratings with no Python work for a rating, only for a batch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from .one_cycle import one_cycle
from .ratings import Ratings
from .rung import Rung
from .settings import CollabSettings

EPSILON, SQUARED_MOMENTUM = 1e-5, 0.99  # of fastai's Adam
CHUNK = 1 << 16  # ratings that are measured at once


class Trainer:
    """Adam with the one-cycle policy on the squared error, batch by batch.

    >>> trainer = Trainer(build_rung(settings, ratings.n_users, ratings.n_items), ratings, settings)
    >>> for epoch in range(settings.epochs):
    ...     for batch in trainer.epoch(epoch):  # each is trained when it is asked for
    ...         pass
    >>> trainer.losses()  # of the batches since the last call

    It learns what fastai's `collab_learner` and `fit_one_cycle` would with the same first numbers and the same
    order, in less time:

    - Ratings are tensors on the device, shuffled once an epoch; a batch is a slice of them.
    - All that is learned lies in one stretch of memory, of which the rung's parameters are windows: an Adam step,
      which moves every row of every table, is one pass over it.
    - Gradients are reckoned for the rows that a batch looks up, then added to those of their tables; after the step
      only these rows are set back to zero.
    - A loss stays on the device until somebody asks, so that a GPU never waits for Python.

    The biases of a network's layers are spared weight decay, as in fastai; biases of users and items are not.
    Sources: fastai `optimizer.py` (Adam, decouple_wd); D. Kingma and J. Ba, "Adam" (2015).
    """

    def __init__(self, rung: Rung, ratings: Ratings, settings: CollabSettings, *, device: torch.device | str = "cpu"):
        if not len(ratings):
            raise ValueError("There are no ratings to train on.")
        self.rung, self.settings, self.device = rung.to(device), settings, torch.device(device)
        self.iteration = 0  # batches trained
        codes = {"user": ratings.users.astype(np.int64), "item": ratings.items.astype(np.int64)}
        self._codes = {name: torch.from_numpy(values).to(device) for name, values in codes.items()}
        self._values = torch.tensor(ratings.values, device=device)
        self._losses: list[Tensor] = []
        self._lay_out()

    @property
    def batches(self) -> int:
        """How many there are in an epoch; the last may be smaller."""
        return -(-len(self._values) // self.settings.batch_size)

    def pace(self, iteration: int) -> tuple[float, float]:
        """Learning rate and momentum of a batch, counted from 0 over all epochs."""
        return one_cycle(iteration / (self.batches * self.settings.epochs), self.settings.learning_rate)

    def order(self, number: int) -> Tensor:
        """The positions of all ratings as the `number`-th epoch, from 0, takes them: a matter of that and the seed."""
        seed = np.random.SeedSequence([self.settings.seed, number]).generate_state(1, np.uint64)[0]
        generator = torch.Generator(self.device).manual_seed(int(seed >> np.uint64(1)))
        return torch.randperm(len(self._values), generator=generator, device=self.device)

    def epoch(self, number: int) -> Iterator[int]:
        """Train the `number`-th epoch, a batch each time one is asked for; yields how many are done."""
        order = self.order(number)
        users, items, values = self._codes["user"][order], self._codes["item"][order], self._values[order]
        del order
        self.rung.train()
        size = self.settings.batch_size
        for done, start in enumerate(range(0, len(values), size), 1):
            part = slice(start, start + size)
            self._losses.append(self._step({"user": users[part], "item": items[part]}, values[part]))
            yield done

    def losses(self) -> list[float]:
        """The losses of the batches since this was last asked: here, and only here, a GPU is waited for."""
        waiting, self._losses = self._losses, []
        return torch.stack(waiting).tolist() if waiting else []

    def state(self) -> dict[str, Tensor]:
        """Copies in main memory of what was learned and of the optimizer's means, by name."""
        tensors = {f"model.{name}": value for name, value in self.rung.state_dict().items()}
        for kind, parameter in self._flat.items():
            for name, value in self._optimizer.state[parameter].items():
                tensors[f"optimizer.{kind}.{name}"] = value
        return {name: value.detach().to("cpu", copy=True) for name, value in tensors.items()}

    def restore(self, tensors: dict[str, Tensor], *, iteration: int) -> None:
        """Go on from a `state`; ValueError if it is that of another rung."""
        restore(self.rung, tensors)
        for kind, parameter in self._flat.items():
            known = _named(tensors, f"optimizer.{kind}.")
            # All of it lies on the device, the number of steps too: so it is made for a fused step.
            self._optimizer.state[parameter] = {name: value.to(self.device, copy=True) for name, value in known.items()}
            parameter.grad.zero_()
        self.iteration, self._losses = iteration, []

    def _lay_out(self) -> None:
        """Move the parameters into stretches of memory, what decays in one and what does not in another."""
        tables = self.rung.tables()
        spared = {id(layer.bias) for layer in self.rung.modules() if isinstance(layer, nn.Linear)}
        parts: dict[str, list[nn.Parameter]] = {"decayed": [], "spared": []}
        for parameter in self.rung.parameters():
            parts["spared" if id(parameter) in spared else "decayed"].append(parameter)
        self._flat = {kind: _flat(inside) for kind, inside in parts.items() if inside}
        self._tables = [(name, name.split("_")[0], table.detach(), table.grad) for name, table in tables.items()]
        known = {id(table) for table in tables.values()}
        self._others = [parameter for parameter in self.rung.parameters() if id(parameter) not in known]
        decay = {"decayed": self.settings.decay_rate, "spared": 0.0}
        groups = [{"params": [flat], "weight_decay": decay[kind]} for kind, flat in self._flat.items()]
        adam = torch.optim.AdamW if self.settings.decay == "adamw" else torch.optim.Adam
        self._optimizer = adam(groups, eps=EPSILON, fused=True)

    def _step(self, codes: dict[str, Tensor], values: Tensor) -> Tensor:
        rows = {name: table.index_select(0, codes[side]).requires_grad_() for name, side, table, _ in self._tables}
        loss = nn.functional.mse_loss(self.rung.rate(**rows), values)
        found = torch.autograd.grad(loss, [*rows.values(), *self._others])
        for (_, side, _, gradient), rows_gradient in zip(self._tables, found, strict=False):
            gradient.index_add_(0, codes[side], rows_gradient)
        for parameter, gradient in zip(self._others, found[len(rows) :], strict=True):
            parameter.grad.copy_(gradient)
        rate, momentum = self.pace(self.iteration)
        for group in self._optimizer.param_groups:
            group["lr"], group["betas"] = rate, (momentum, SQUARED_MOMENTUM)
        self._optimizer.step()
        for _, side, _, gradient in self._tables:
            gradient.index_fill_(0, codes[side], 0)
        self.iteration += 1
        return loss.detach()


def restore(rung: Rung, tensors: dict[str, Tensor]) -> None:
    """Give a rung the numbers that the `state` of its trainer holds; ValueError if it is that of another rung."""
    learned, kept = _named(tensors, "model."), rung.state_dict()
    if {name: value.shape for name, value in learned.items()} != {name: own.shape for name, own in kept.items()}:
        raise ValueError("The checkpoint is of another model: its tables are of other names or sizes.")
    with torch.no_grad():
        for name, value in learned.items():
            kept[name].copy_(value)


def errors(rung: Rung, ratings: Ratings) -> dict[str, float]:
    """Mean squared error, its root, and mean absolute error of a rung's ratings, wherever it lies.

    >>> errors(rung, split.valid)
    {'mse': 0.763, 'rmse': 0.873, 'mae': 0.67}

    Not a number without ratings.
    """
    device = next(rung.parameters()).device
    rung.eval()
    sums = torch.zeros(2, dtype=torch.float64, device=device)
    with torch.no_grad():
        for start in range(0, len(ratings), CHUNK):
            part = slice(start, start + CHUNK)
            users, items = (torch.tensor(codes[part], device=device) for codes in (ratings.users, ratings.items))
            wrong = (rung(users, items) - torch.tensor(ratings.values[part], device=device)).double()
            sums += torch.stack([wrong.square().sum(), wrong.abs().sum()])
    mse, mae = (sums / len(ratings)).tolist() if len(ratings) else (float("nan"),) * 2
    return {"mse": mse, "rmse": mse**0.5, "mae": mae}


def _flat(parameters: list[nn.Parameter]) -> nn.Parameter:
    """One parameter that holds the numbers of all, and one gradient; they become windows of these."""
    whole = nn.Parameter(torch.cat([parameter.detach().reshape(-1) for parameter in parameters]))
    whole.grad = torch.zeros_like(whole)
    sizes = [parameter.numel() for parameter in parameters]
    windows = zip(parameters, whole.detach().split(sizes), whole.grad.split(sizes), strict=True)
    for parameter, values, gradient in windows:
        parameter.data, parameter.grad = values.view_as(parameter), gradient.view_as(parameter)
    return whole


def _named(tensors: dict[str, Tensor], start: str) -> dict[str, Tensor]:
    return {name.removeprefix(start): value for name, value in tensors.items() if name.startswith(start)}
