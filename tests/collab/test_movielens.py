"""MovieLens from its folder, from its zip, and from a web server that behaves like GroupLens' or worse."""

import shutil
import zipfile

import pandas as pd
import pytest
from drawings import DATA
from ipyfastai.models import download_ratings, movielens
from ipyfastai.models.collab import download
from ipyfastai.models.data import archive as archives
from ipyfastai.models.data.web import Web
from ipyfastai.models.progress import Cancelled, Progress
from picture_server import anywhere, pictures, reply

SMALL = DATA / "movielens" / "ml-latest-small"


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """The small release as GroupLens packs it."""
    path = tmp_path_factory.mktemp("release") / "ml-latest-small.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(SMALL.iterdir()):
            archive.write(file, f"ml-latest-small/{file.name}")
    return path


def test_the_folder_has_what_pandas_finds_in_it():
    ratings = movielens(SMALL)
    raw = pd.read_csv(SMALL / "ratings.csv")
    movies = pd.read_csv(SMALL / "movies.csv", dtype=str)
    titles = dict(zip(movies.movieId, zip(movies.title, movies.genres, strict=True), strict=True))
    assert repr(ratings) == "<ml-latest-small: 100,836 ratings of 9,724 items by 610 users>"
    assert ratings.notices == () and ratings.scale == (0.5, 5)
    assert (ratings.user_ids[ratings.users].astype(int) == raw.userId).all()
    assert (ratings.item_ids[ratings.items].astype(int) == raw.movieId).all()
    assert (ratings.values == raw.rating).all() and (ratings.times == raw.timestamp).all()
    for item, title, genres in zip(ratings.item_ids, ratings.titles, ratings.genres, strict=True):
        wanted, listed = titles[item]
        assert title.removesuffix(f" [{item}]") == " ".join(wanted.split())
        assert "|".join(genres) == listed.replace("(no genres listed)", "")
    assert len(set(ratings.titles)) == ratings.n_items, "five films share their titles with others"
    assert "Emma (1996) [838]" in ratings.titles


def test_a_folder_around_it_and_one_without_titles(tmp_path):
    shutil.copytree(DATA / "movielens" / "movie_lens_sample", tmp_path / "movie_lens_sample")
    ratings = movielens(tmp_path)
    assert repr(ratings) == "<movie_lens_sample: 6,031 ratings of 100 items by 100 users>"
    assert (ratings.titles == ratings.item_ids).all() and ratings.genres is None


def test_the_zip_is_the_folder(packed):
    ratings, folder = movielens(packed), movielens(SMALL)
    assert repr(ratings) == repr(folder)
    assert (ratings.values == folder.values).all() and (ratings.titles == folder.titles).all()


@pytest.mark.parametrize("names", [("ratings.dat", "movies.dat", "::"), ("u.data", "u.item", None)])
def test_older_releases(tmp_path, names):
    ratings, movies, separator = names
    flags = "|".join("1" if place == 15 else "0" for place in range(19))
    if separator:
        (tmp_path / ratings).write_text("1::7::5::978300760\n2::9::3::978302109\n2::7::4::978302109\n")
        (tmp_path / movies).write_text("7::Café: Part 2 (1995)::Sci-Fi\n9::Orbit (1990)::Drama\n", encoding="latin-1")
    else:
        (tmp_path / ratings).write_text("1\t7\t5\t978300760\n2\t9\t3\t978302109\n2\t7\t4\t978302109\n")
        lines = f"7|Café: Part 2 (1995)|01-Jan-1995||http://x|{flags}\n9|Orbit (1990)|||http://x|{flags}\n"
        (tmp_path / movies).write_text(lines, encoding="latin-1")
    got = movielens(tmp_path)
    assert got.values.tolist() == [5, 3, 4] and got.scale == (1, 5)
    assert got.titles.tolist() == ["Café: Part 2 (1995)", "Orbit (1990)"] and got.genres[0] == ("Sci-Fi",)
    assert got.times.tolist() == [978300760, 978302109, 978302109]


def test_what_is_no_release(tmp_path, packed):
    with pytest.raises(ValueError, match="There are no ratings in this folder: neither ratings.csv nor"):
        movielens(tmp_path)
    with pytest.raises(ValueError, match="There is no folder and no zip called 'nowhere'"):
        movielens(tmp_path / "nowhere")
    (tmp_path / "no.zip").write_bytes(b"<html>")
    with pytest.raises(ValueError, match="This is not a whole zip file"):
        movielens(tmp_path / "no.zip")
    (tmp_path / "half.zip").write_bytes(packed.read_bytes()[:9000])
    with pytest.raises(ValueError, match="This is not a whole zip file"):
        movielens(tmp_path / "half.zip")
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        archive.writestr("bear.jpg", b"")
    with pytest.raises(ValueError, match="There are no ratings in this zip"):
        movielens(tmp_path / "photos.zip")


def test_only_what_is_wanted_of_a_zip_is_unfolded(tmp_path, monkeypatch):
    """Others in it may be of any size."""
    with zipfile.ZipFile(tmp_path / "odd.zip", "w") as archive:
        archive.writestr("ratings.csv", "user,item,rating\n1,1,good\n2,2,bad\n")
        archive.writestr("bomb.csv", "0" * 1000)
    read = zipfile.ZipFile.open
    opened = []
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *given: [opened.append(given[1].filename), read(*given)][1])
    with pytest.raises(ValueError, match="has 'good' where a rating should be"):
        movielens(tmp_path / "odd.zip")
    assert set(opened) == {"ratings.csv"}


