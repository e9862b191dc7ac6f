"""The toy and the spreadsheet: products by hand, gradients by formula and by differences, and what a page may ask."""

import asyncio

import numpy as np
import pytest
import torch
from ipyfastai.models import FactorSheet, example_ratings
from ipyfastai.models.collab.latent_factors import Diverged
from ipyfastai.widgets import LatentFactors
from ipyfastai.widgets.collab import factor_sheet_view
from ipyfastai.widgets.collab.dot_product_toy import DotProductToy

CELLS = np.array([[4, np.nan, 2.5], [np.nan, 5, 1], [3, 3.5, np.nan], [0.5, 2, 4]])


def numbers(sheet):
    return [tensor.detach().numpy().astype(np.float64) for tensor in sheet.parameters]


def error(cells, user_factors, item_factors, user_bias=0.0, item_bias=0.0):
    """The mean squared error in plain NumPy and double precision."""
    predicted = user_factors @ item_factors.T + np.reshape(user_bias, (-1, 1)) + item_bias
    return np.nanmean((predicted - cells) ** 2)


def gradients(cells, user_factors, item_factors, user_bias=0.0, item_bias=0.0):
    """Its derivatives by the formula."""
    gap = np.nan_to_num(user_factors @ item_factors.T + np.reshape(user_bias, (-1, 1)) + item_bias - cells)
    share = 2 / np.isfinite(cells).sum() * gap
    return [share @ item_factors, share.T @ user_factors, share.sum(axis=1), share.sum(axis=0)]


@pytest.mark.parametrize("biases", [False, True])
def test_gradients_are_those_of_the_formula_and_of_differences(biases):
    sheet = FactorSheet(CELLS, 3, biases=biases, seed=1)
    before = numbers(sheet)
    assert sheet.step(0.1) == pytest.approx(error(CELLS, *before), rel=1e-5)
    for place, (tensor, expected) in enumerate(zip(sheet.parameters, gradients(CELLS, *before), strict=False)):
        assert np.allclose(tensor.grad.numpy(), expected, atol=1e-5)
        assert np.allclose(tensor.detach().numpy(), before[place] - 0.1 * expected, atol=1e-5)
        for index in np.ndindex(*tensor.shape):
            ends = []
            for nudge in (1e-5, -1e-5):
                moved = [array.copy() for array in before]
                moved[place][index] += nudge
                ends.append(error(CELLS, *moved))
            assert tensor.grad[index].item() == pytest.approx((ends[0] - ends[1]) / 2e-5, abs=1e-4)
    assert len(sheet.parameters) == (4 if biases else 2)


def test_gaps_are_no_part_of_the_error():
    sheet = FactorSheet(CELLS, 2)
    squares = sheet.squares().detach().numpy()
    assert np.array_equal(np.isnan(squares), np.isnan(CELLS))
    assert sheet.losses == [pytest.approx(np.nanmean(squares))]
    nobody = np.vstack([CELLS, [np.nan] * 3])
    sheet = FactorSheet(nobody, 2)
    before = sheet.user_factors[4].tolist()
    sheet.step(0.5)
    assert sheet.user_factors[4].tolist() == before  # who has rated nothing learns nothing


def test_it_learns_and_the_same_seed_gives_the_same():
    cells = example_ratings().busiest(15, 15).to_numpy()
    one, other, third = (FactorSheet(cells, 5, seed=seed) for seed in (7, 7, 8))
    for _ in range(50):
        one.step(0.3), other.step(0.3)
    assert one.losses == other.losses and len(one.losses) == 51
    assert one.losses[-1] < 0.1 * one.losses[0]
    assert not torch.equal(third.user_factors, FactorSheet(cells, 5, seed=7).user_factors)


def test_a_rate_that_is_too_high_is_told_and_the_best_numbers_are_back():
    sheet = FactorSheet(CELLS, 3)
    for _ in range(20):
        sheet.step(0.05)
    lowest = min(sheet.losses)
    with pytest.raises(Diverged, match="learning rate of 50 the error grows without end"):
        for _ in range(100):
            sheet.step(50)
    assert sheet.loss().item() == pytest.approx(lowest, rel=1e-5)
    assert np.isfinite(sheet.losses).all()
    sheet.step(0.05)
    assert sheet.losses[-1] < lowest


@pytest.mark.parametrize(
    "cells, options, why",
    [
        (np.full((2, 2), np.nan), {}, "no ratings among these"),
        (np.ones(3), {}, "no ratings among these"),
        (CELLS, {"factors": 0}, "number of factors"),
        (CELLS, {"seed": -1}, "seed"),
    ],
)
def test_bad_input_is_refused(cells, options, why):
    with pytest.raises(ValueError, match=why):
        FactorSheet(cells, **options)


def test_the_toy_by_hand():
    toy = DotProductToy()
    # (0.9, 0.8, -0.6) by (0.98, 0.9, -0.9) and by (-0.99, -0.3, 0.8), as the book has them
    assert toy.value.loc["The Last Skywalker"].tolist() == pytest.approx([0.882, 0.72, 0.54, 2.142])
    assert toy.value.loc["Casablanca"].tolist() == pytest.approx([-0.891, -0.24, -0.48, -1.611])
    toy._receive(toy, {"type": "set", "row": 0, "factor": 2, "number": 1}, [])
    assert toy.value.loc["Casablanca", "match"] == pytest.approx(-0.891 - 0.24 + 0.8)
    toy._receive(toy, {"type": "begin"}, [])
    assert toy.value["match"].tolist() == pytest.approx([2.142, -1.611])
    with pytest.raises(ValueError, match="from -1 to 1"):
        toy.set(0, 0, 1.5)


