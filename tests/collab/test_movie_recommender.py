"""python -m ipyfastai.models.collab.movie_recommender: from ratings to the file that a dashboard serves."""

import pytest
from drawings import DATA
from ipyfastai.models.collab import movie_recommender
from ipyfastai.models.collab.recommender import Recommender
from ipyfastai.models.collab.settings import settings_for

SAMPLE = DATA / "movielens" / "movie_lens_sample" / "ratings.csv"


def test_ratings_become_a_file_that_recommends(tmp_path, capsys):
    if not SAMPLE.is_file():
        pytest.skip(f"no ratings in {DATA}")
    out = tmp_path / "movies.safetensors"
    titles = DATA / "movielens" / "ml-latest-small" / "movies.csv"
    movie_recommender.main(["--data", str(SAMPLE), "--titles", str(titles), "--out", str(out), "--factors", "5"])
    printed = capsys.readouterr().out
    assert printed.count("epoch ") == 5 and f"ipyfastai --recommender {out}" in printed
    model = Recommender.load(out)
    assert model.card.split in printed and "means of person" in model.card.split
    assert model.n_users == 0 and model.histories is None  # nobody's ratings travel with it
    assert "Shawshank Redemption, The (1994)" in model.titles
    table = model.recommend({"Pulp Fiction (1994)": 5, "Fight Club (1999)": 5})
    assert len(table) == 10 and table["predicted"].is_monotonic_decreasing


def test_the_shipped_one_is_made_of_the_example(tmp_path, capsys):
    out = tmp_path / "example.safetensors"
    movie_recommender.main(["--example", "--out", str(out), "--epochs", "1", "--factors", "3"])
    made, shipped = Recommender.load(out), Recommender.shipped()
    assert made.titles == shipped.titles and made.user_ids == shipped.user_ids
    assert made.card.summary == shipped.card.summary and made.card.data == shipped.card.data


@pytest.mark.parametrize(
    "arguments, said",
    [
        ([], "one of the arguments"),
        (["--data", "not_there.csv"], "not_there.csv"),
        (["--download", "ml-1b"], "invalid choice"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(arguments, said, capsys):
    with pytest.raises(SystemExit) as end:
        movie_recommender.main(arguments)
    assert said in capsys.readouterr().err + str(end.value)


def test_a_file_that_is_not_there_is_not_served():
    from ipyfastai.dashboards import app

    with pytest.raises(SystemExit, match="--recommender: there is no file .*not_there.safetensors"):
        app.main(["movie_recommender", "--recommender", "not_there.safetensors"])


def test_batches_grow_with_the_ratings():
    class Many:
        def __init__(self, count):
            self.count = count

        def __len__(self):
            return self.count

    sizes = [settings_for(Many(10**n), factors=5, epochs=1).batch_size for n in (4, 5, 6, 7, 8)]
    assert sizes == sorted(sizes) and sizes[0] == sizes[1] == 64 and sizes[-1] == 8192
