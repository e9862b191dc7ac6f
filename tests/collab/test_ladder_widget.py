"""Where ratings come from, the ladder, and what comes of it: without a page."""

import asyncio
import errno
import os
import shutil
import subprocess
import sys
import threading
import time
from functools import partial

import numpy as np
import pytest
import torch
from ipyfastai.models import Ratings, Recommender, TrainedRung, evaluate, example_ratings
from ipyfastai.models.collab import run as run_module
from ipyfastai.models.collab.checkpoint import RatingsCheckpoint
from ipyfastai.models.collab.folders import ratings_folders
from ipyfastai.models.collab.rungs import RUNGS
from ipyfastai.models.collab.trainer import Trainer
from ipyfastai.widgets import BiasRanking, CollabTraining, FileDownload, RungLadder
from ipyfastai.widgets.collab import collab_training, ladder_form
from ipyfastai.widgets.collab.ladder_form import LadderForm
from ipyfastai.widgets.collab.ratings_source import RatingsSource, _read
from ipyfastai.widgets.uploads import Upload

PATIENCE = 120  # seconds, on a crowded machine
QUICK = {"epochs": 2, "batch_size": 1024, "learning_rate": 0.02, "factors": 4}
CSV = "user,item,rating\n" + "".join(f"u{n % 4},i{n % 5},{1 + n % 5}\n" for n in range(20))


async def until(holds):
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "it did not come true"
        await asyncio.sleep(0.02)


def place(*rungs):
    return tuple(list(RUNGS).index(rung) for rung in rungs)


def quick(ladder, *rungs, **values):
    for name, value in {**QUICK, "rungs": place(*rungs), **values}.items():
        ladder.form[name] = value
    return ladder


def press(form, name):
    """As a page does."""
    form._handle_custom_msg({"type": "press", "name": name}, [])


def climbed(ladder, training=None):
    async def climb():
        assert ladder.start()
        await until(lambda: not ladder.active and (training is None or training.result.content is not None))

    asyncio.run(climb())
    return ladder


def say_that_the_second_epoch_is_worse(monkeypatch):
    errors = iter([0.8, 0.9])
    monkeypatch.setattr(run_module, "errors", lambda *_: dict.fromkeys(("mse", "rmse", "mae"), next(errors)))


@pytest.fixture(scope="module")
def ratings():
    return example_ratings()


@pytest.fixture(scope="module")
def training(ratings, tmp_path_factory):
    """A whole training of three rungs."""
    training = CollabTraining(ratings, folder=tmp_path_factory.mktemp("runs"))
    climbed(quick(training.ladder, "dot_product", "weight_decay", "net"), training)
    yield training
    training.close()


def test_rungs_beside_the_baselines(training):
    ladder = training.ladder
    titles = ["Dot product", "+ weight decay", "Neural network"]
    assert list(ladder.runs) == titles
    assert list(ladder.value.index) == [*titles, "global mean", "user + item means", "most popular"]
    assert list(ladder.value) == ["mse", "rmse", "mae", "precision@10", "recall@10", "ndcg@10"]
    for title, run in ladder.runs.items():
        assert run.state == "finished" and len(run.history) == 2
        assert ladder.value.loc[title, "mse"] == pytest.approx(run.history["mse"].min(), rel=1e-5)
        assert run.split is ladder.runs[titles[0]].split
    again = evaluate(ladder.runs["+ weight decay"].predictor, ladder.runs["+ weight decay"].split, baselines=False)
    assert again.loc["model"].tolist() == pytest.approx(ladder.value.loc["+ weight decay"].tolist(), rel=1e-4)
    assert ladder.runs["+ weight decay"].settings.decay_rate == 0.1 and ladder.runs[titles[0]].settings.decay_rate == 0
    shown = ladder.figures._table
    assert [row["name"] for row in shown["rows"]] == list(ladder.value.index)
    assert shown["protocol"].startswith("Random split: 3,000 of 15,000 ratings") and "Ranking:" in shown["protocol"]
    bold = [
        (row["name"], column)
        for row in shown["rows"]
        for column, best in zip(ladder.value, row["best"], strict=True)
        if best
    ]
    assert (ladder.value["mse"].idxmin(), "mse") in bold and (ladder.value["ndcg@10"].idxmax(), "ndcg@10") in bold
    assert shown["rows"][3]["figures"][3:] == [None] * 3  # one mean ranks nothing
    lines = ladder.figures._curves["lines"]
    assert [line["name"] for line in lines] == titles
    assert lines[1]["validation"] == [[1, 2], ladder.runs["+ weight decay"].history["mse"].tolist()]
    assert training.value is ladder.value


