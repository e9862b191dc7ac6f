"""`ImageUpload`: photos, each refused with its reason or there."""

import numpy as np
import pytest
from drawings import HEIC, HTML, UPRIGHT, animation, encoded, huge_jpeg, huge_png, large_photo, plain, quarters, turned
from ipyfastai.widgets import ImageUpload
from PIL import Image
from test_file_upload import A, B, Page


def sent(file, name="photo.jpg", **options):
    page = Page(ImageUpload(**options))
    page.send(A, file, name)
    return page


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_arrives_upright(orientation):
    [upload] = sent(turned(orientation)).widget.value
    upright = UPRIGHT[orientation](quarters())
    assert np.abs(np.asarray(upload.image, int) - upright).mean() < 8


BAD = {
    "web page": (HTML, "web page"),
    "cut off": (plain(size=(300, 300))[:500], "cut off"),
    "heic": (HEIC, "HEIC"),
    "huge PNG": (huge_png(), "50 megapixels"),
    "huge JPEG": (huge_jpeg(), "megapixels"),
    "noise": (bytes(range(128, 256)), "not a picture"),
}


@pytest.mark.parametrize("file, says", BAD.values(), ids=BAD)
def test_what_cannot_be_opened_is_refused_by_name(file, says):
    page = sent(file)
    assert page.states == {A: "refused"}
    assert says in page.messages[A]
    assert page.widget.value == ()


def test_of_an_animation_the_first_picture_is_used_and_said_so():
    page = sent(animation("GIF"))
    assert (page.states, page.messages) == ({A: "ready"}, {A: "It holds several pictures: the first is used."})


def test_max_pixels_is_checked_by_the_first_bytes():
    page = Page(ImageUpload(max_pixels=1000))
    page.select((A, "photo.png", 5_000_000))
    page.say({"type": "head", "id": A}, plain(kind="PNG"))
    assert "60 × 40 pixels" in page.messages[A]


@pytest.mark.parametrize(
    "file, shrink",
    [
        (plain(size=(300, 200)), True),
        (plain(size=(200, 300), kind="PNG"), True),
        (plain(size=(100, 100)), False),  # small enough
        (animation("GIF"), False),  # a browser might take any of its pictures
        (plain(size=(300, 200), kind="TIFF"), False),  # browsers cannot draw it
        (plain(size=(300, 200))[:100], False),  # the header goes on
    ],
)
def test_a_page_is_told_whether_to_shrink(file, shrink):
    page = Page(ImageUpload(max_side=100))
    page.select((A, "photo", len(file)))
    page.say({"type": "head", "id": A}, file)
    go = page.heard[-1]
    assert (go["type"], go["offset"], go.get("shrink", False)) == ("go", 0, shrink)


def test_no_page_is_told_to_shrink_without_max_side():
    page = Page(ImageUpload())
    page.select((A, "photo", 9))
    page.say({"type": "head", "id": A}, plain(size=(9000, 10)))
    assert page.heard[-1]["shrink"] is False


def test_a_browser_may_convert_heic():
    page = Page(ImageUpload())
    page.select((A, "IMG_1.HEIC", 3000))
    page.say({"type": "head", "id": A}, HEIC)
    assert page.heard[-1] == {"type": "go", "id": A, "offset": 0, "convert": True}
    page.say({"type": "refuse", "id": A, "why": "convert"})
    assert "HEIC photo, which this browser cannot open" in page.messages[A]


def test_a_photo_above_max_mb_is_taken_where_it_will_be_shrunk():
    page = Page(ImageUpload(max_mb=1, max_side=100))
    large, small = plain(size=(300, 200)), plain(size=(50, 50))
    page.select((A, "shrinks", 9_000_000), (B, "does not", 9_000_000))
    page.say({"type": "head", "id": A}, large)
    page.say({"type": "head", "id": B}, small)
    assert page.states[B] == "refused" and "9.0 MB; the limit is 1 MB" in page.messages[B]
    page.chunk(A, large)
    assert page.states[A] == "ready"


def test_a_large_photo_arrives_whole():
    file = large_photo(3)
    page = Page(ImageUpload())
    page.select((A, "large.jpg", len(file)))
    for start in range(0, len(file), 500_000):
        page.chunk(A, file[start : start + 500_000], start, len(file))
    assert page.widget.value[0].bytes == file


@pytest.mark.parametrize("options", [{"max_pixels": 0}, {"max_side": 0}, {"max_side": -5}, {"max_mb": 0}])
def test_a_limit_below_one_is_refused_at_construction(options):
    with pytest.raises(ValueError, match="positive"):
        ImageUpload(**options)


def test_gray_16_bit_and_cmyk_arrive_as_rgb():
    for mode in ("L", "LA", "P", "RGBA", "1", "I;16"):
        [upload] = sent(encoded(Image.new(mode, (9, 9)), "PNG")).widget.value
        assert upload.image.mode == "RGB", mode
    [upload] = sent(encoded(Image.new("CMYK", (9, 9)), "JPEG")).widget.value
    assert upload.image.mode == "RGB"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
def test_every_format_arrives_in_several_chunks_too(kind):
    """WebP and TIFF cannot be judged by their first bytes."""
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (700, 900, 3), dtype=np.uint8))
    file = encoded(noise, kind, **({"quality": 100} if kind in ("JPEG", "WEBP") else {}))
    assert len(file) > 512 * 1024
    page = Page(ImageUpload(max_side=320))
    page.select((A, "noise", len(file)))
    page.say({"type": "head", "id": A}, file[: 512 * 1024])
    for offset in range(0, len(file), 500_000):
        page.chunk(A, file[offset : offset + 500_000], offset=offset, total=len(file))
    assert page.states == {A: "ready"}
    assert page.widget.value[0].image.size == (900, 700)
