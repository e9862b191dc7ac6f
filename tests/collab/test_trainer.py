"""The fast trainer learns what fastai's optimizer does with the same numbers in the same order."""

import threading

import numpy as np
import pytest
import torch
from drawings import DATA
from fastai.callback.schedule import combined_cos
from fastai.optimizer import Adam
from ipyfastai.models import CollabSettings, Ratings, example_ratings, movielens
from ipyfastai.models.collab.device import threads_for
from ipyfastai.models.collab.rungs import RUNGS, build_rung
from ipyfastai.models.collab.splits import random_split
from ipyfastai.models.collab.trainer import CHUNK, Trainer, errors


@pytest.fixture(scope="module")
def few():
    """300 ratings of 20 films by 15 people."""
    rng = np.random.default_rng(4)
    pairs = rng.integers(0, [15, 20], (300, 2))
    values = rng.integers(1, 11, 300) / 2
    names = {"user_ids": [f"u{n}" for n in range(15)], "item_ids": [f"i{n}" for n in range(20)]}
    return Ratings(pairs[:, 0], pairs[:, 1], values, **names)


def trainer(ratings, device="cpu", **options):
    settings = CollabSettings(**{"factors": 5, "epochs": 2, "batch_size": 64, **options})
    return Trainer(build_rung(settings, ratings.n_users, ratings.n_items), ratings, settings, device=device)


def trained(one, epochs=None):
    for number in range(one.settings.epochs if epochs is None else epochs):
        for _ in one.epoch(number):
            pass
    return one


