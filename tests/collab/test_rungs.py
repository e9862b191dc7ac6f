"""The ladder's models beside the same arithmetic in NumPy and fastai's own."""

import numpy as np
import pytest
import torch
from fastai.callback.schedule import combined_cos
from fastai.collab import EmbeddingDotBias
from fastai.layers import Embedding, sigmoid_range
from fastai.tabular.model import emb_sz_rule
from ipyfastai.models.collab import one_hot
from ipyfastai.models.collab.embedding_net import EmbeddingNet, embedding_size
from ipyfastai.models.collab.one_cycle import one_cycle
from ipyfastai.models.collab.rung import sigmoid_range as our_range
from ipyfastai.models.collab.rung import table
from ipyfastai.models.collab.rungs import RUNGS, build_rung
from ipyfastai.models.collab.settings import CollabSettings

USERS, ITEMS = 7, 11


def made(name, **options):
    """A rung whose numbers are large enough to tell apart."""
    rung = build_rung(CollabSettings(name, factors=4, **options), USERS, ITEMS)
    with torch.no_grad():
        for parameter in rung.tables().values():
            parameter.mul_(60)
    return rung


def arrays(rung):
    return {name: parameter.detach().numpy().astype(float) for name, parameter in rung.named_parameters()}


def by_hand(rung, user, item):
    """One rating, in NumPy's float64."""
    known = {name.removesuffix(".weight"): values for name, values in arrays(rung).items()}
    one, other = known["user_factors"][user], known["item_factors"][item]
    if "inner" in known:
        inner = np.maximum(known["inner"] @ np.concatenate([one, other]) + known["inner.bias"], 0)
        total = (known["outer"] @ inner + known["outer.bias"])[0]
    else:
        total = sum(a * b for a, b in zip(one, other, strict=True))
        total += known.get("user_bias", np.zeros(USERS))[user] + known.get("item_bias", np.zeros(ITEMS))[item]
    if rung.rating_range is None:
        return total
    low, high = rung.rating_range
    return low + (high - low) / (1 + np.exp(-total))


@pytest.mark.parametrize("name", RUNGS)
def test_a_rating_is_what_the_arithmetic_says_one_by_one_and_all_at_once(name):
    rung = made(name)
    users, items = np.divmod(np.arange(USERS * ITEMS), ITEMS)
    expected = np.array([by_hand(rung, *pair) for pair in zip(users, items, strict=True)])
    assert np.ptp(expected) > 0.1
    with torch.no_grad():
        found = rung(torch.tensor(users), torch.tensor(items))
        grid = rung.grid(torch.arange(USERS))
        rows = {n: t[torch.tensor(users if n.startswith("user") else items)] for n, t in rung.tables().items()}
        rated = rung.rate(**rows)
    assert found.shape == (USERS * ITEMS,) and found.numpy() == pytest.approx(expected, abs=1e-5)
    assert grid.numpy().ravel() == pytest.approx(expected, abs=1e-5) and torch.equal(rated, found)


def test_the_ladder_begins_without_embeddings_and_each_rung_adds_something():
    kinds = {name: {type(module).__name__ for module in made(name).modules()} for name in RUNGS}
    assert list(RUNGS) == ["dot_product", "embedding", "biases", "range", "weight_decay", "net"]
    assert kinds["dot_product"] == {"DotProduct"} and "Embedding" in kinds["embedding"] and "Linear" in kinds["net"]
    assert "user_bias" not in made("embedding").tables() and "user_bias" in made("biases").tables()
    assert made("biases").rating_range is None and made("range").rating_range == (0, 5.5)
    assert [CollabSettings(name).decay_rate for name in ("range", "weight_decay")] == [0, 0.1]


def test_an_embedding_begins_as_the_matrix_does():
    plain, embedded = made("dot_product"), made("embedding")
    assert all(torch.equal(plain.tables()[name], table) for name, table in embedded.tables().items())


def test_the_rung_with_all_is_fastais_model():
    ours = made("range")
    theirs = EmbeddingDotBias(4, USERS, ITEMS, y_range=(0, 5.5))
    with torch.no_grad():
        for name, layer in {"user_factors": theirs.u_weight, "item_factors": theirs.i_weight}.items():
            layer.weight.copy_(ours.tables()[name])
        for name, layer in {"user_bias": theirs.u_bias, "item_bias": theirs.i_bias}.items():
            layer.weight.copy_(ours.tables()[name][:, None])
    pairs = torch.cartesian_prod(torch.arange(USERS), torch.arange(ITEMS))
    assert torch.allclose(ours(pairs[:, 0], pairs[:, 1]), theirs(pairs), atol=1e-6)