def test_the_best_is_looked_at_and_every_rung_says_what_it_has(training):
    result, ladder = training.result, training.ladder
    assert list(ladder.runs)[result.form["rung"]] == ladder.best
    assert training.table.predictions is not None

    def look(rung, what):
        result.form["rung"], result.form["what"] = list(ladder.runs).index(rung), what
        result._show()
        return result.content, result.job._shown.get("text", "")

    explorer, _ = look("+ weight decay", 0)
    assert type(explorer).__name__ == "EmbeddingExplorer" and len(explorer.embedding) > 100
    ranking, said = look("+ weight decay", 1)
    assert isinstance(ranking, BiasRanking) and not said
    assert ranking.value["bias"].is_monotonic_decreasing
    assert look("Dot product", 1) == (None, "It has no biases. The rungs above it do.")
    content, said = look("Neural network", 1)
    assert content is None and "no sum of factors and biases" in said


def test_the_model_to_keep_can_be_read_again(training, ratings):
    result = training.result
    result.form["rung"], result.form["what"] = 1, 2
    result._show()
    assert isinstance(result.content, FileDownload) and result.content._offered["name"] == "films.safetensors"
    kept = Recommender.load(result.content._path)
    run = training.ladder.runs["+ weight decay"]
    assert kept.n_users == 0 and list(kept.titles) == list(ratings.titles)
    assert np.allclose(kept.item_factors, run.rung.item_factors.detach().cpu().numpy())


def test_the_network_to_keep_rates_the_same_again(training):
    result, run = training.result, training.ladder.runs["Neural network"]
    result.form["rung"], result.form["what"] = 2, 2
    result._show()
    assert result.content._offered["name"] == "network.safetensors" and "TrainedRung.load" in result.job._shown["text"]
    kept, valid = TrainedRung.load(result.content._path), run.split.valid
    users, items = valid.user_ids[valid.users], valid.titles[valid.items]
    assert np.array_equal(kept.predict(users, items), run.predictor.predict(valid.users, valid.items))


def test_what_is_chosen_is_made_in_the_background_and_the_last_choice_is_shown(training, monkeypatch):
    result, threads, recommender = training.result, [], run_module.CollabRun.recommender

    def noted(run):
        threads.append(threading.current_thread())
        return recommender(run)

    monkeypatch.setattr(run_module.CollabRun, "recommender", noted)

    async def choose():
        for what in (2, 0, 1):
            result.form["rung"], result.form["what"] = 1, what
            result._show()
        await until(lambda: isinstance(result.content, BiasRanking))

    asyncio.run(choose())
    assert threads and threading.main_thread() not in threads and not result.job.busy
    old = result.content
    result.form["what"] = 2
    result._show()
    assert old.comm is None and old.layout.comm is None and result.children == (result.form, result.job, result.content)


def test_other_ratings_begin_anew_while_there_is_nothing_to_lose(ratings):
    training = CollabTraining()
    training.source.set_trait("value", ratings)
    ladder, table = training.ladder, training.table
    training.source.set_trait("value", ratings.take(np.arange(5000)))
    assert training.ladder is not ladder and len(training.ladder.ratings) == 5000
    assert ladder.comm is None and table.comm is None and training.offer not in training.children
    assert ladder.layout.comm is None and table.layout.comm is None
    training.close()


def test_other_ratings_wait_until_what_was_trained_is_given_up(ratings):
    training = CollabTraining()
    training.source.set_trait("value", ratings)
    ladder = quick(training.ladder, "biases", epochs=1000)
    others, more = ratings.take(np.arange(5000)), ratings.take(np.arange(6000))
    result = []

    async def climb():
        ladder.start()
        await until(lambda: ladder.run is not None and len(ladder.run.history) > 0)
        training.source.set_trait("value", others)
        assert training.ladder is ladder and ladder.run.state == "running"
        place = training.children.index(training.source)
        assert training.children[place + 1 : place + 3] == (training.warning, training.offer)
        assert "gives up its rungs" in training.warning._shown["sentences"][0][1]
        ladder.stop()
        await until(lambda: not ladder.active and training.result.content is not None)
        result.append(training.result)

    asyncio.run(climb())
    assert list(ladder.runs) == ["+ biases"] and training.value is ladder.value is not None
    training.source.set_trait("value", more)  # and after it
    assert training.ladder is ladder and training.result is result[0] and training.offer in training.children
    press(training.offer, "use")
    assert training.ladder.ratings is more and training.value is None and training.result is None
    assert ladder.comm is None and result[0].comm is None and not ladder._folder.exists()
    assert training.offer not in training.children and training.warning not in training.children
    press(training.offer, "use")  # as a page that is slow may once more
    assert training.ladder.ratings is more
    training.close()


