"""Thumbnails: right, kept, bounded, and a sentence where there is nothing to see."""

import io
import os
import stat
import threading
import time

import numpy as np
import psutil
import pytest
from drawings import DATA, HTML, encoded, huge_jpeg, large_photo, plain, quarters, turned
from ipyfastai.models.thumbnails import Thumbnails
from PIL import Image


def opened(jpeg):
    image = Image.open(io.BytesIO(jpeg))
    assert image.format == "JPEG"
    return image


def kept(folder):
    """The files in a cache folder."""
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.fixture
def thumbnails(tmp_path):
    made = Thumbnails(tmp_path / "cache", side=48)
    yield made
    made.close()


@pytest.fixture
def decoded(thumbnails, monkeypatch):
    """The items that were decoded, in order: what came from the cache is not among them."""
    items = []
    picture = thumbnails._picture
    monkeypatch.setattr(thumbnails, "_picture", lambda item, side: (items.append(item), picture(item, side))[1])
    return items


def photo(path, file=None):
    path.write_bytes(file or encoded(Image.fromarray(quarters())))
    return path


# What comes out


def test_a_thumbnail_is_the_picture_upright_and_small(thumbnails, tmp_path):
    path = photo(tmp_path / "turned.jpg", turned(6, quarters(960, 640)))
    image = opened(thumbnails.get(path))
    assert image.size == (32, 48), "96 × 64 turned by a quarter"
    upright = Image.fromarray(np.rot90(quarters(), -1)).resize((32, 48), Image.Resampling.BILINEAR)
    assert np.abs(np.asarray(image, int) - np.asarray(upright, int)).mean() < 12


def test_nothing_is_enlarged(thumbnails, tmp_path):
    assert opened(thumbnails.get(photo(tmp_path / "dot.png", plain(size=(8, 4), kind="PNG")))).size == (8, 4)


@pytest.mark.parametrize("kind", [str, os.fspath, Image.open, lambda path: np.asarray(Image.open(path))])
def test_a_path_an_image_and_an_array_give_the_same(thumbnails, tmp_path, kind):
    path = photo(tmp_path / "photo.png", encoded(Image.fromarray(quarters()), "PNG"))
    assert opened(thumbnails.get(kind(path))).tobytes() == opened(thumbnails.get(path)).tobytes()


def test_a_gray_array_and_a_transparent_image(thumbnails):
    gray = np.full((20, 30), 90, np.uint8)
    assert opened(thumbnails.get(gray)).convert("RGB").getpixel((5, 5)) == pytest.approx((90, 90, 90), abs=2)
    assert opened(thumbnails.get(Image.new("RGBA", (9, 9)))).getpixel((4, 4)) == (255, 255, 255)


def test_many_keep_their_order_and_the_bad_ones_say_why(thumbnails, tmp_path):
    good = [photo(tmp_path / f"{shade}.png", plain((shade,) * 3, kind="PNG")) for shade in (10, 90, 170)]
    page = photo(tmp_path / "page.jpg", HTML)
    first, bad, *rest = thumbnails.many([good[0], page, *good[1:]])
    shades = [opened(jpeg).getpixel((3, 3))[0] for jpeg in (first, *rest)]
    assert shades == pytest.approx([10, 90, 170], abs=2)
    assert isinstance(bad, ValueError) and "web page" in str(bad)


def test_large_is_large_and_not_kept(thumbnails, tmp_path):
    path = photo(tmp_path / "photo.jpg", encoded(Image.fromarray(quarters(900, 600))))
    assert opened(thumbnails.large(path, side=640)).size == (640, 427)
    assert opened(thumbnails.large(path)).size == (900, 600), "1024 at most; nothing is enlarged"
    assert kept(thumbnails.folder) == []


@pytest.mark.skipif(not (DATA / "bears").is_dir(), reason=f"no sample photos in {DATA}")
def test_real_photos(thumbnails):
    files = sorted((DATA / "bears_dirty" / "teddy").iterdir())
    results = thumbnails.many(files)
    for file, result in zip(files, results, strict=True):
        try:
            with Image.open(file) as image:
                image.load()
            fits = max(opened(result).size) == min(48, max(image.size))
        except (OSError, SyntaxError):
            fits = isinstance(result, ValueError)
        assert fits, file.name
    assert any(isinstance(result, ValueError) for result in results), "the broken downloads"


# The cache


