"""From a trained learner to a file that others can use, as a person does it."""

import zipfile

import pytest
from ipyfastai.models import Classifier
from ipyfastai.widgets.publish import Publish


def type_into(form, **words):
    for name, text in words.items():
        form._handle_custom_msg({"type": "set", "name": name, "value": text}, [])


def said(job):
    return job._shown.get("text", "")


@pytest.fixture(scope="module")
def table(colour_learner):
    from ipyfastai.models.interpretation.predictions import predictions

    return predictions(colour_learner)


@pytest.fixture
def publish(colour_learner, table, tmp_path):
    widget = Publish(colour_learner, folder=tmp_path / "published", table=table, licence="CC0")
    yield widget
    widget.close()


def test_a_name_and_a_click_make_a_classifier(publish, tmp_path):
    seen = []
    publish.observe(lambda change: seen.append(change.new), "value")
    type_into(publish.form, name="Paint", intended_use="Sorting tins.")
    publish.publish()
    assert publish.value == tmp_path / "published" / "paint.onnx" and seen == [publish.value]
    card = Classifier.load(publish.value).card
    assert (card.name, card.intended_use, card.licence) == ("Paint", "Sorting tins.", "CC0")
    assert publish.bundle._offered["name"] == "paint.onnx"
    assert publish.classifier in publish.children and publish.classifier.classifier.labels == ("blue", "green", "red")
    assert said(publish.job).startswith("Published as paint.onnx")
    assert str(tmp_path) not in str([child.get_state() for child in publish.children])


def test_without_a_name_nothing_is_written(publish, tmp_path):
    type_into(publish.form, name="  ")
    assert publish.publish() is False
    assert publish.form._fields["fields"][0]["problem"] == said(publish.job) == "Give it a name."
    assert publish.value is None and not (tmp_path / "published").exists()
    type_into(publish.form, name="…")
    assert publish.form._fields["fields"][0]["problem"] == said(publish.job) == ""
    publish.publish()
    assert said(publish.job) == "Give the classifier a name with at least one letter or digit."


def test_without_a_learner_it_says_so(tmp_path):
    widget = Publish(folder=tmp_path)
    assert widget.publish() is False
    assert said(widget.job) == "There is nothing to publish yet: train first."


def test_a_learner_that_cannot_be_exported_is_refused_with_its_sentence(colour_learner, table, tmp_path, monkeypatch):
    widget = Publish(colour_learner, folder=tmp_path / "out", table=table, name="Paint")
    monkeypatch.setattr(colour_learner, "loss_func", lambda *given: 0)
    widget.publish()
    assert "does not say how outputs become probabilities" in said(widget.job)
    assert widget.job._shown["state"] == "failed" and widget.value is None and not (tmp_path / "out").exists()


def test_another_learner_takes_back_what_was_published_for_the_last(publish, colour_learner, table):
    type_into(publish.form, name="Paint")
    publish.publish()
    publish.use(colour_learner, table=table)
    assert publish.value is None and publish.bundle._offered == {}
    assert publish.words["name"] == "Paint", "what was written stays"


def test_the_folder_for_binder_as_a_zip(publish):
    type_into(publish.form, name="Paint")
    publish.publish()
    type_into(publish.repository, repository="ada")
    publish.make_binder_folder()
    assert said(publish.binder_job).startswith('Name the GitHub repository as "owner/name"')
    type_into(publish.repository, repository=" ada/paint ")
    publish.make_binder_folder()
    assert publish.binder._offered["name"] == "paint.zip"
    with zipfile.ZipFile(publish.binder._path) as archive:
        assert "ada/paint/HEAD" in archive.read("paint/README.md").decode()
        assert {"paint/paint.onnx", "paint/start"} <= set(archive.namelist())


def test_a_text_longer_than_a_card_holds_is_not_taken(publish):
    type_into(publish.form, name="x" * 10_001)
    assert publish.words["name"] == ""


def test_a_folder_that_is_made_while_another_is_published_is_not_offered(publish, monkeypatch):
    from ipyfastai.models.publishing import binder

    def meanwhile(*given, **options):
        publish.set_trait("value", None)
        return make(*given, **options)

    make = binder.binder_folder
    type_into(publish.form, name="Paint")
    publish.publish()
    type_into(publish.repository, repository="ada/paint")
    monkeypatch.setattr(binder, "binder_folder", meanwhile)
    publish.make_binder_folder()
    assert publish.binder._offered == {}


def test_an_unknown_field_is_refused(tmp_path):
    with pytest.raises(TypeError, match="There is no field 'folder_name'"):
        Publish(folder=tmp_path, folder_name="x")