def numbers(rung):
    return {name: parameter.detach().clone().cpu() for name, parameter in rung.named_parameters()}


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def as_fastai(ratings, ours):
    """The same training in dense tables by autograd and fastai's Adam: (the rung, the loss of each batch)."""
    settings = ours.settings
    rung = build_rung(settings, ratings.n_users, ratings.n_items)
    spared = {name for name, _ in rung.named_parameters() if name in ("inner.bias", "outer.bias")}
    opt = Adam(list(rung.parameters()), lr=0, wd=settings.decay_rate, decouple_wd=settings.decay == "adamw")
    for name, parameter in rung.named_parameters():
        if name in spared:
            opt.state[parameter]["do_wd"] = False
    top = settings.learning_rate
    rate, momentum = combined_cos(0.25, top / 25, top, top / 1e5), combined_cos(0.25, 0.95, 0.85, 0.95)
    columns = [torch.tensor(column) for column in (ratings.users, ratings.items, ratings.values)]
    batches = -(-len(ratings) // settings.batch_size)
    losses = []
    for epoch in range(settings.epochs):
        parts = zip(*(column[ours.order(epoch)].split(settings.batch_size) for column in columns), strict=True)
        for users, items, values in parts:
            place = len(losses) / (batches * settings.epochs)
            opt.set_hypers(lr=rate(place), mom=momentum(place))
            loss = torch.nn.functional.mse_loss(rung(users, items), values)
            loss.backward()
            opt.step()
            opt.zero_grad()
            losses.append(loss.item())
    return rung, losses


@pytest.mark.parametrize("decay", ["adamw", "l2"])
@pytest.mark.parametrize("name", RUNGS)
def test_it_learns_what_fastais_adam_learns(few, name, decay):
    ours = trained(trainer(few, rung=name, decay=decay, learning_rate=0.05, weight_decay=0.1, seed=3))
    theirs, losses = as_fastai(few, ours)
    assert ours.losses() == pytest.approx(losses, rel=1e-4)
    moved = build_rung(ours.settings, few.n_users, few.n_items)
    for name, expected in numbers(theirs).items():
        found = numbers(ours.rung)[name]
        assert torch.allclose(found, expected, atol=1e-4) and not torch.allclose(found, numbers(moved)[name], atol=1e-3)


def test_rows_that_no_batch_looks_up_move_on_as_in_dense_tables():
    rng = np.random.default_rng(5)
    ids = {"user_ids": np.arange(300).astype(str), "item_ids": np.arange(2000).astype(str)}
    seldom = Ratings(rng.integers(0, 300, 1300), rng.integers(0, 2000, 1300), rng.integers(1, 11, 1300) / 2, **ids)
    ours = trained(trainer(seldom, epochs=3, learning_rate=0.05))
    theirs, losses = as_fastai(seldom, ours)
    assert ours.losses() == pytest.approx(losses, rel=1e-4)
    expected = numbers(theirs)
    assert all(torch.allclose(found, expected[name], atol=1e-4) for name, found in numbers(ours.rung).items())


def test_decay_as_in_adamw_and_as_l2_are_two_things(few):
    plain, adamw, l2 = (
        numbers(trained(trainer(few, learning_rate=0.05, **options)).rung)["item_factors"].square().sum()
        for options in ({"weight_decay": 0}, {"decay": "adamw", "weight_decay": 1}, {"decay": "l2", "weight_decay": 1})
    )
    assert adamw < 0.9 * plain and l2 < 0.9 * plain and abs(adamw - l2) > 0.1 * min(adamw, l2)


def test_embeddings_learn_what_matrices_learn(few):
    plain, embedded = (trained(trainer(few, rung=name)) for name in ("dot_product", "embedding"))
    assert all(torch.equal(plain.rung.tables()[name], table) for name, table in embedded.rung.tables().items())


def test_an_epoch_takes_each_rating_once_in_an_order_of_its_own(few):
    one = trainer(few)
    orders = [one.order(number) for number in (0, 0, 1)]
    assert torch.equal(orders[0], orders[1]) and not torch.equal(orders[0], orders[2])
    assert all(sorted(order.tolist()) == list(range(len(few))) for order in orders)
    assert not torch.equal(orders[0], trainer(few, seed=1).order(0))
    assert list(one.epoch(0)) == [1, 2, 3, 4, 5] and one.batches == one.iteration == 5  # 4 of 64 and one of 44
    assert len(one.losses()) == 5 and one.losses() == []


def test_the_seed_decides_all_of_it(few):
    first, again, other = (numbers(trained(trainer(few, seed=seed)).rung) for seed in (1, 1, 2))
    assert same(first, again) and not same(first, other)


@pytest.mark.parametrize("name", ["biases", "net"])
def test_it_goes_on_from_its_state_as_if_nothing_had_been(few, name):
    straight = trained(trainer(few, rung=name, epochs=3, weight_decay=0.1))
    first = trained(trainer(few, rung=name, epochs=3, weight_decay=0.1), epochs=2)
    state, at = first.state(), first.iteration
    trained(first, epochs=1)  # a state is a copy
    again = trainer(few, rung=name, epochs=3, weight_decay=0.1)
    again.restore(state, iteration=at)
    list(again.epoch(2))
    assert same(numbers(again.rung), numbers(straight.rung)) and again.losses() == straight.losses()[-5:]
    with pytest.raises(ValueError, match="another model"):
        trainer(few, rung="embedding").restore(state, iteration=at)


def test_errors_are_those_of_all_ratings(few):
    rung, many = trainer(few, rung="range").rung, few.take(np.arange(CHUNK + 500) % len(few))
    with torch.no_grad():
        wrong = rung(torch.tensor(many.users), torch.tensor(many.items)).double().numpy() - many.values
    expected = {"mse": np.mean(wrong**2), "rmse": np.mean(wrong**2) ** 0.5, "mae": np.mean(np.abs(wrong))}
    assert errors(rung, many) == pytest.approx(expected, rel=1e-6)
    assert np.isnan(list(errors(rung, few.take(np.zeros(300, bool))).values())).all()
    with pytest.raises(ValueError, match="no ratings to train on"):
        trainer(few.take(np.zeros(300, bool)))


def test_what_generated_the_ratings_is_found():
    ratings = example_ratings()
    split = random_split(ratings)
    one = trained(trainer(split.train, factors=8, epochs=6, batch_size=256, learning_rate=2e-2))
    found = numbers(one.rung)["item_factors"].numpy()
    found = np.column_stack([found, np.ones(len(found))])
    seen = split.train.item_counts >= 40
    for factor in np.asarray(ratings.item_factors).T[:1]:
        fit, *_ = np.linalg.lstsq(found[seen], factor[seen], rcond=None)
        assert np.corrcoef(found[seen] @ fit, factor[seen])[0, 1] > 0.8


def test_the_ladder_climbs_on_movielens():
    folder = DATA / "movielens" / "ml-latest-small"
    if not folder.is_dir():
        pytest.skip("no MovieLens")
    split = random_split(movielens(folder))
    reached = {}
    for name in ("dot_product", "biases", "range", "weight_decay"):
        options = {"rung": name, "factors": 50, "epochs": 4, "batch_size": 2048, "learning_rate": 2e-2}
        one = trainer(split.train, **options)
        with threads_for(1):
            trained(one)
        reached[name] = errors(one.rung, split.valid)["mse"]
    assert reached["biases"] < reached["dot_product"] and reached["weight_decay"] < reached["range"]
    assert reached["weight_decay"] < 0.76, reached  # the means of users and items give 0.779


def test_one_thread_computes_what_is_small_and_others_come_back_to_theirs():
    before = torch.get_num_threads()
    inside, leave, seen = threading.Event(), threading.Event(), []

    def beside():
        inside.wait(60)
        with threads_for(10):
            seen.append(torch.get_num_threads())
            leave.set()
        seen.append(torch.get_num_threads())

    thread = threading.Thread(target=beside)
    thread.start()
    with threads_for(10):
        assert torch.get_num_threads() == 1
        inside.set()
        assert leave.wait(60)
    thread.join(60)
    assert seen == [1, before] and torch.get_num_threads() == before
    with threads_for(10**9):
        assert torch.get_num_threads() == before


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_a_gpu_trains_25_million_ratings_by_the_batch():
    rng = np.random.default_rng(0)
    n, users, items = 25_000_000, 162_000, 62_000
    ids = {"user_ids": np.arange(users).astype(str), "item_ids": np.arange(items).astype(str)}
    ratings = Ratings(rng.integers(0, users, n), rng.integers(0, items, n), rng.integers(1, 11, n) / 2, **ids)
    one = trainer(ratings, "cuda", factors=50, epochs=1, batch_size=1 << 16, learning_rate=2e-2)
    trained(one)
    losses = one.losses()
    assert len(losses) == -(-n // (1 << 16)) and np.isfinite(losses).all() and losses[-1] < 0.5 * losses[0]
    assert one.rung.user_factors.device.type == "cuda"