def test_what_was_drawn_once_comes_from_the_disk_also_for_the_next_process(thumbnails, decoded, tmp_path):
    path = photo(tmp_path / "photo.jpg")
    jpeg = thumbnails.get(path)
    assert thumbnails.get(path) == jpeg and decoded == [path]
    later = Thumbnails(thumbnails.folder, side=48)
    later._picture = None  # would fail if it were called
    assert later.get(str(path)) == jpeg and later.many([path]) == [jpeg]


@pytest.mark.parametrize("change", ["content", "time", "side", "name"])
def test_a_file_that_changed_is_drawn_anew(thumbnails, decoded, tmp_path, change):
    path = photo(tmp_path / "photo.jpg", plain((255, 0, 0)))
    thumbnails.get(path)
    status = path.stat()
    if change == "content":  # at the same time and of another size
        path.write_bytes(plain((255, 0, 0)) + b"!")
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    elif change == "time":
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    elif change == "side":
        thumbnails.side = 24
    else:
        path = path.rename(tmp_path / "other.jpg")
    assert max(opened(thumbnails.get(path)).size) == thumbnails.side
    assert len(decoded) == 2


def test_the_cache_is_private_and_no_file_in_it_is_served_as_a_picture(tmp_path):
    before = os.umask(0)
    try:
        thumbnails = Thumbnails(tmp_path / "cache")
        thumbnails.get(np.zeros((9, 9), np.uint8))
    finally:
        os.umask(before)
    [file] = kept(thumbnails.folder)
    assert file.suffix == ""
    assert stat.S_IMODE(thumbnails.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_the_cache_lies_with_the_user_and_on_a_public_server_nowhere_for_long(tmp_path, monkeypatch):
    monkeypatch.delenv("IPYFASTAI_PUBLIC", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "own"))
    assert Thumbnails().folder == tmp_path / "own" / "ipyfastai" / "thumbnails"
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    homeless = Thumbnails()
    assert homeless.folder.is_dir(), "a cache folder that cannot be made is no reason to fail"
    homeless.close()
    monkeypatch.setenv("IPYFASTAI_PUBLIC", "1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "own"))
    public = Thumbnails()
    public.get(np.zeros((9, 9), np.uint8))
    assert len(kept(public.folder)) == 1 and tmp_path not in public.folder.parents
    public.close()
    assert not public.folder.exists()


def test_a_cache_file_that_was_cut_off_is_made_again(thumbnails, decoded, tmp_path):
    path = photo(tmp_path / "photo.jpg")
    whole = thumbnails.get(path)
    [file] = kept(thumbnails.folder)
    for damaged in (whole[:50], b"", bytes(len(whole))):
        file.write_bytes(damaged)
        assert thumbnails.get(path) == whole
        assert file.read_bytes() == whole


def test_the_cache_stays_below_its_limit_and_what_was_used_last_stays(tmp_path):
    thumbnails = Thumbnails(tmp_path / "cache", side=16, limit=256 * 4_000)
    first = np.zeros((16, 16), np.uint8)
    size = len(thumbnails.get(first))
    for shard in thumbnails.folder.iterdir():
        for file in shard.iterdir():
            os.utime(file, (1, 1))
    key = thumbnails._key(first)
    assert thumbnails.get(first)
    assert os.stat(thumbnails.folder / key[:2] / key[2:]).st_mtime > 1, "used: it is young again"
    shard = thumbnails.folder / "7f"
    for number in range(100):
        thumbnails._write(f"7f{number:029}{number % 16:x}", bytes(size))
        os.utime(shard / f"{number:029}{number % 16:x}", (number, number))
    left = sorted(int(file.name[:29]) for file in shard.iterdir())
    assert left[-1] == 99 and left[0] > 80, "the oldest went"
    assert sum(file.stat().st_size for file in shard.iterdir()) <= 4_000 + 16 * size


def test_a_full_disk_costs_only_time_and_is_said_once(thumbnails, monkeypatch, caplog):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    for shade in range(3):
        assert opened(thumbnails.get(np.full((9, 9), shade, np.uint8))).size == (9, 9)
    assert [record.getMessage() for record in caplog.records] == ["thumbnails are not kept: No space left on device"]
    assert kept(thumbnails.folder) == [], "and leaves no parts"


# In the background


def test_what_is_warmed_is_there_when_it_is_asked_for(thumbnails, decoded, tmp_path):
    paths = [photo(tmp_path / f"{number}.jpg") for number in range(20)]
    thumbnails.warm([tmp_path / "gone.jpg", *paths])
    wait_until(lambda: len(kept(thumbnails.folder)) == 20 and not thumbnails._workers)
    assert len(decoded) == 20
    assert all(thumbnails.many(paths)) and len(decoded) == 20
    assert not [thread for thread in threading.enumerate() if thread.name == "ipyfastai-warm"]


def test_the_newest_request_goes_first_and_who_waits_goes_before_all(thumbnails, decoded, monkeypatch):
    monkeypatch.setattr("ipyfastai.models.thumbnails.WORKERS", 1)
    items = [np.full((9, 9), shade, np.uint8) for shade in range(40)]
    thumbnails._nobody_asks.clear()  # as while somebody waits
    thumbnails.warm(items[:10])
    thumbnails.warm(items[10:20])
    thumbnails.get(items[30])
    wait_until(lambda: not thumbnails._workers)
    order = [int(item[0, 0]) for item in decoded]
    assert order[0] == 30, "asked for in the foreground: at once, while the background rests"
    assert order[1:] == [*range(10, 20), *range(10)]


def test_only_so_many_requests_wait_and_the_oldest_are_forgotten(thumbnails):
    thumbnails._nobody_asks.clear()
    for start in range(0, 10_000, 1000):
        thumbnails.warm(f"/nowhere/{number}.jpg" for number in range(start, start + 1000))
    waiting = list(thumbnails._waiting)
    assert len(waiting) == 2000
    assert (waiting[-1], waiting[0]) == ("/nowhere/9000.jpg", "/nowhere/8999.jpg")


def test_close_ends_the_background_and_what_is_shown_still_works(thumbnails, tmp_path):
    path = photo(tmp_path / "photo.jpg")
    thumbnails._nobody_asks.clear()
    thumbnails.warm([path] * 50)
    thumbnails.close()
    wait_until(lambda: not thumbnails._workers)
    thumbnails.warm([path])
    assert not thumbnails._workers
    assert thumbnails.many([path]) == [thumbnails.get(path)]


def test_memory_is_flat_over_many_items(thumbnails):
    def draw(numbers):
        for number in numbers:
            thumbnails.get(np.frombuffer(number.to_bytes(4, "big") * 16, np.uint8).reshape(8, 8))

    draw(range(500))
    before = psutil.Process().memory_info().rss
    draw(range(500, 4000))
    assert psutil.Process().memory_info().rss - before < 8e6


# What cannot be shown


@pytest.mark.parametrize(
    "item, says",
    [
        ("/nowhere/bear.jpg", "This file is gone."),
        ("bear\0.jpg", "cannot be read"),
        ("/dev/null", "This is not a file."),
        ("/", "This is not a file."),
        (b"bytes", "given by its path, as a PIL image or as a uint8 array, not as bytes"),
        (None, "not as NoneType"),
        (np.zeros((4, 4, 3)), "not float64 (4, 4, 3)"),
        (np.zeros((4, 4, 4), np.uint8), "not uint8 (4, 4, 4)"),
        (np.zeros((0, 4), np.uint8), "not uint8 (0, 4)"),
    ],
)
def test_what_is_no_picture_is_named(thumbnails, item, says):
    for look in (thumbnails.get, thumbnails.large):
        with pytest.raises(ValueError) as raised:
            look(item)
        assert says in str(raised.value) and "/nowhere" not in str(raised.value)
    assert says in str(thumbnails.many([item])[0])


def test_bombs_are_refused_and_a_pipe_does_not_hang(thumbnails, tmp_path):
    assert "the limit" in str(thumbnails.many([photo(tmp_path / "bomb.jpg", huge_jpeg())])[0])
    os.mkfifo(tmp_path / "pipe.jpg")
    assert "not a file" in str(thumbnails.many([tmp_path / "pipe.jpg"])[0])


def test_a_large_photo_is_decoded_at_a_reduced_size(thumbnails, tmp_path, monkeypatch):
    sizes = []
    monkeypatch.setattr(
        "ipyfastai.models.thumbnails.jpeg", lambda image, side, **_: (sizes.append(image.size), b"\xff\xd8\xff\xd9")[1]
    )
    thumbnails.get(photo(tmp_path / "forest.jpg", large_photo(2)))
    assert max(sizes[0]) < 200


def test_a_bad_side_is_said(tmp_path):
    with pytest.raises(ValueError, match="side must be a whole number"):
        Thumbnails(tmp_path, side=0)


def wait_until(done, seconds=30):
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.01)
