"""Tars: pictures come out, links and paths that lead elsewhere do not."""

import io
import tarfile

import pytest
from drawings import plain
from ipyfastai.models.data.tar_file import extract_tar
from ipyfastai.models.data.unpack import Limits


def tarred(path, members, mode="w:gz"):
    with tarfile.open(path, mode) as archive:
        for name, change in members.items():
            entry = tarfile.TarInfo(name)
            for field, value in change.items():
                setattr(entry, field, value)
            data = plain()
            entry.size = len(data) if entry.isreg() else 0
            archive.addfile(entry, io.BytesIO(data))
    return path


LINK = {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"}
HARD = {"type": tarfile.LNKTYPE, "linkname": "../../secret.png"}
DEVICE = {"type": tarfile.CHRTYPE}


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2"])
def test_only_plain_files_within_come_out(tmp_path, mode):
    members = {
        "./set/red/1.jpg": {},
        "set/red/2.png": {},
        "set/red": {"type": tarfile.DIRTYPE},
        "../out.jpg": {},
        "/abs.jpg": {},
        "link.jpg": LINK,
        "hard.jpg": HARD,
        "device.jpg": DEVICE,
    }
    done = extract_tar(tarred(tmp_path / "a.tgz", members, mode), tmp_path / "in" / "out")
    inside = sorted(str(path.relative_to(tmp_path / "in")) for path in (tmp_path / "in").rglob("*.*"))
    assert inside == ["out/set/red/1.jpg", "out/set/red/2.png"]
    assert (tmp_path / "in/out/set/red/1.jpg").read_bytes() == plain()
    assert {name for name, _ in done.refused} == {"../out.jpg", "/abs.jpg", "link.jpg", "hard.jpg", "device.jpg"}


def test_a_cut_off_or_foreign_file_is_no_tar_and_leaves_nothing(tmp_path):
    path = tarred(tmp_path / "a.tgz", {f"{n}.jpg": {} for n in range(50)})
    path.write_bytes(path.read_bytes()[:200])
    for _ in range(2):
        with pytest.raises(ValueError, match="not a tar archive"):
            extract_tar(path, tmp_path / "out")
        assert list((tmp_path / "out").rglob("*")) == []
        path.write_bytes(b"<html>")


def test_limits_hold(tmp_path):
    path = tarred(tmp_path / "a.tgz", {f"{n}.jpg": {} for n in range(5)})
    with pytest.raises(ValueError, match="more than 3 photos"):
        extract_tar(path, tmp_path / "out", limits=Limits(files=3))
    assert list((tmp_path / "out").rglob("*")) == []