def test_a_stop_measures_what_there_is(ratings):
    ladder = quick(RungLadder(ratings), "dot_product", "biases", epochs=1000)

    async def climb():
        assert ladder.start() and not ladder.start()
        await until(lambda: ladder.run is not None and len(ladder.run.history) > 0)
        assert ladder.form._fields["fields"][0]["disabled"]
        ladder._act("pause", None)
        await until(lambda: ladder.run.state == "paused")
        ladder._act("resume", None)
        ladder._act("stop", None)
        await until(lambda: not ladder.active)

    asyncio.run(climb())
    assert list(ladder.runs) == ["Dot product"] and ladder.value.index[0] == "Dot product"
    run = ladder.runs["Dot product"]
    assert run.state == "stopped" and ladder.value["mse"].iloc[0] == pytest.approx(run.history["mse"].min(), rel=1e-5)
    assert not ladder.form._fields["fields"][0]["disabled"]
    folder = ladder._folder
    assert folder.is_dir()
    ladder.close()
    assert not folder.exists()


def fails(monkeypatch, error, within=None):
    """The rung with biases fails in its second epoch."""
    step = Trainer._step

    def stepped(trainer, *arguments):
        if trainer.settings.rung == "biases" and trainer.iteration > trainer.batches:
            if within is not None:
                within()
            raise error
        return step(trainer, *arguments)

    monkeypatch.setattr(Trainer, "_step", stepped)


def test_a_rung_that_memory_does_not_suffice_for_offers_another_try(ratings, monkeypatch):
    fails(monkeypatch, torch.OutOfMemoryError("CUDA out of memory"))
    ladder = climbed(quick(RungLadder(ratings), "dot_product", "biases"))
    assert ladder.run.problem["kind"] == "out_of_memory" and len(ladder.run.history) == 1
    assert ladder.value is not None and not ladder.form._fields["fields"][0]["disabled"]
    monkeypatch.undo()
    ladder.form["batch_size"] = 4096

    async def again():
        ladder._act("try", None)
        await until(lambda: not ladder.active)

    asyncio.run(again())
    assert list(ladder.runs) == ["Dot product", "+ biases"] and ladder.form["batch_size"] == 512
    assert all(len(run.history) == 2 for run in ladder.runs.values())
    ladder.close()


def test_a_rung_whose_best_epoch_is_not_there_any_more_is_measured_as_it_is(ratings, monkeypatch):
    ladder = quick(RungLadder(ratings), "dot_product", "biases")
    fails(monkeypatch, RuntimeError("broken"), within=lambda: ladder.run._keeper.folder.best.unlink())
    climbed(ladder)
    assert ladder.run.state == "failed" and len(ladder.run.history) == 1
    assert list(ladder.runs) == ["Dot product", "+ biases"] == list(ladder.value.index[:2])
    assert ladder.figures._curves["said"].endswith("it is measured as it was when its training ended.")
    assert ladder.figures._table["rows"][1]["told"].startswith("within epoch 2 of 2, ")
    assert not ladder.form._fields["fields"][0]["disabled"]
    ladder.close()


def test_closing_ends_the_training(ratings):
    ladder = quick(RungLadder(ratings), "biases", epochs=1000)

    async def climb():
        ladder.start()
        await until(lambda: ladder.run is not None and len(ladder.run.history) > 0)
        ladder.close()
        await until(lambda: not ladder._busy)

    asyncio.run(climb())
    assert ladder.run.state == "stopped" and not ladder._folder.exists() and ladder.value is None


def test_a_second_climb_leaves_nothing_of_the_first_on_disk(ratings):
    ladder = quick(RungLadder(ratings), "dot_product", epochs=1)
    first = climbed(ladder).run
    second = climbed(ladder).run
    assert second is not first and len(list(ladder._folder.iterdir())) == 1
    assert ladder.best == "Dot product" and second.state == "finished"
    ladder.close()
    assert not ladder._folder.exists()


