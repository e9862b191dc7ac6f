import pandas as pd
import pytest
from fastai.metrics import F1Score, accuracy, rmse
from ipyfastai.models.training.advice import advice
from ipyfastai.models.training.metrics import baseline, best_epoch, in_words, lower_is_better
from learners import untrained
from sklearn.metrics import f1_score


def history(train, valid, **metrics):
    count = len(train)
    columns = {"epoch": range(1, count + 1), "frozen": [False] * count, "train_loss": train, "valid_loss": valid}
    return pd.DataFrame({**columns, **metrics, "seconds": [1.0] * count})


def test_a_healthy_run_needs_no_advice():
    assert advice(history([0.9, 0.6, 0.5], [0.8, 0.6, 0.58], accuracy=[0.6, 0.7, 0.75]), {"accuracy": 0.4}) == []
    assert advice(history([], []), {"accuracy": 0.4}) == []


def test_a_loss_that_rises_while_the_metric_improves_is_explained():
    table = history([0.9, 0.6, 0.4, 0.3], [0.5, 0.4, 0.45, 0.5], error_rate=[0.3, 0.2, 0.15, 0.12])
    (sentence,) = advice(table, {"error_rate": 0.6})
    assert "rises since epoch 2 (0.400 → 0.500) while error rate still improves (best: 0.120 at epoch 4)" in sentence


def test_overfitting_is_told_from_it():
    table = history([0.9, 0.6, 0.4, 0.3], [0.5, 0.4, 0.45, 0.5], error_rate=[0.3, 0.2, 0.22, 0.25])
    (sentence,) = advice(table)
    assert "rises since epoch 2" in sentence and "by heart (overfitting)" in sentence


def test_without_a_metric_a_rising_loss_is_overfitting():
    assert "overfitting" in advice(history([0.9, 0.5, 0.3], [0.5, 0.4, 0.6]))[0]


@pytest.mark.parametrize("name, values", [("error_rate", [0.66, 0.7]), ("accuracy", [0.34, 0.2])])
def test_a_metric_that_never_beats_the_baseline(name, values):
    base = {"error_rate": 0.66, "accuracy": 0.34}[name]
    (sentence,) = advice(history([1.1, 1.1], [1.1, 1.1], **{name: values}), {name: base})
    assert sentence.startswith(f"{in_words(name)} never got better than {base:.3f}")


def test_the_first_of_several_epochs_says_nothing_yet():
    table = history([1.1], [1.1], accuracy=[0.3])
    assert advice(table, {"accuracy": 0.34}, epochs=3) == []
    assert len(advice(table, {"accuracy": 0.34}, epochs=1)) == 1


def test_a_training_loss_that_goes_up_means_too_high_a_rate():
    sentence = advice(history([0.5, 0.4, 2.0], [0.5, 0.4, 2.5], accuracy=[0.6, 0.7, 0.3]), {"accuracy": 0.4})[0]
    assert "the learning rate is too high" in sentence


def test_a_run_that_ends_at_its_best_may_go_on():
    (sentence,) = advice(history([0.9, 0.7, 0.5], [0.9, 0.7, 0.5], accuracy=[0.5, 0.6, 0.7]), {"accuracy": 0.4})
    assert "more epochs are likely to help" in sentence


def test_the_best_epoch_goes_by_the_metric_then_by_the_loss():
    assert best_epoch(history([1, 1, 1], [0.5, 0.4, 0.6], accuracy=[0.7, 0.8, 0.9])) == 3
    assert best_epoch(history([1, 1, 1], [0.5, 0.4, 0.6], error_rate=[0.2, 0.1, 0.1])) == 2
    assert best_epoch(history([1, 1, 1], [0.5, 0.4, 0.6])) == 2
    assert best_epoch(history([], [])) is None
    assert best_epoch(history([1.0], [None], accuracy=[None])) is None


@pytest.mark.parametrize(
    "name, lower", [("error_rate", True), ("rmse", True), ("accuracy", False), ("f1_score", False)]
)
def test_which_way_is_better(name, lower):
    assert lower_is_better(name) is lower


def test_the_baseline_of_metrics_that_gather_all_predictions(colours):
    learn = untrained(colours)
    learn.metrics = [accuracy, F1Score(average="macro"), rmse]
    labels = [[str(item.parent.name) for item in loader.items] for loader in learn.dls.loaders]
    answer = max(learn.dls.vocab, key=labels[0].count)
    expected = f1_score(labels[1], [answer] * len(labels[1]), average="macro", zero_division=0)
    found = baseline(learn)
    assert found["f1_score"] == pytest.approx(expected)
    assert "_rmse" not in found and "rmse" not in found  # makes no sense of labels
    learn.dls.loaders[1].dataset.tls = None
    assert baseline(learn) == {}
