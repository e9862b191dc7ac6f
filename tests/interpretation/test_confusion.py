"""Counts and scores, as scikit-learn and fastai count them."""

import numpy as np
import pandas as pd
import pytest
from fastai.interpret import ClassificationInterpretation
from ipyfastai.models import predictions, predictions_table
from ipyfastai.models.interpretation.confusion import (
    baseline_error,
    confusion,
    error_rate,
    mistakes,
    most_confused,
    scores,
    similar_order,
    top_losses,
)
from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support


def drawn(labels, rows, seed=0):
    """A table of random answers, two in three of them right; the last label never occurs, the first is never said."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, labels - 1, rows)
    answers = np.where(random.random(rows) < 0.67, truth, random.integers(1, labels, rows))
    answers = np.where(answers == 0, 1, answers)
    names = [f"label {number}" for number in range(labels)]
    return predictions_table([f"{row}.jpg" for row in range(rows)], truth, answers, labels=names), truth, answers


@pytest.mark.parametrize(("labels", "rows"), [(2, 5), (4, 60), (200, 5000)])
def test_counts_and_scores_are_scikit_learns(labels, rows):
    table, truth, answers = drawn(labels, rows)
    counts = confusion(table)
    assert (counts == confusion_matrix(truth, answers, labels=range(labels))).all()
    ours = scores(counts, list(table.label.cat.categories))
    precision, recall, f1, items = precision_recall_fscore_support(
        truth, answers, labels=range(labels), zero_division=np.nan
    )
    assert ours["items"].tolist() == items.tolist()
    assert ours.answers.tolist() == np.bincount(answers, minlength=labels).tolist()
    for name, theirs in {"precision": precision, "recall": recall, "f1": f1}.items():
        assert ours[name].to_numpy() == pytest.approx(theirs, nan_ok=True)
    assert error_rate(table) == pytest.approx(1 - accuracy_score(truth, answers))
    assert baseline_error(table, "label 1") == pytest.approx((truth != 1).mean())


def test_bears_as_fastai_interprets_them(bear_learner):
    """The whole of ClassificationInterpretation, on the same Learner."""
    table = predictions(bear_learner, splits=["valid"])
    with bear_learner.no_bar():
        theirs = ClassificationInterpretation.from_learner(bear_learner)
        counts = theirs.confusion_matrix()
        pairs = theirs.most_confused()
        losses, positions, items = theirs.top_losses(items=True)
    assert (confusion(table) == counts).all() and counts.sum() == len(bear_learner.dls.valid_ds)
    names = list(table.label.cat.categories)
    ours = [(names[row], names[column], count) for row, column, count in most_confused(confusion(table))]
    assert pairs and ours == pairs
    worst = top_losses(table)
    assert worst.loss.to_numpy() == pytest.approx(losses.numpy(), abs=1e-5)
    assert worst.item.tolist()[:10] == [str(item) for item in items[:10]]
    assert worst.index.tolist()[:10] == positions.tolist()[:10]


def test_mistakes_come_surest_first(colour_learner):
    table = predictions(colour_learner)
    table["label"] = pd.Categorical.from_codes((table.label.cat.codes + 1) % 3, table.label.cat.categories)
    wrong = mistakes(table)
    assert len(wrong) >= 20 and (wrong.label != wrong.predicted).all()
    assert wrong.confidence.tolist() == sorted(wrong.confidence, reverse=True)


def test_a_loss_that_is_not_known_comes_last():
    table = predictions_table(list("abcd"), [0, 0, 1, 1], [0, 1, 1, 1], loss=[np.nan, 1, np.inf, 2])
    assert top_losses(table).item.tolist() == ["c", "d", "b", "a"]


def test_of_nothing_there_is_no_error_rate():
    empty = predictions_table([], [], [], labels=["a", "b"])
    assert confusion(empty).tolist() == [[0, 0], [0, 0]]
    assert np.isnan([error_rate(empty), baseline_error(empty, "a")]).all() and most_confused(confusion(empty)) == []
    assert scores(confusion(empty), ["a", "b"])[["precision", "recall", "f1"]].isna().to_numpy().all()


def test_labels_that_are_confused_stand_together():
    random = np.random.default_rng(0)
    family = random.permutation(60) // 4
    family[family > 11] = 1000 + np.arange((family > 11).sum())  # that are confused with none
    counts = np.where(family[:, None] == family, 3, 0) + 20 * np.eye(60, dtype=int)
    order = similar_order(counts)
    assert sorted(order) == list(range(60))
    runs = 1 + (np.diff(family[order]) != 0).sum()
    assert runs == len(set(family)), "each family is one run"
    alone = order[family[order] >= 1000]
    assert alone.tolist() == sorted(alone) == order[-len(alone) :].tolist()


@pytest.mark.parametrize(
    "counts", [np.zeros((0, 0), int), np.array([[4]]), np.zeros((3, 3), int), 9 * np.eye(4, dtype=int)]
)
def test_where_nothing_is_confused_the_order_stays(counts):
    assert similar_order(counts).tolist() == list(range(len(counts)))