def test_the_first_numbers_are_spread_as_fastais():
    torch.manual_seed(3)
    ours, theirs = table(2000, 50).detach(), Embedding(2000, 50).weight.detach()
    assert ours.abs().max() <= 0.02 and ours.mean().abs() < 1e-4
    assert ours.std() == pytest.approx(theirs.std().item(), rel=0.05)
    generators = [torch.Generator().manual_seed(seed) for seed in (1, 1, 2)]
    first, again, other = (table(5, 3, generator=generator) for generator in generators)
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_building_a_rung_leaves_the_random_generators_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    made("net")
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("rows", [2, 50, 610, 9724, 10_000_000])
def test_the_size_of_an_embedding_is_fastais(rows):
    assert embedding_size(rows) == emb_sz_rule(rows)


def test_the_net_takes_the_rules_sizes_or_ones_own():
    ruled, own = made("net"), made("net", embedding_sizes=(3, 6), hidden=8)
    sizes = [tuple(len(row) for row in (t[0] for t in rung.tables().values())) for rung in (ruled, own)]
    assert sizes == [(embedding_size(USERS), embedding_size(ITEMS)), (3, 6)]
    assert own.inner.weight.shape == (8, 9) and isinstance(own, EmbeddingNet)


@pytest.mark.parametrize("scale, ends", [((0.5, 5.0), (0.0, 5.5)), ((1.0, 10.0), (0.0, 11.0)), ((0.0, 9.0), (-1, 10))])
def test_a_range_reaches_beyond_the_scale(scale, ends):
    settings = CollabSettings("range")
    assert build_rung(settings, 3, 3, scale=scale).rating_range == pytest.approx(ends)
    fixed = CollabSettings("range", rating_range=(0, 7))
    assert build_rung(fixed, 3, 3, scale=scale).rating_range == (0, 7)


def test_the_sigmoid_range_is_fastais():
    values = torch.linspace(-20, 20, 41)
    assert torch.equal(our_range(values, (0, 5.5)), sigmoid_range(values, 0, 5.5))
    assert our_range(values, None) is values


def test_a_lookup_is_the_product_with_one_hot_rows():
    matrix = table(9, 4, generator=torch.Generator().manual_seed(1)).detach()
    codes = torch.tensor([8, 0, 3, 3], dtype=torch.int32)
    product = one_hot.one_hot_rows(matrix, codes)
    assert torch.equal(product, matrix[codes]) and torch.equal(product, torch.nn.functional.embedding(codes, matrix))
    assert product.tolist() == [matrix[code].tolist() for code in (8, 0, 3, 3)]


def test_both_ways_of_looking_up_are_timed():
    seconds = one_hot.lookup_times(rows=50, factors=4, batch=8, repeats=3)
    assert list(seconds) == ["one-hot product", "lookup"] and all(value > 0 for value in seconds.values())


def test_the_schedule_is_fastais_one_cycle():
    rate, momentum = combined_cos(0.25, 5e-3 / 25, 5e-3, 5e-3 / 1e5), combined_cos(0.25, 0.95, 0.85, 0.95)
    for place in np.arange(200) / 200:
        assert one_cycle(place, 5e-3) == pytest.approx((rate(place), momentum(place)), rel=1e-5)


def test_settings_survive_json_and_say_what_makes_no_sense():
    import json

    settings = CollabSettings("net", rating_range=(0, 6), embedding_sizes=(8, 12), early_stop=2, decay="l2")
    assert CollabSettings.from_dict(json.loads(json.dumps(settings.to_dict()))) == settings
    for values, words in [
        ({"rung": "ladder"}, "The rung is one of dot_product, "),
        ({"factors": 0}, "number of factors is a whole number from 1"),
        ({"batch_size": 6.4}, "batch size is a whole number"),
        ({"learning_rate": float("nan")}, "learning rate is a number"),
        ({"weight_decay": -1}, "weight decay is a number"),
        ({"decay": "L1"}, "one of adamw, l2"),
        ({"early_stop": 0}, "epochs to wait"),
        ({"rating_range": (5, 1)}, "from the lower to the higher"),
        ({"rating_range": (0, float("inf"))}, "Each end of the range"),
        ({"embedding_sizes": (3,)}, "are two numbers"),
        ({"embedding_sizes": (3, 0)}, "size of an embedding"),
        ({"seed": True}, "seed is a whole number"),
        ({"momentum": 1}, "No such setting: momentum"),
    ]:
        with pytest.raises(ValueError, match=words):
            CollabSettings.from_dict(values)
