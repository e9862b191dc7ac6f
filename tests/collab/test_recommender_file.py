"""A recommender's file: what is saved comes back, and nothing that is damaged or hostile does harm."""

import json
import pickle
import stat

import numpy as np
import pytest
from factorise import small_recommender
from ipyfastai.models.card import ModelCard
from ipyfastai.models.collab.histories import Histories
from ipyfastai.models.collab.recommender import SERVED, Recommender
from safetensors.numpy import load, save


@pytest.fixture
def whole():
    histories = Histories([0, 2, 2, 3], [0, 3, 2], [5, 1.5, 4])
    return small_recommender(histories=histories, card=ModelCard("Three people"), rating_range=(0, 5.5), noise=0.3)


@pytest.fixture
def data(whole, tmp_path):
    return whole.save(tmp_path / "small.safetensors").read_bytes()


def parts(data):
    """The arrays of a file, and the JSON in its header."""
    length = int.from_bytes(data[:8], "little")
    return load(data), json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["ipyfastai"])


def changed(data, **changes):
    """The file with other arrays or other values; None takes one away."""
    arrays, values = parts(data)
    for name, value in changes.items():
        where = arrays if name in arrays else values
        if value is None:
            del where[name]
        else:
            where[name] = value
    return save(arrays, {"ipyfastai": json.dumps(values)})


def test_all_of_it_comes_back(whole, data, tmp_path):
    for again in (Recommender.load(tmp_path / "small.safetensors"), Recommender.load(data)):
        for name in ("item_factors", "item_bias", "user_factors", "user_bias", "item_counts", "item_means"):
            assert (
                np.array_equal(getattr(again, name), getattr(whole, name)) and getattr(again, name).flags.c_contiguous
            )
        for name in (
            "titles",
            "genres",
            "item_ids",
            "user_ids",
            "offset",
            "rating_range",
            "scale",
            "step",
            "noise",
            "card",
        ):
            assert getattr(again, name) == getattr(whole, name)
        assert again.histories.by(0)[0].tolist() == [0, 3]
        mine = {"Alien (1979)": 5, "Solaris (1972)": 1}
        assert again.recommend(mine).equals(whole.recommend(mine))
    assert stat.S_IMODE((tmp_path / "small.safetensors").stat().st_mode) & 0o044  # a server's user can read it
    assert [path.name for path in tmp_path.iterdir()] == ["small.safetensors"]


def test_a_user_has_what_they_rated_behind_them(data):
    model = Recommender.load(data)
    assert model.recommend("ann")["title"].tolist() == ["Aliens (1986)", "Amélie (2001)"]
    assert model.explain("ann", "Aliens (1986)").titles == ["Alien (1979)", "Solaris (1972)"]


def test_any_damage_is_told_in_a_sentence(data):
    for end in [*range(0, len(data), 37), len(data) - 1]:
        with pytest.raises(ValueError, match=r"\.$"):
            Recommender.load(data[:end])
    random = np.random.default_rng(0)
    for _ in range(300):
        broken = bytearray(data)
        broken[random.integers(len(data))] ^= 1 << random.integers(8)
        try:
            Recommender.load(bytes(broken)).recommend({"Alien (1979)": 5})
        except ValueError as error:
            assert str(error).endswith(".")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", pickle.dumps([1]), b"\xff" * 100, b"\x00" * 100, b"{}"])
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / "other.safetensors"
    path.write_bytes(content)
    for source in (path, content):
        with pytest.raises(ValueError, match=r"\.$"):
            Recommender.load(source)
    with pytest.raises(FileNotFoundError):
        Recommender.load(tmp_path / "none.safetensors")


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"item_bias": None}, "no array 'item_bias'"),
        ({"item_bias": np.zeros(4, np.float64)}, "arrays of F64"),
        ({"item_bias": np.zeros(4, np.int32)}, "must be float32"),
        ({"item_bias": np.zeros((4, 1), np.float32)}, "dimensions"),
        ({"item_factors": np.full((4, 2), np.inf, np.float32)}, "finite"),
        ({"prior": np.zeros((3, 3), np.float32)}, "two rows"),
        ({"history_items": None}, "not complete"),
        ({"history_items": np.array([0, -3, 2], np.int32)}, "beyond"),
        ({"history_starts": np.array([0, 2**62, 2, 3], np.int64)}, "up to their number"),
        ({"kind": "classifier"}, "no recommender"),
        ({"format_version": 2}, "Upgrade"),
        ({"format_version": True}, "format version"),
        ({"titles": None}, "has no 'titles'"),
        ({"titles": [1, 2, 3, 4]}, "texts"),
        ({"titles": {"a": 1}}, "4 titles"),
        ({"item_ids": ["1"]}, "4 item ids"),
        ({"genres": [["a"] * 101, [], [], []]}, "at most 100"),
        ({"offset": "3"}, "offset"),
        ({"offset": float("nan")}, "offset"),
        ({"scale": [5]}, "two numbers"),
        ({"noise": float("inf")}, "noise"),
        ({"card": "x"}, "card"),
        ({"card": {"name": "x\u202e"}}, "printable"),
    ],
)
def test_what_a_stranger_may_have_written(data, changes, said):
    with pytest.raises(ValueError, match=said):
        Recommender.load(changed(data, **changes))


def test_json_that_is_none_or_too_deep(data):
    arrays, _ = parts(data)
    for text in ("{", "[" * 200_000, "[]", "null"):
        with pytest.raises(ValueError, match=r"\.$"):
            Recommender.load(save(arrays, {"ipyfastai": text}))
    with pytest.raises(ValueError, match="says nothing of items"):
        Recommender.load(save(arrays))


def test_the_one_that_ships_is_served_unless_another_is_named(data, tmp_path, monkeypatch):
    monkeypatch.delenv(SERVED, raising=False)
    shipped = Recommender.served()
    assert "generated" in shipped.card.summary and "movie_recommender --download" in shipped.card.summary
    assert shipped.n_items == 200 and shipped.histories is not None
    monkeypatch.setenv(SERVED, str(tmp_path / "small.safetensors"))
    assert Recommender.served().card.name == "Three people"
    with pytest.raises(ValueError, match="No shipped recommender 'x'; there is example_films"):
        Recommender.shipped("x")
