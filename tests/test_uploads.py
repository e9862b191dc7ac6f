"""`Upload` and `Transfer`: files on their way in, and gone when nobody holds them."""

import errno
import gc
import os
import stat
import subprocess
import sys

import numpy as np
import pytest
from drawings import plain, quarters, turned
from ipyfastai.widgets.uploads import NAME_LIMIT, Transfer, Upload, clean_name, spool, spooled


def files():
    gc.collect()
    return set(spool().iterdir())


def arrived(data, name="photo.jpg", **options):
    transfer = Transfer(name, len(data))
    transfer.append(0, data, len(data))
    return transfer.finish(**options)


def test_an_upload_reads_back_what_was_sent():
    file = turned(6)
    upload = arrived(file, "bear.jpg")
    assert (upload.name, upload.size, upload.bytes) == ("bear.jpg", len(file), file)
    assert np.abs(np.asarray(upload.image, int) - np.rot90(quarters(), -1)).mean() < 8
    assert repr(upload) == f"Upload('bear.jpg', {len(file):,} bytes)"


def test_each_access_decodes_anew():
    upload = arrived(plain())
    upload.image.putpixel((0, 0), (1, 2, 3))
    assert upload.image.getpixel((0, 0)) != (1, 2, 3)


def test_max_pixels_holds_for_the_image():
    with pytest.raises(ValueError, match="60 × 40 pixels"):
        _ = arrived(plain(size=(60, 40)), max_pixels=100).image


def test_a_file_goes_when_nothing_refers_to_its_upload():
    before = files()
    upload, other = arrived(b"some bytes"), Upload.keep("kept.jpg", b"others")
    assert len(files() - before) == 2
    del upload
    [left] = files() - before
    assert left.read_bytes() == b"others" == other.bytes
    del other
    assert files() == before


def test_the_folder_is_private_and_names_in_it_tell_nothing():
    upload = arrived(b"x", "../../etc/passwd")
    assert stat.S_IMODE(os.stat(spool()).st_mode) == 0o700
    assert all(path.parent == spool() and len(path.name) == 32 for path in files())
    assert upload.bytes == b"x"


def test_the_folder_goes_with_the_process():
    program = (
        "from ipyfastai.widgets.uploads import Upload, spool;"
        "upload = Upload.keep('a', b'b'); print(spool(), len(list(spool().iterdir())))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    folder, count = ran.stdout.split()
    assert (count, os.path.exists(folder), ran.stderr) == ("1", False, "")


def test_chunks_are_appended_in_order_and_others_change_nothing():
    transfer = Transfer("a", 9)
    for offset, chunk, received in [
        (3, b"too", 0),  # early
        (0, b"abc", 3),
        (0, b"xyz", 3),  # twice
        (2, b"cd", 3),  # across what is there
        (6, b"ghi", 3),  # a hole between
        (3, b"def", 6),
        (6, b"ghi", 9),
        (6, b"ghi", 9),
    ]:
        transfer.append(offset, chunk, 9)
        assert transfer.received == received
    assert transfer.finish().bytes == b"abcdefghi"


@pytest.mark.parametrize("offset, chunk, total", [(0, b"abcd", 3), (2, b"cd", 3), (3, b"d", 3), (0, b"a", 4)])
def test_a_chunk_beyond_the_total_or_with_another_total_is_an_error(offset, chunk, total):
    transfer = Transfer("a", 3)
    transfer.append(0, b"ab", 3)
    with pytest.raises(ValueError):
        transfer.append(offset, chunk, total)
    transfer.append(2, b"c", 3)
    assert transfer.finish().bytes == b"abc"


def test_an_ended_transfer_leaves_no_file():
    before = files()
    transfer = Transfer("a", 9)
    transfer.append(0, b"abc", 9)
    assert len(files() - before) == 1
    transfer.end("cancelled", "Cancelled.")
    assert (files(), transfer.state, transfer.pending) == (before, "cancelled", False)
    transfer.end("refused")  # ending twice is no error


def test_a_full_disk_is_an_oserror_and_nothing_is_left(monkeypatch):
    before = files()
    transfer = Transfer("a", 9)

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    transfer.append(0, b"abc", 9)
    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.open", full)
        with pytest.raises(OSError):
            transfer.append(3, b"def", 9)
    assert transfer.received == 3
    transfer.end("refused")
    assert files() == before


@pytest.mark.parametrize(
    "name, clean",
    [
        ("bear.jpg", "bear.jpg"),
        ("C:\\photos\\bear.jpg", "bear.jpg"),
        ("/etc/passwd", "passwd"),
        ("..", ".."),
        ("photos/", "unnamed"),
        ("", "unnamed"),
        ("a\0b\r\nc\x1b[31m.jpg", "abc[31m.jpg"),
        ("evil\u202egpj.exe", "evilgpj.exe"),  # right-to-left override
        ("\u2066\ufeffa\u200b.png", "a.png"),
        ("🐻‍❄️ snow.jpg", "🐻‍❄️ snow.jpg"),  # a polar bear: a bear and a snowflake joined by U+200D
        ("Bär 熊.jpg", "Bär 熊.jpg"),
        ("<img src=x onerror=alert(1)>.jpg", "<img src=x onerror=alert(1)>.jpg"),  # shown as text
        ("x" * 300, "x" * NAME_LIMIT),
    ],
)
def test_names_are_made_fit_to_be_shown(name, clean):
    assert clean_name(name) == clean


def test_a_file_that_goes_while_all_are_counted_costs_no_upload(monkeypatch):
    """Uploads are deleted when nothing refers to them, which may be at any moment."""
    kept = Upload.keep("kept", b"12345")
    gone = Upload.keep("gone", b"123")
    listed = list(os.scandir(spool()))
    gone.delete()
    monkeypatch.setattr("os.scandir", lambda folder: listed)
    assert spooled() == sum(path.stat().st_size for path in spool().iterdir()) >= kept.size