@pytest.fixture
def site(monkeypatch):
    """Serve `site(handler or bytes)` as the small release."""
    open_servers = []

    def serve(answer):
        server = pictures({"/ml-latest-small.zip": answer})
        url = server.__enter__().url + "/ml-latest-small.zip"
        open_servers.append(server)
        monkeypatch.setitem(download.RELEASES, "ml-latest-small", (url, "served here"))

    yield serve
    for server in open_servers:
        server.__exit__(None, None, None)


def got(folder, **options):
    return download_ratings("ml-latest-small", folder, web=Web(allowed=anywhere), **options)


class Shop:
    """Gives a file, or the part of it that is asked for; breaks off after `most` bytes of each answer."""

    def __init__(self, body, *, most=None, parts=True):
        self.body, self.most, self.parts, self.ranges = body, most, parts, []

    def __call__(self, handler):
        asked = handler.headers.get("Range")
        self.ranges.append(asked)
        begin = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and self.parts else 0
        if asked and self.parts and begin >= len(self.body):
            return reply(handler, 416)
        rest = self.body[begin:]
        handler.send_response(206 if begin else 200)
        handler.send_header("Content-Length", str(len(rest)))
        if begin:
            handler.send_header("Content-Range", f"bytes {begin}-{len(self.body) - 1}/{len(self.body)}")
        handler.end_headers()
        handler.wfile.write(rest[: self.most])
        handler.close_connection = True


@pytest.fixture
def no_waiting(monkeypatch):
    monkeypatch.setattr(archives, "_pause", lambda seconds, progress: None)


def test_downloaded_once(site, packed, tmp_path):
    shop, progress = Shop(packed.read_bytes()), Progress()
    site(shop)
    for _ in range(2):
        assert len(got(tmp_path / "data", progress=progress)) == 100_836
    assert shop.ranges == [None], "the second time it is there"
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["ml-latest-small.zip"]


def test_a_download_that_breaks_off_goes_on(site, packed, tmp_path, no_waiting):
    body = packed.read_bytes()
    shop = Shop(body, most=len(body) // 2 + 1)
    site(shop)
    assert len(got(tmp_path)) == 100_836
    assert shop.ranges == [None, f"bytes={len(body) // 2 + 1}-"]


def test_a_server_without_parts_gives_all_anew(site, packed, tmp_path):
    body = packed.read_bytes()
    shop = Shop(body, parts=False)
    site(shop)
    (tmp_path / "ml-latest-small.zip.part").write_bytes(body[:5000])
    assert len(got(tmp_path)) == 100_836 and shop.ranges == ["bytes=5000-"]


def test_a_beginning_that_is_longer_than_the_file_is_forgotten(site, packed, tmp_path):
    body = packed.read_bytes()
    shop = Shop(body)
    site(shop)
    (tmp_path / "ml-latest-small.zip.part").write_bytes(bytes(len(body) + 1))
    assert len(got(tmp_path)) == 100_836 and shop.ranges == [f"bytes={len(body) + 1}-", None]


def test_what_arrives_damaged_is_not_kept(site, packed, tmp_path):
    body = bytearray(packed.read_bytes())
    body[len(body) // 2] ^= 255
    site(bytes(body))
    with pytest.raises(RuntimeError, match="ml-latest-small arrived damaged, and was not used. Try again."):
        got(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_cancel_keeps_what_arrived(site, packed, tmp_path):
    class Impatient(Progress):
        def report(self, done, total=None, text=""):
            if done > 100_000:
                self.cancel()
            super().report(done, total, text)

    shop = Shop(packed.read_bytes())
    site(shop)
    with pytest.raises(Cancelled, match="Downloading ml-latest-small"):
        got(tmp_path, progress=Impatient())
    size = (tmp_path / "ml-latest-small.zip.part").stat().st_size
    assert size > 100_000
    assert len(got(tmp_path)) == 100_836 and shop.ranges[-1] == f"bytes={size}-"


def test_refusals_are_sentences(site, tmp_path, no_waiting, monkeypatch):
    site(lambda handler: reply(handler, 404))
    with pytest.raises(RuntimeError, match="ml-latest-small could not be downloaded: There is nothing at this address"):
        got(tmp_path)
    site(lambda handler: reply(handler, 503))
    with pytest.raises(RuntimeError, match="could not be downloaded: The server is busy or out of order"):
        got(tmp_path)
    monkeypatch.setitem(download.RELEASES, "ml-latest-small", ("https://no.such.host.invalid/a.zip", ""))
    with pytest.raises(RuntimeError, match="this kernel has no network. Read a file of ratings that is here already"):
        got(tmp_path)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(RuntimeError, match="ml-latest-small could not be kept here: "):
        got(tmp_path / "file")


def test_names_and_addresses():
    from fastai.data.external import URLs

    with pytest.raises(
        ValueError, match="no ratings called '../etc' here. Choose one of ml-100k, ml-latest-small, ml-25m"
    ):
        download_ratings("../etc", ".")
    assert download.RELEASES["ml-100k"][0] == URLs.ML_100k
    for name, (url, _) in download.RELEASES.items():
        assert url == f"https://files.grouplens.org/datasets/movielens/{name}.zip"
