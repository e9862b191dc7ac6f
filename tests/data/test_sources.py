"""Sources that fill a folder: zip, server folder, digits, searches, fastai's data sets."""

import csv
import io
import json
import socket
import tarfile
import zipfile
from urllib.parse import parse_qs, urlsplit

import pytest
from drawings import plain
from ipyfastai.models.data.fastai_data import DATASETS, FastaiSource
from ipyfastai.models.data.search import Commons, FolderSearch, Found, SearchSource
from ipyfastai.models.data.sources import DigitsSource, FolderSource, ZipSource, folder_choices
from ipyfastai.models.data.web import Web
from ipyfastai.models.progress import Cancelled, Progress
from picture_server import anywhere, pictures, reply


def below(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def data(tmp_path):
    """A server's data folder with two sets in it, and a secret beside it."""
    for name in ("data/bears/black/1.jpg", "data/bears/teddy/2.jpg", "data/cats/3.jpg", "secret/4.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(plain())
    (tmp_path / "data" / "empty").mkdir()
    (tmp_path / "data" / "bears" / "labels.csv").write_text("name,label\n")
    return tmp_path / "data"


def test_a_zip_brings_its_pictures_and_tables(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in ("red/1.jpg", "labels.csv", "../x.jpg"):
            archive.writestr(name, plain())
    got = ZipSource(tmp_path / "a.zip").fetch(tmp_path / "out")
    assert below(tmp_path / "out") == ["labels.csv", "red/1.jpg"]
    assert got.files == [tmp_path / "out" / "red" / "1.jpg"] and [name for name, _ in got.failures] == ["../x.jpg"]


def test_a_zip_with_a_table_alone_is_no_set_of_images(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("labels.csv", "a")
    with pytest.raises(ValueError, match="no photos"):
        ZipSource(tmp_path / "a.zip").fetch(tmp_path / "out")


def test_a_server_folder_is_used_where_it_lies_or_copied(data, tmp_path):
    (data / "bears" / "out.jpg").symlink_to(tmp_path / "secret" / "4.jpg")
    there = FolderSource("bears", data).fetch(tmp_path / "into")
    assert there.folder == data / "bears" and not (tmp_path / "into").exists()
    copied = FolderSource("bears", data, copy=True).fetch(tmp_path / "into")
    assert below(copied.folder) == ["black/1.jpg", "labels.csv", "teddy/2.jpg"] == below(tmp_path / "into")
    assert [file.name for file in there.files] == [file.name for file in copied.files] == ["1.jpg", "2.jpg"]
    assert there.failures == copied.failures == [("out.jpg", "It is a link that leads out of the folder.")]


@pytest.mark.parametrize("path", ["../secret", "/etc", "link", "bears/../../secret"])
def test_no_folder_outside_the_root(data, tmp_path, path):
    (data / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(ValueError, match="does not lie below the data folder"):
        FolderSource(path, data).fetch(tmp_path / "into")


@pytest.mark.parametrize(("path", "says"), [("empty", "no photos in 'empty'"), ("gone", "no folder 'gone'")])
def test_server_folders_without_pictures(data, tmp_path, path, says):
    with pytest.raises(ValueError, match=says):
        FolderSource(path, data).fetch(tmp_path / "into")


def test_choices_are_folders_with_pictures_however_deep_and_no_links(data, tmp_path):
    (data / "link").symlink_to(tmp_path / "secret")
    (data / ".hidden").mkdir()
    (data / ".hidden" / "5.jpg").write_bytes(plain())
    deep = data / "a" / "b" / "c" / "d" / "6.jpg"
    deep.parent.mkdir(parents=True)
    deep.write_bytes(plain())
    assert folder_choices(data) == ["a", "a/b", "a/b/c", "bears", "bears/black", "bears/teddy", "cats"]
    assert folder_choices(data, depth=1) == ["bears", "cats"]


def test_digits_can_be_cancelled(tmp_path):
    got = DigitsSource(per_class=2).fetch(tmp_path / "digits")
    assert len(got.files) == 20 and {file.parent.name for file in got.files} == set(map(str, range(10)))
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        DigitsSource().fetch(tmp_path / "more", progress=progress)


# Searches. The answers are what Wikimedia Commons gives for formatversion=2.


def test_a_copy_of_a_folder_has_an_end(data, tmp_path):
    assert len(FolderSource("bears", data, copy=True).fetch(tmp_path / "whole").files) == 2
    size = 2 * len(plain()) + len("name,label\n")
    with pytest.raises(ValueError, match=r"These photos are 0.0 GB; this server copies .* at most"):
        FolderSource("bears", data, copy=True, max_bytes=size - 1).fetch(tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert len(FolderSource("bears", data, max_bytes=0).fetch(tmp_path).files) == 2, "nothing is copied"


def test_no_author_brings_a_formula_into_a_spreadsheet(tmp_path):
    routes = {"/1.jpg": plain()}
    with pictures(routes) as server:
        page = commons_page(f"{server.url}/1.jpg", 1, Artist="=HYPERLINK(1)", LicenseShortName="@SUM(1)")
        routes["/api"] = commons({"bear": [[page]]}, [])
        web = Web(allowed=anywhere)
        SearchSource(["bear"], search=Commons(web=web, api=server.url + "/api"), web=web).fetch(tmp_path)
    [row] = csv.DictReader((tmp_path / "sources.csv").open(encoding="utf-8"))
    assert (row["creator"], row["licence"]) == ("'=HYPERLINK(1)", "'@SUM(1)")


def test_what_a_search_of_the_web_finds_is_never_a_file_of_the_server(data, tmp_path):
    file = str(data / "bears" / "black" / "1.jpg")
    with pictures({"/api": commons({"bear": [[commons_page(file, 1)]]}, [])}) as server:
        web = Web(allowed=anywhere)
        source = SearchSource(["bear"], search=Commons(web=web, api=server.url + "/api"), web=web)
        with pytest.raises(ValueError, match="found no photos"):
            source.fetch(tmp_path / "out")


def commons_page(url, index, **about):
    metadata = {key: {"value": value, "source": "commons-desc-page"} for key, value in about.items()}
    info = {
        "thumburl": url,
        "url": url + "?full",
        "descriptionurl": f"https://commons.wikimedia.org/wiki/File:{index}.jpg",
        "mime": "image/jpeg",
        "extmetadata": metadata,
    }
    return {"pageid": index, "ns": 6, "title": f"File:{index}.jpg", "index": index, "imageinfo": [info]}


def commons(answers, asked):
    """A server's answer for each search term, one page of results after the other."""

    def handle(handler):
        query = {key: value[0] for key, value in parse_qs(urlsplit(handler.path).query).items()}
        asked.append(query)
        pages = answers[query["gsrsearch"].split(" filetype:")[0]]
        at = int(query.get("gsroffset", 0))
        answer = {"batchcomplete": True, "query": {"pages": pages[at]}} if pages else {"batchcomplete": True}
        if at + 1 < len(pages):
            answer["continue"] = {"gsroffset": at + 1, "continue": "gsroffset||"}
        reply(handler, 200, json.dumps(answer).encode())

    return handle


def test_search_terms_become_labels_and_the_authors_are_kept(tmp_path):
    asked, answers = [], {}
    routes = {f"/{n}.jpg": plain(size=(50 + n, 50)) for n in range(6)} | {"/api": commons(answers, asked)}
    with pictures(routes) as server:
        page = [
            commons_page(
                f"{server.url}/{n}.jpg", n, Artist='<a href="x">Ann &amp; Bo</a>', LicenseShortName="CC BY 4.0"
            )
            for n in range(6)
        ]
        video = {**page[0], "imageinfo": [{**page[0]["imageinfo"][0], "mime": "video/webm"}]}
        answers.update({"teddy/bear": [[page[1], video, page[0]], [page[2]]], "grizzly": [page[3:6]], "yeti": []})
        web = Web(allowed=anywhere)
        search = Commons(web=web, api=server.url + "/api")
        source = SearchSource(["teddy/bear", "grizzly", " yeti", "grizzly", ""], per_term=3, search=search, web=web)
        got = source.fetch(tmp_path)
    assert below(tmp_path) == sorted(
        [f"{label}/{n:05}.jpg" for label in ("teddy-bear", "grizzly") for n in range(3)] + ["sources.csv"]
    )
    assert (tmp_path / "teddy-bear" / "00000.jpg").read_bytes() == plain(size=(50, 50)), "in the search's own order"
    assert got.failures == [("yeti", "The search found no photos.")]
    rows = list(csv.DictReader((tmp_path / "sources.csv").open(encoding="utf-8")))
    assert len(rows) == 6 and {row["item"] for row in rows} == {str(file.relative_to(tmp_path)) for file in got.files}
    assert rows[0]["creator"] == "Ann & Bo" and rows[0]["licence"] == "CC BY 4.0"
    assert asked[0]["gsrnamespace"] == "6" and asked[0]["gsrsearch"] == "teddy/bear filetype:bitmap"


def test_a_search_that_finds_nothing_or_does_not_answer(tmp_path):
    with pictures({"/api": commons({"yeti": []}, [])}) as server:
        web = Web(allowed=anywhere)
        with pytest.raises(ValueError, match="found no photos for 'yeti'"):
            SearchSource(["yeti"], search=Commons(web=web, api=server.url + "/api")).fetch(tmp_path)
        with pytest.raises(RuntimeError, match="photo search does not answer: There is nothing at this address"):
            SearchSource(["yeti"], search=Commons(web=web, api=server.url + "/gone")).fetch(tmp_path)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty home of fastai's, which it otherwise remembers for as long as the process lives."""
    from fastai.data.external import fastai_cfg

    monkeypatch.setenv("FASTAI_HOME", str(tmp_path / "home"))
    fastai_cfg.cache_clear()
    yield tmp_path / "home"
    fastai_cfg.cache_clear()


@pytest.mark.parametrize("code", [socket.EAI_AGAIN, socket.EAI_NONAME])
def test_neither_a_search_nor_fastai_without_network(tmp_path, home, monkeypatch, code):
    def no_resolver(*_, **__):
        raise socket.gaierror(code, "as the resolver says")

    monkeypatch.setattr(socket, "getaddrinfo", no_resolver)
    for source in (SearchSource(["grizzly"]), FastaiSource("MNIST_TINY")):
        with pytest.raises(RuntimeError, match="this kernel has no network"):
            source.fetch(tmp_path / "out")


def test_a_local_folder_is_a_search_too(data, tmp_path):
    got = SearchSource(["teddy", "BEARS black"], search=FolderSearch(data)).fetch(tmp_path / "out")
    assert below(tmp_path / "out") == ["BEARS black/00000.jpg", "sources.csv", "teddy/00000.jpg"]
    assert len(got.files) == 2 and str(data) not in (tmp_path / "out" / "sources.csv").read_text()


def test_any_callable_is_a_search(data, tmp_path):
    def mine(term, count):
        return [Found(str(data / "cats" / "3.jpg")), Found(str(data / "gone.jpg"))][:count]

    got = SearchSource(["cat"], search=mine).fetch(tmp_path / "out")
    assert len(got.files) == 1 and got.failures == [("gone.jpg", "It could not be copied: No such file or directory.")]


@pytest.mark.parametrize(
    ("terms", "per_term"), [([" "], 5), (["x"] * 0, 5), ([str(n) for n in range(51)], 5), (["x"], 0), (["x"], 501)]
)
def test_searches_that_will_not_do(terms, per_term):
    with pytest.raises(ValueError, match="Name 1 to 50 things|Between 1 and 500"):
        SearchSource(terms, per_term=per_term)


# fastai's data sets.


@pytest.fixture
def shop(tmp_path, home, monkeypatch):
    """A server with the archive of MNIST_TINY as fastai's address of it, an empty cache, and its known checksum."""
    import fastdownload
    from fastai.data.external import URLs

    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name in ("mnist_tiny/train/3/1.png", "mnist_tiny/valid/7/2.png", "mnist_tiny/labels.csv", "../evil.png"):
            entry = tarfile.TarInfo(name)
            entry.size = len(plain(kind="PNG"))
            archive.addfile(entry, io.BytesIO(plain(kind="PNG")))
    archive = tmp_path / "known.tgz"
    archive.write_bytes(packed.getvalue())
    with pictures({"/mnist_tiny.tgz": packed.getvalue()}) as server:
        url = server.url + "/mnist_tiny.tgz"
        monkeypatch.setattr(URLs, "MNIST_TINY", url)
        checks = {url: fastdownload.path_stats(archive)}
        monkeypatch.setattr("fastdownload.core.read_checks", lambda module: checks)
        monkeypatch.setattr(fastdownload, "read_checks", lambda module: checks)
        server.checks = checks
        yield server


def test_a_fastai_data_set_by_name_once(shop, home, tmp_path):
    source = FastaiSource("MNIST_TINY", web=Web(allowed=anywhere))
    for count in (1, 2):
        progress = Progress()
        got = source.fetch(tmp_path / str(count), progress=progress)
        assert below(got.folder) == ["mnist_tiny/labels.csv", "mnist_tiny/train/3/1.png", "mnist_tiny/valid/7/2.png"]
        assert len(got.files) == 2 and [name for name, _ in got.failures] == ["../evil.png"]
    assert shop.asked == {"/mnist_tiny.tgz": 1}, "the second time it comes from fastai's cache"
    assert (home / "archive" / "mnist_tiny.tgz").is_file()


def test_a_data_set_that_changed_is_not_used(shop, home, tmp_path):
    shop.checks.update({url: (1, "another") for url in shop.checks})
    with pytest.raises(RuntimeError, match="MNIST_TINY arrived damaged or changed"):
        FastaiSource("MNIST_TINY", web=Web(allowed=anywhere)).fetch(tmp_path / "out")
    assert list((home / "archive").iterdir()) == []


def test_only_known_names_and_all_of_them_are_fastai_s():
    from fastai.data.external import URLs

    with pytest.raises(ValueError, match="no data set '__class__' here"):
        FastaiSource("__class__")
    assert all(getattr(URLs, name).endswith(".tgz") for name in DATASETS)
