"""Zips from strangers: what is unpacked, and what is refused with which sentence."""

import io
import stat
import struct
import zipfile

import pytest
from drawings import plain
from ipyfastai.models.data.unpack import Limits
from ipyfastai.models.data.zip_file import extract_images
from ipyfastai.models.progress import Cancelled, Progress

PNG = plain(kind="PNG")


def zipped(path, files, **options):
    """A zip of {name or ZipInfo: bytes}."""
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def entry(name, mode):
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


def everything(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_folders_become_labels_and_other_files_stay_out(tmp_path):
    files = {"bears/black/1.jpg": plain(), "bears/teddy/2.PNG": PNG, "bears/readme.txt": b"", "bears/labels.csv": b"a"}
    hidden = {"__MACOSX/bears/black/._1.jpg": b"x", "bears/.DS_Store": b"x", "bears/black/._1.jpg": b"x"}
    path = zipped(tmp_path / "a.zip", {**files, **hidden})
    done = extract_images(path, tmp_path / "out", also=[".csv"])
    assert [str(file.relative_to(tmp_path / "out")) for file in done.files] == [
        "bears/black/1.jpg",
        "bears/teddy/2.PNG",
        "bears/labels.csv",
    ]
    assert done.files[0].read_bytes() == plain() and done.refused == [] and done.others == 4


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("../out.png", "leads out of the folder"),
        ("a/../../out.png", "leads out of the folder"),
        ("..\\out.png", "leads out of the folder"),
        ("/etc/out.png", "absolute path"),
        ("C:\\out.png", "absolute path"),
        ("a//b.png", "not one that a file can have"),
        ("a\nb.png", "not one that a file can have"),
        ("x" * 300 + ".png", "too long"),
        ("inner.zip", "archive within the archive"),
        ("photos.tar.gz", "archive within the archive"),
        (entry("link.png", stat.S_IFLNK | 0o777), "a link, which is not followed"),
        (entry("pipe.png", stat.S_IFIFO | 0o777), "no file"),
    ],
    ids=str,
)
def test_what_is_refused(tmp_path, name, says):
    done = extract_images(zipped(tmp_path / "a.zip", {"good.png": PNG, name: PNG}), tmp_path / "in" / "out")
    assert everything(tmp_path / "in") == ["out", "out/good.png"]
    [(_, reason)] = done.refused
    assert says in reason


def test_a_name_like_a_tag_is_only_a_name(tmp_path):
    done = extract_images(zipped(tmp_path / "a.zip", {"<b>/1.png": PNG}), tmp_path / "out")
    assert done.files == [tmp_path / "out" / "<b>" / "1.png"]


def test_nothing_is_written_over_nor_through_a_link(tmp_path):
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    out.mkdir(), elsewhere.mkdir()
    (out / "mine.png").write_bytes(b"mine")
    (out / "linked").symlink_to(elsewhere)
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = zipped(tmp_path / "a.zip", {"mine.png": PNG, "linked/1.png": PNG, "two.png": PNG}, compression=0)
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("two.png", b"other")
    done = extract_images(path, out)
    assert [name for name, _ in done.refused] == ["mine.png", "linked/1.png", "two.png"]
    assert (out / "mine.png").read_bytes() == b"mine" and everything(elsewhere) == []
    assert (out / "two.png").read_bytes() == PNG


def test_a_file_that_unfolds_a_thousandfold_is_left_out(tmp_path):
    path = zipped(
        tmp_path / "a.zip", {"good.png": PNG, "bomb.png": bytes(30_000_000)}, compression=zipfile.ZIP_DEFLATED
    )
    done = extract_images(path, tmp_path / "out")
    assert done.files == [tmp_path / "out" / "good.png"]
    assert "unfolds to far more" in done.refused[0][1]
    assert everything(tmp_path / "out") == ["good.png"]


@pytest.mark.parametrize(
    ("limits", "says"),
    [(Limits(bytes=5_000_000), "more than 0.005 GB"), (Limits(files=2), "more than 2 photos")],
)
def test_a_bomb_of_many_files_ends_with_nothing_left(tmp_path, limits, says):
    path = zipped(
        tmp_path / "a.zip", {f"{n}/{n}.png": bytes(2_000_000) for n in range(4)}, compression=zipfile.ZIP_DEFLATED
    )
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "before.txt").write_text("mine")
    with pytest.raises(ValueError, match=says):
        extract_images(path, tmp_path / "out", limits=limits)
    assert everything(tmp_path / "out") == ["before.txt"]


