"""Which pictures to learn from: at random, by column, folder or group, and what a split hides."""

import pytest
from ipyfastai.models.data.split import grouped_split


def test_groups_stay_on_one_side():
    labels, groups = ["a"] * 50 + ["b"] * 50, [index // 5 for index in range(100)]
    valid = set(grouped_split(labels, groups, seed=3))
    assert len(valid) == 20
    assert all(len(valid & set(range(start, start + 5))) in (0, 5) for start in range(0, 100, 5))


def test_every_label_keeps_something_to_learn_from():
    assert len(grouped_split(["a"] * 4 + ["b"] * 10, [0, 0, 0, 1, *range(2, 12)], valid_pct=0.9)) < 4 + 9
    for seed in range(20):
        training = set(range(5)) - set(
            grouped_split(["a", "a", "b", "b", "b"], [0, 1, 2, 2, 3], seed=seed, valid_pct=1)
        )
        assert {"aabbb"[index] for index in training} == {"a", "b"}


@pytest.mark.parametrize(
    ("labels", "groups", "says"),
    [
        ("aab", [0, 1, 2], "Label 'b' needs at least two different photos.* it has 1 "),
        ("aabb", [0, 1, 2, 2], "Label 'b' .* it has 1 "),
        ("aabb", [0, 1, 1, 1], "Label 'b' .* it has 0 "),
    ],
    ids=["one photo", "copies of one", "copies of another label's"],
)
def test_a_label_with_one_photo_is_named(labels, groups, says):
    with pytest.raises(ValueError, match=says):
        grouped_split(list(labels), groups)
