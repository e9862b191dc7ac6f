"""Any file that claims to be a picture -> an upright RGB image, or one sentence that says why not."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator
from os import PathLike
from typing import BinaryIO

import numpy as np
from PIL import (  # a plugin that is not imported is not there: `formats` below only narrows
    BmpImagePlugin,  # noqa: F401
    GifImagePlugin,  # noqa: F401
    Image,
    ImageOps,
    JpegImagePlugin,  # noqa: F401
    PngImagePlugin,  # noqa: F401
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,  # noqa: F401
)

# Under these limits a process was measured to need 230 to 430 MB for a picture of any kind, 520 for a
# progressive JPEG, 620 for one in CMYK.
MAX_PIXELS = 50_000_000
MAX_JPEG_PIXELS = 100_000_000  # of a JPEG that can be decoded at half its size, row by row
MAX_WEBP_PIXELS = 30_000_000  # its decoder takes 16 bytes for each
# A closed list: Pillow opens many more, among them EPS, which runs Ghostscript.
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF")
READABLE = "JPEG, PNG, WebP, GIF, BMP or TIFF"

_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")

# What Pillow's plugins raise on bytes that make no sense, beyond UnidentifiedImageError.
_DECODE_ERRORS = (
    OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, ArithmeticError, struct.error
)  # fmt: skip


class TruncatedImage(ValueError):
    """The bytes begin like a picture and end too soon."""


def open_image(
    source: str | PathLike | bytes | BinaryIO, *, max_pixels: int | None = None, at_least: int | None = None
) -> Image.Image:
    """An upright RGB image from a file's path, its bytes or an open binary file.

    >>> open_image("photo.jpg").mode
    'RGB'

    EXIF orientation is applied, transparency lies on white, 16-bit values are scaled to 8, and of
    an animation or a file of several pages the first is taken (`image.info["frames"]` is then 2,
    whatever their number, and 1 for a single picture).
    `at_least` lets a JPEG be decoded at a half, a quarter or an eighth of its size, with neither
    side below that many pixels: several times quicker where a small picture is all that is needed.
    `max_pixels` is the most that the file may have, width times height; by default MAX_PIXELS,
    MAX_WEBP_PIXELS for WebP, and MAX_JPEG_PIXELS for a JPEG in one scan, which above MAX_PIXELS
    comes at half its size or less (`image.info["original_size"]` tells the file's own).
    Raises ValueError with a sentence for a person when this is no picture, is damaged or cut off,
    or has more than `max_pixels` pixels; OSError only where the path itself cannot be read.
    """
    image = probe(source, max_pixels=max_pixels)
    try:
        kind, size, frames = image.format, image.size, 1 + _has_more(image)
        _draft(image, at_least, halve=max_pixels is None)
        ImageOps.exif_transpose(image, in_place=True)
        rgb = to_rgb(image)
    except _DECODE_ERRORS as error:
        raise _damage(error) from error
    rgb.info = {"format": kind, "frames": frames, "original_size": size}
    return rgb


def probe(source: str | PathLike | bytes | BinaryIO, *, max_pixels: int | None = None) -> Image.Image:
    """The file's header as a Pillow image with `format` and `size`, its pixels not yet decoded.

    >>> probe("photo.jpg").size
    (4032, 3024)

    Raises ValueError like `open_image`, from the first kilobytes alone.
    """
    head = _head(source)
    if not head:
        raise ValueError("This file is empty (0 bytes).")
    try:
        image = Image.open(io.BytesIO(source) if isinstance(source, bytes) else source, formats=FORMATS)
        width, height = image.size
        limit = _default_limit(image) if max_pixels is None else max_pixels
        part = _part_bytes(image)
    except Image.DecompressionBombError as error:
        limit = max_pixels or (MAX_JPEG_PIXELS if head.startswith(b"\xff\xd8") else MAX_PIXELS)
        raise ValueError(f"This picture has far more than {_megapixels(limit)}, the limit. Make it smaller.") from error
    except UnidentifiedImageError as error:
        raise ValueError(_what_instead(head)) from error
    except _DECODE_ERRORS as error:
        raise _damage(error) from error
    if width * height > limit:
        raise ValueError(
            f"This picture is {width:,} × {height:,} pixels ({_megapixels(width * height)}); "
            f"the limit is {_megapixels(limit)}. Make it smaller."
        )
    if part > 4 * max(limit, MAX_PIXELS):
        raise ValueError("This picture would take too much memory to open. Save it as JPEG or PNG first.")
    return image


def jpeg(image: Image.Image, side: int, *, quality: int = 85) -> bytes:
    """The image as JPEG bytes, its longer side at most `side` pixels.

    >>> jpeg(Image.new("RGB", (400, 300)), 100)[:2]
    b'\\xff\\xd8'
    """
    small = image.convert("RGB")
    small.thumbnail((side, side), Image.Resampling.BILINEAR, reducing_gap=2.0)
    out = io.BytesIO()
    small.save(out, "JPEG", quality=quality)
    return out.getvalue()


def is_heic(head: bytes) -> bool:
    """Whether a file that begins so is a HEIC/HEIF photo, as iPhones take them (ISO/IEC 23008-12)."""
    return head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS


def _megapixels(pixels: int) -> str:
    return f"{pixels / 1e6:,.{0 if pixels >= 1e7 else 2}f} megapixels"


def _damage(error: Exception) -> ValueError:
    # Pillow tells a file that is cut off from a damaged one only by its words.
    if isinstance(error, EOFError) or "truncated" in str(error).lower():
        return TruncatedImage("This picture is cut off: its end is missing. Copy or download it again.")
    return ValueError("This picture is damaged and cannot be opened.")


def _head(source: str | PathLike | bytes | BinaryIO) -> bytes:
    if isinstance(source, bytes):
        return source[:512]
    if hasattr(source, "read"):
        head = source.read(512)
        source.seek(0)
        return head
    with open(source, "rb") as file:
        return file.read(512)


def _what_instead(head: bytes) -> str:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if is_heic(head):
        return (
            "This is a HEIC photo, which cannot be opened here. Save it as JPEG first (on an iPhone: "
            "Settings, Camera, Formats, Most Compatible)."
        )
    if b"<svg" in start:
        return "This is an SVG drawing, not a photo. Export it as PNG or JPEG first."
    if start.startswith((b"<!doctype", b"<html", b"<head", b"<body", b"<?xml")):
        return "This is a web page, not a photo, whatever its name says. Save the picture itself."
    if start.startswith(b"%pdf"):
        return "This is a PDF document, not a photo. Save the page as PNG or JPEG first."
    if start.isascii() and b"\0" not in start:
        return "This is a text file, not a photo, whatever its name says."
    return f"This is not a picture that can be opened here: use {READABLE}."


def _has_more(image: Image.Image) -> bool:
    """Whether pictures follow the first. They are not counted: a small file can hold 100,000."""
    # The second picture in a phone's MPO file is a depth map or a preview, not a page.
    return image.format != "MPO" and getattr(image, "is_animated", False)


def _draft(image: Image.Image, at_least: int | None, *, halve: bool) -> None:
    """Let a JPEG be decoded at a reduced size where a small one will do, or the full one is too large."""
    if image.format not in ("JPEG", "MPO"):
        return
    width, height = image.size
    if halve and width * height > MAX_PIXELS:
        half = min(width, height) // 2
        at_least = min(at_least or half, half)
    if at_least:
        image.draft("RGB", (at_least, at_least))


def _default_limit(image: Image.Image) -> int:
    if image.format == "WEBP":
        return MAX_WEBP_PIXELS
    if image.format in ("JPEG", "MPO") and image.width * image.height > MAX_PIXELS and _in_one_scan(image):
        return MAX_JPEG_PIXELS
    return MAX_PIXELS


def _in_one_scan(image: Image.Image) -> bool:
    """Whether a JPEG's first scan holds all its components (ITU-T T.81, B.2.3); others are kept whole."""
    if "progressive" in image.info:
        return False
    position = image.fp.tell()
    image.fp.seek(2)
    marker, length = image.fp.read(2), 2
    while b"\xff\xc0" <= marker < b"\xff\xff" and length >= 2:
        length = int.from_bytes(image.fp.read(2), "big")
        if marker == b"\xff\xda":
            break
        image.fp.seek(length - 2, io.SEEK_CUR)
        marker = image.fp.read(2)
    components = image.fp.read(1)
    image.fp.seek(position)
    return marker == b"\xff\xda" and components == bytes([image.layers])


def _part_bytes(image: Image.Image) -> int:
    """The size of a TIFF's tile or strip, which is decoded whole; a tile may be larger than its picture."""
    if image.format != "TIFF":
        return 0
    tags, width, height = image.tag_v2, *image.size
    columns = int(tags.get(TiffImagePlugin.TILEWIDTH, width))
    rows = int(tags.get(TiffImagePlugin.TILELENGTH, min(height, tags.get(TiffImagePlugin.ROWSPERSTRIP, height))))
    bits = max(tags.get(TiffImagePlugin.BITSPERSAMPLE, (1,))) * tags.get(TiffImagePlugin.SAMPLESPERPIXEL, 1)
    return columns * rows * bits // 8


def to_rgb(image: Image.Image) -> Image.Image:
    """An image of any mode in RGB: transparency on white, 16-bit values and floats scaled to 8 bits.

    >>> to_rgb(Image.new("LA", (1, 1), (0, 51))).getpixel((0, 0))
    (204, 204, 204)
    """
    if image.mode == "RGB" and "transparency" not in image.info:
        return image._new(image.im)  # the same pixels without the file, which nobody else holds
    scale = _scale(image)
    rgb = Image.new("RGB", image.size, "white")
    for top, strip in _strips(image):
        if scale:
            strip = Image.fromarray(scale(np.asarray(strip)))
        if strip.mode in ("RGBA", "LA", "PA") or "transparency" in strip.info:
            strip = strip.convert("RGBA")
            rgb.paste(strip, (0, top), mask=strip)
        else:
            rgb.paste(strip.convert("RGB"), (0, top))
    return rgb


def _strips(image: Image.Image, pixels: int = 1 << 20) -> Iterator[tuple[int, Image.Image]]:
    """The picture from its top row downwards, so that nothing is held twice at full size."""
    rows = max(1, pixels // image.width)
    for top in range(0, image.height, rows):
        yield top, image.crop((0, top, image.width, min(top + rows, image.height)))


def _scale(image: Image.Image) -> Callable[[np.ndarray], np.ndarray] | None:
    """What makes 8 bits of wider values: 16 bits by their full range; others, whose range no header
    tells, from their least to their most. None where there is nothing to scale."""
    if not (image.mode.startswith("I") or image.mode == "F"):
        return None
    ends = [(values.min(), values.max()) for values in map(_finite, _strips(image))]
    low, high = float(min(low for low, _ in ends)), float(max(high for _, high in ends))
    if image.mode != "F" and low >= 0 and high <= 65535:
        return lambda values: (values.astype(np.uint32) >> 8).astype(np.uint8)
    step = 255 / (high - low or 1)
    return lambda values: ((np.nan_to_num(values.astype(np.float64)) - low) * step).astype(np.uint8)


def _finite(strip: tuple[int, Image.Image]) -> np.ndarray:
    return np.nan_to_num(np.asarray(strip[1]))
