"""Any file that claims to be a picture -> an upright RGB image, or one sentence that says why not."""

from __future__ import annotations

import io
import struct
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
    TiffImagePlugin,  # noqa: F401
    UnidentifiedImageError,
    WebPImagePlugin,  # noqa: F401
)

MAX_PIXELS = 100_000_000
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
    source: str | PathLike | bytes | BinaryIO, *, max_pixels: int = MAX_PIXELS, at_least: int | None = None
) -> Image.Image:
    """An upright RGB image from a file's path, its bytes or an open binary file.

    >>> open_image("photo.jpg").mode
    'RGB'

    EXIF orientation is applied, transparency lies on white, 16-bit values are scaled to 8, and of
    an animation or a file of several pages the first is taken (`image.info["frames"]` counts them).
    `at_least` lets a JPEG be decoded at a half, a quarter or an eighth of its size, with neither
    side below that many pixels: several times quicker where a small picture is all that is needed.
    Raises ValueError with a sentence for a person when this is no picture, is damaged or cut off,
    or has more than `max_pixels` pixels; OSError only where the path itself cannot be read.
    """
    image = probe(source, max_pixels=max_pixels)
    try:
        # The second picture in a phone's MPO file is a depth map or a preview, not a page.
        size, frames = image.size, 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
        if at_least and image.format in ("JPEG", "MPO"):
            image.draft("RGB", (at_least, at_least))
        rgb = _to_rgb(ImageOps.exif_transpose(image))
    except _DECODE_ERRORS as error:
        raise _damage(error) from error
    rgb.info = {"format": image.format, "frames": frames, "original_size": size}
    return rgb


def probe(source: str | PathLike | bytes | BinaryIO, *, max_pixels: int = MAX_PIXELS) -> Image.Image:
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
    except Image.DecompressionBombError as error:
        limit = f"{max_pixels / 1e6:,.0f} megapixels"
        raise ValueError(f"This picture has far more than {limit}, the limit. Make it smaller.") from error
    except UnidentifiedImageError as error:
        raise ValueError(_what_instead(head)) from error
    except _DECODE_ERRORS as error:
        raise _damage(error) from error
    if width * height > max_pixels:
        raise ValueError(
            f"This picture is {width:,} × {height:,} pixels ({width * height / 1e6:,.0f} megapixels); "
            f"the limit is {max_pixels / 1e6:,.0f} megapixels. Make it smaller."
        )
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


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":
        image = Image.fromarray(_to_8_bit(np.asarray(image), image.mode))
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    # A copy in every case, so that nobody who changes it changes the source's pixels.
    return image.convert("RGB") if image.mode != "RGB" else image.copy()


def _to_8_bit(values: np.ndarray, mode: str) -> np.ndarray:
    """16-bit gray by its full range; floats, whose range no header tells, from their least to their most."""
    if mode != "F" and values.min(initial=0) >= 0 and values.max(initial=0) <= 65535:
        return (values.astype(np.uint32) >> 8).astype(np.uint8)
    values = np.nan_to_num(values.astype(np.float64))
    low, high = values.min(), values.max()
    return ((values - low) * (255 / (high - low or 1))).astype(np.uint8)