def test_a_training_that_diverges_is_measured_before_that_and_offers_another_rate(ratings, monkeypatch):
    step = Trainer._step

    def stepped(trainer, *arguments):
        if trainer.settings.rung == "biases" and trainer.iteration == trainer.batches + 2:
            with torch.no_grad():
                trainer.rung.item_bias.fill_(float("nan"))
        return step(trainer, *arguments)

    monkeypatch.setattr(Trainer, "_step", stepped)
    ladder = climbed(quick(RungLadder(ratings), "dot_product", "biases", "net"))
    assert ladder.run.problem["kind"] == "diverged" and ladder.view._shown["problem"] == ladder.run.problem
    assert list(ladder.runs) == ["Dot product", "+ biases"] and ladder.run.at_epoch == 1
    assert ladder.value.loc["+ biases", "mse"] == pytest.approx(ladder.run.history["mse"][0], rel=1e-5)
    monkeypatch.undo()

    async def again():
        ladder._act("try", None)
        await until(lambda: not ladder.active)

    asyncio.run(again())
    assert ladder.form["learning_rate"] == 0.002 and len(ladder.runs) == 3
    assert {run.settings.learning_rate for run in ladder.runs.values()} == {0.002}
    ladder.close()


def test_each_rung_goes_back_to_its_best_epoch(ratings, monkeypatch):
    say_that_the_second_epoch_is_worse(monkeypatch)
    ladder = climbed(quick(RungLadder(ratings), "biases"))
    assert ladder.run.at_epoch == 1 == ladder.view._shown["taken"] and ladder.figures._curves["said"] == ""
    assert ladder.figures._table["rows"][0]["told"].startswith("epoch 1 of 2, ")
    ladder.close()


