"""Pictures and files that the tests draw, so that the core is covered without any data set."""

import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

DATA = Path(os.environ.get("IPYFASTAI_DATA") or Path(__file__).parents[2] / "shared" / "data")

LIGHT, DARK, RED = (250, 250, 250), (20, 20, 20), (255, 0, 0)

HTML = b"<!DOCTYPE html>\n<html><head><title>404: Page not found</title></head><body></body></html>\n"
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"></svg>'
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n"
# The first box of a HEIC file (ISO/IEC 14496-12: size, "ftyp", major brand, version, other brands).
HEIC = struct.pack(">I4s4sI8s", 24, b"ftyp", b"heic", 0, b"mif1heic") + bytes(2000)

# What each EXIF orientation asks of the stored pixels, in NumPy's words (CIPA DC-008, tag 0x0112).
UPRIGHT = {
    1: lambda pixels: pixels,
    2: np.fliplr,
    3: lambda pixels: np.rot90(pixels, 2),
    4: np.flipud,
    5: lambda pixels: np.swapaxes(pixels, 0, 1),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: np.swapaxes(np.rot90(pixels, 2), 0, 1),
    8: lambda pixels: np.rot90(pixels, 1),
}


def encoded(image, kind="JPEG", **options):
    """The image as a file's bytes."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def plain(colour=LIGHT, size=(60, 40), kind="JPEG", **options):
    """A picture of one colour as a file's bytes."""
    return encoded(Image.new("RGB", size, colour), kind, **options)


def quarters(width=96, height=64):
    """An image whose four quarters differ: red, green / blue, white."""
    pixels = np.zeros((height, width, 3), np.uint8)
    top, left = height // 2, width // 2
    pixels[:top, :left], pixels[:top, left:] = (255, 0, 0), (0, 255, 0)
    pixels[top:, :left], pixels[top:, left:] = (0, 0, 255), (255, 255, 255)
    return pixels


def turned(orientation, pixels=None, kind="JPEG", **options):
    """A file that holds `pixels` as they are and an EXIF orientation."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = Image.fromarray(quarters() if pixels is None else pixels)
    return encoded(image, kind, exif=exif, **({"quality": 95} if kind == "JPEG" else {}), **options)


def animation(kind="GIF", colours=(LIGHT, DARK, RED)):
    """An animated GIF or a TIFF with several pages, one for each colour."""
    first, *rest = [Image.new("RGB", (40, 30), colour) for colour in colours]
    return encoded(first, kind, save_all=True, append_images=rest)


def large_photo(megabytes, seed=0):
    """A JPEG of noise with at least that many megabytes: what a good camera makes of a forest."""
    side = round((megabytes * 1e6 / 1.5) ** 0.5)
    noise = np.random.default_rng(seed).integers(0, 256, (side, side, 3), np.uint8)
    file = encoded(Image.fromarray(noise), quality=92, subsampling=2)
    # JPEG readers stop at the end marker: what lies behind it only makes the file large.
    return file + bytes(max(0, round(megabytes * 1e6) - len(file)))


def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def huge_png(side=20_000):
    """A sound PNG of `side` × `side` white pixels, one bit each, in a few kilobytes."""
    packer = zlib.compressobj(9)
    row = b"\0" + b"\xff" * (side // 8)
    body = b"".join(packer.compress(row * 100) for _ in range(side // 100)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", body) + png_chunk(b"IEND", b"")


def huge_jpeg(side=20_000):
    """A JPEG whose header (marker SOF0) says `side` × `side` pixels."""
    file = bytearray(plain())
    at = file.index(b"\xff\xc0") + 5  # marker, length, precision; then height and width
    file[at : at + 4] = struct.pack(">HH", side, side)
    return bytes(file)


def sixteen_bit_png(values):
    """A grayscale PNG with 16 bits for each of the `values`."""
    return encoded(Image.fromarray(np.asarray(values, np.uint16)), "PNG")