def test_overlapping_entries_are_written_once(tmp_path):
    """Many entries for one stored file: small on disk, large when unpacked (D. Fifield, 2019)."""
    path = zipped(tmp_path / "a.zip", {"0.png": bytes(900_000)})
    with zipfile.ZipFile(path, "a") as archive:
        archive.filelist += archive.filelist * 9
        archive._didModify = True
    done = extract_images(path, tmp_path / "out", limits=Limits(bytes=1_000_000))
    assert everything(tmp_path / "out") == ["0.png"] and len(done.refused) == 9


def test_a_damaged_member_costs_only_itself(tmp_path):
    path = zipped(tmp_path / "a.zip", {"good.png": PNG, "bad.png": PNG + b"here"})
    data = path.read_bytes()
    path.write_bytes(data.replace(PNG + b"here", PNG + b"her!"))
    done = extract_images(path, tmp_path / "out")
    assert [name for name, _ in done.refused] == ["bad.png"] and "damaged" in done.refused[0][1]
    assert everything(tmp_path / "out") == ["good.png"]


def locked(path):
    """Sets the bit that says "encrypted" in both headers of every member (APPNOTE 4.4.4)."""
    data = bytearray(zipped(path, {"1.png": PNG, "2.png": PNG}).read_bytes())
    for signature, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        place = -1
        while (place := data.find(signature, place + 1)) >= 0:
            data[place + at] |= 1
    path.write_bytes(data)


def huge_directory(path):
    """Claims a list of contents of 4 GB (APPNOTE 4.3.16)."""
    data = zipped(path, {"1.png": PNG}).read_bytes()
    end = data.index(b"PK\5\6")
    path.write_bytes(data[: end + 12] + struct.pack("<I", 0xFFFFFFF0) + data[end + 16 :])


def of_the_future(path):
    """A zip whose list of contents asks for a version that is not there yet."""
    data = bytearray(zipped(path, {"1.png": PNG}).read_bytes())
    data[data.index(b"PK\1\2") + 6] = 200
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: path.write_bytes(b"<html></html>"), "not a zip file"),
        (of_the_future, "not a zip file"),
        (lambda path: path.write_bytes(b""), "not a zip file"),
        (lambda path: path.write_bytes(zipped(path, {"1.png": PNG}).read_bytes()[:-30]), "not a zip file"),
        (huge_directory, "not a zip file"),
        (locked, "locked with a password"),
        (lambda path: zipped(path, {}), "empty"),
        (lambda path: zipped(path, {"a.txt": b"1"}), "no photos"),
        (lambda path: zipped(path, {"a.zip": b"1"}), "no photos that can be used. An archive within the archive"),
        (lambda path: zipped(path, {"a.png": PNG}, compression=zipfile.ZIP_LZMA), "plain deflate"),
    ],
    ids=["html", "future", "nothing", "cut off", "directory bomb", "locked", "empty", "text", "zip of zips", "lzma"],
)
def test_zips_that_will_not_do(tmp_path, make, says):
    make(tmp_path / "a.zip")
    with pytest.raises(ValueError, match=says):
        extract_images(tmp_path / "a.zip", tmp_path / "out")


def test_cancel_leaves_nothing(tmp_path):
    class Impatient(Progress):
        def report(self, done, total=None, text=""):
            if done == 2:
                self.cancel()
            super().report(done, total, text)

    path = zipped(tmp_path / "a.zip", {f"red/{n}.png": PNG for n in range(4)})
    with pytest.raises(Cancelled):
        extract_images(path, tmp_path / "out", progress=Impatient())
    assert everything(tmp_path / "out") == []


def test_the_library_that_writes_zips_agrees(tmp_path):
    """Against zipfile's own extraction, on names of all kinds."""
    names = ["a.jpg", "é/ü 1.jpg", "deep/er/and/deeper/x.webp", "日本/写真.png", "space at end /1.gif"]
    path = zipped(tmp_path / "a.zip", {name: io.BytesIO(name.encode()).getvalue() for name in names})
    extract_images(path, tmp_path / "ours")
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "theirs")
    assert everything(tmp_path / "ours") == everything(tmp_path / "theirs")