def test_a_rung_whose_best_epoch_a_full_disk_took_is_measured_as_it_is_and_that_is_said(ratings, monkeypatch):
    def full(checkpoint, path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(RatingsCheckpoint, "save", full)
    say_that_the_second_epoch_is_worse(monkeypatch)
    ladder = climbed(quick(RungLadder(ratings), "biases"))
    assert ladder.run.problem["kind"] == "disk_full" and list(ladder.runs) == ["+ biases"]
    assert ladder.value.index[0] == "+ biases" and not ladder.form._fields["fields"][0]["disabled"]
    assert ladder.figures._curves["said"] == (
        "+ biases: its best epoch, 1, could not be kept, and it is measured as it was at the end of epoch 2."
    )
    assert ladder.figures._table["rows"][0]["told"].startswith("epoch 2 of 2, ")
    ladder.close()


def test_a_rung_that_cannot_even_begin_locks_nothing(ratings, monkeypatch, caplog):
    start = run_module.CollabRun.start

    def started(one):
        if one.settings.rung == "biases":
            raise MemoryError
        return start(one)

    monkeypatch.setattr(run_module.CollabRun, "start", started)
    ladder = climbed(quick(RungLadder(ratings), "dot_product", "biases"))
    assert list(ladder.runs) == ["Dot product"] and ladder.value.index[0] == "Dot product"
    assert not ladder.form._fields["fields"][0]["disabled"] and "background work failed" in caplog.text
    ladder.close()


def test_what_cannot_be_trained_is_said_on_the_page(ratings):
    ladder = quick(RungLadder(ratings))
    assert not ladder.start() and ladder.view._shown["note"] == "Choose a rung to train."
    ladder.close()
    few = Ratings([0, 1], [0, 1], [4, 3], user_ids=["a", "b"], item_ids=["1", "2"])
    ladder = quick(RungLadder(few), "biases", share=1)
    assert ladder.start() and "without ratings" in ladder.job._shown["text"] and ladder.job._shown["state"] == "failed"
    assert ladder.run is None and not ladder.active and not ladder.form._fields["fields"][0]["disabled"]
    ladder.close()
    with pytest.raises(TypeError, match="climbed with Ratings"):
        RungLadder([1, 2])


def test_the_form_offers_what_the_ratings_allow(ratings):
    form = LadderForm(ratings)
    assert form._fields["fields"][0]["options"] == ["At random", "The latest of all", "Each user's latest"]
    form["split"] = 2
    form._draw()
    assert "share" not in [field["name"] for field in form._fields["fields"]]
    assert form.splitter()().protocol.startswith("Leave last out")
    form["split"], form["share"] = 1, 10
    split = form.splitter()()
    assert split.protocol.startswith("Split by time") and len(split.valid) == pytest.approx(1500, abs=20)
    timeless = Ratings(
        ratings.users, ratings.items, ratings.values, user_ids=ratings.user_ids, item_ids=ratings.item_ids
    )
    assert LadderForm(timeless)._fields["fields"][0]["options"] == ["At random"]
    form["decay"], form["weight_decay"], form["early_stop"] = 1, 0.02, 3
    by_rung = {one.rung: one for one in form.settings()}
    assert by_rung["biases"].decay_rate == 0 and by_rung["weight_decay"].decay_rate == 0.02
    assert by_rung["net"].decay == "l2" and by_rung["net"].early_stop == 3


def test_nothing_that_takes_long_is_done_on_the_kernels_loop(monkeypatch):
    threads = {}

    def noted(name, work):
        def do(*arguments, **options):
            threads[name] = threading.current_thread()
            return work(*arguments, **options)

        return do

    monkeypatch.setattr(collab_training, "load_fastai", noted("load", collab_training.load_fastai))
    monkeypatch.setattr(ladder_form, "split_ratings", noted("split", ladder_form.split_ratings))
    training = CollabTraining()
    fetched(training.source, lambda: training.source._pressed("fetch"))
    climbed(quick(training.ladder, "dot_product", epochs=1))
    assert list(threads) == ["load", "split"] and threading.main_thread() not in threads.values()
    training.close()


def test_the_form_of_a_training_loads_no_torch():
    code = (
        "import sys; from ipyfastai.models import example_ratings; from ipyfastai.widgets import RungLadder; "
        "RungLadder(example_ratings()).close(); print({'torch', 'fastai'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


# Where ratings come from.


def fetched(source, act):
    async def fetch():
        act()
        await until(lambda: not source.job.busy and (source.value is not None or source.job._shown))

    asyncio.run(fetch())
    return source.value, source.job._shown.get("text", "")


def test_the_example(ratings):
    source = RatingsSource()
    value, said = fetched(source, lambda: source._pressed("fetch"))
    assert len(value) == len(ratings) and not said
    assert "15,000 ratings of 200 titles by 300 users" in source.findings._shown["sentences"][0][1]
    source.close()


def test_folders_below_the_root_only(tmp_path):
    outside, root = tmp_path / "outside", tmp_path / "root"
    for folder in (outside, root / "small", root / "a" / "b", root / "a" / "b" / "too_deep", root / ".hidden"):
        folder.mkdir(parents=True)
        (folder / "ratings.csv").write_text(CSV)
    (root / "link").symlink_to(outside)
    assert ratings_folders(root) == ["a/b", "small"] and ratings_folders(tmp_path / "none") == []
    source = RatingsSource(data_root=root)
    source.form["source"], source.form["folder"] = 3, 1
    source._draw()
    value, _ = fetched(source, lambda: source._pressed("fetch"))
    assert value.n_users == 4 and value.n_items == 5
    source.close()


def test_without_a_root_no_folder_is_offered(monkeypatch):
    monkeypatch.delenv("IPYFASTAI_DATA_ROOT", raising=False)
    source = RatingsSource()
    assert source.form._fields["fields"][0]["options"] == ["Built-in example", "MovieLens", "Upload a file"]
    source.close()


def test_an_uploaded_table_a_zip_and_what_is_neither(tmp_path):
    source = RatingsSource()
    for upload in (Upload.keep("my films.csv", CSV.encode()), Upload.keep("my films.csv", _zip(tmp_path))):
        value, _ = fetched(source, partial(source.fetch, partial(_read, upload)))
        assert len(value) == 20 and value.name == "my films"
    source.set_trait("value", None)
    value, said = fetched(source, lambda: source.fetch(lambda progress: _read(Upload.keep("x", b"hello"), progress)))
    assert value is None and said and source.job._shown["state"] == "failed"
    source.close()


def _zip(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "ratings.csv").write_text(CSV)
    return open(shutil.make_archive(tmp_path / "packed", "zip", tmp_path, "mine"), "rb").read()


def test_without_a_network_a_download_says_so(monkeypatch):
    def fail(name, folder, *, progress=None):
        raise RuntimeError(f"Nothing can be downloaded: {name}")

    monkeypatch.setattr("ipyfastai.widgets.collab.ratings_source.download_ratings", fail)
    source = RatingsSource()
    source.form["source"] = 1
    source._draw()
    value, said = fetched(source, lambda: source._pressed("fetch"))
    assert value is None and said == "Nothing can be downloaded: ml-latest-small"
    home = source._home()
    source.close()
    assert not home.exists()