@pytest.mark.parametrize(
    "message",
    [
        None,
        {"type": "set"},
        {"type": "set", "row": 3, "factor": 0, "number": 0},
        {"type": "set", "row": -1, "factor": 0, "number": 0},
        {"type": "set", "row": 0, "factor": True, "number": 0},
        {"type": "set", "row": 0, "factor": 0, "number": float("nan")},
        {"type": "set", "row": 0, "factor": 0, "number": "1"},
    ],
)
def test_the_toy_takes_no_nonsense(message):
    toy = DotProductToy()
    toy._receive(toy, message, [])
    assert toy.user.tolist() == [0.9, 0.8, -0.6] and toy.value["match"].iloc[0] == pytest.approx(2.142)


def test_tensors_and_predictions_from_python():
    factors = LatentFactors(factors=4)
    assert factors.user_factors.shape == (15, 4) and factors.item_factors.grad is None and factors.user_bias is None
    first = factors.loss
    factors.step()
    assert factors.item_factors.grad.shape == (15, 4) and factors.loss < first
    by_hand = factors.user_factors.detach().numpy() @ factors.item_factors.detach().numpy().T
    assert np.allclose(factors.value.to_numpy(), by_hand, atol=1e-5)
    factors.begin(biases=True, factors=2, seed=3)
    assert factors.item_bias.shape == (15,) and factors.user_factors.shape == (15, 2)
    assert [line["name"] for line in factors.view._shown["left"]] == ["factor 1", "factor 2", "bias"]
    factors.close()


@pytest.mark.parametrize(
    "message",
    [
        None,
        {"type": "factors", "value": 11},
        {"type": "factors", "value": True},
        {"type": "rate", "value": float("nan")},
        {"type": "rate", "value": 2},
        {"type": "seed", "value": -1},
        {"type": "seed", "value": 1.5},
        {"type": "biases", "value": 1},
        {"type": "close"},
    ],
)
def test_a_page_can_ask_for_nothing_else(message):
    view = LatentFactors(factors=3).view
    before, sheet = view._shown, view.sheet
    view._receive(view, message, [])
    assert view._shown == before and view.sheet is sheet and view.learning_rate == 0.3


def test_a_run_that_diverges_stops_and_says_so():
    factors = LatentFactors()
    view = factors.view
    view._receive(view, {"type": "rate", "value": 1}, [])
    assert view.learning_rate == 10

    async def run():
        factors.run()
        while view.running:
            await asyncio.sleep(0.01)

    asyncio.run(run())
    assert "grows without end" in view._shown["note"] and not view._shown["running"]
    assert factors.loss < np.inf
    view._receive(view, {"type": "rate", "value": -1}, [])
    assert view._shown["note"] == ""


def test_a_run_is_paused_and_begun_anew():
    factors = LatentFactors()
    view = factors.view

    async def run():
        factors.run()
        while len(view.sheet.losses) < 4:
            await asyncio.sleep(0.01)
        view._receive(view, {"type": "pause"}, [])
        done = len(view.sheet.losses)
        await asyncio.sleep(0.3)
        assert len(view.sheet.losses) == done and not view._shown["running"]
        factors.run()
        view._receive(view, {"type": "factors", "value": 2}, [])

    asyncio.run(run())
    assert len(view.sheet.losses) == 1 and view.sheet.user_factors.shape == (15, 2) and not view.running


def test_pausing_and_running_at_once_does_not_run_twice():
    view = LatentFactors().view

    async def run():
        for _ in range(20):
            view._receive(view, {"type": "run"}, [])
            view._receive(view, {"type": "pause"}, [])
        view._receive(view, {"type": "run"}, [])
        await asyncio.sleep(0)
        view._receive(view, {"type": "pause"}, [])

    asyncio.run(run())
    assert len(view.sheet.losses) == 1 + factor_sheet_view.STEPS


def test_a_run_ends_where_the_error_hardly_falls_and_may_be_tried_on(monkeypatch):
    monkeypatch.setattr(factor_sheet_view, "PACE", 0)
    monkeypatch.setattr(factor_sheet_view, "STEPS", 10)
    factors = LatentFactors()
    view = factors.view
    view._receive(view, {"type": "rate", "value": 0.3}, [])

    async def run():
        view._receive(view, {"type": "run"}, [])
        assert view.running
        while view.running:
            await asyncio.sleep(0)

    asyncio.run(run())
    losses = view.sheet.losses
    ended = len(losses) - 1
    assert view._shown["note"] == f"Stopped after {ended} steps: the error hardly gets any lower."
    assert 0.99 * losses[-201] < losses[-1] < losses[-201] < 0.1 * losses[0] and not view._shown["running"]
    asyncio.run(run())
    assert len(losses) - 1 == ended + 200 and losses[-1] < losses[ended]


def test_steps_have_an_end(monkeypatch):
    monkeypatch.setattr(factor_sheet_view, "MOST_STEPS", 3)
    view = LatentFactors().view
    for _ in range(9):
        view._receive(view, {"type": "step"}, [])
    assert len(view.sheet.losses) == 4 and "Stopped after 3 steps" in view._shown["note"]
