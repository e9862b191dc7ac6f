"""Photos from a visitor's browser or phone."""

from __future__ import annotations

from PIL import Image

from ..models.images import TruncatedImage, is_heic, probe
from .file_upload import FileUpload
from .uploads import Transfer, Upload

# WebP and TIFF: Pillow opens nothing less than the whole file.
_NEED_THE_END = (b"RIFF", b"II*\0", b"MM\0*")


class ImageUpload(FileUpload):
    """Photos by drag and drop, paste, file or folder chooser, or a phone's camera.

    >>> upload = ImageUpload(max_side=1280)
    >>> upload.observe(lambda change: print([photo.image.size for photo in change.new]), "value")

    `value` is a tuple of `Upload`s (`name`, `size`, `bytes`, and `image`, an upright RGB
    `PIL.Image`). With `max_side` the browser shrinks photos that are longer than that and larger than
    half a megabyte before it sends them; the others arrive as they are. What is no picture, is
    damaged, or has more than `max_pixels` pixels (None: the defaults of `open_image`) is refused with a
    sentence beside its name.
    Raises ValueError for a limit that is not positive.
    """

    noun = "photo"

    def __init__(
        self,
        *,
        label: str = "Add photos",
        max_side: int | None = None,
        max_pixels: int | None = None,
        **kwargs,
    ):
        if any(limit is not None and limit < 1 for limit in (max_pixels, max_side)):
            raise ValueError(f"max_pixels and max_side must be positive, got {max_pixels} and {max_side}")
        self.max_side = max_side
        self.max_pixels = max_pixels
        super().__init__(label=label, **{"accept": "image/*", **kwargs})

    def _page_options(self) -> dict:
        return {"images": True, "max_side": self.max_side}

    def _may_shrink(self) -> bool:
        return self.max_side is not None

    def _check_head(self, transfer: Transfer, head: bytes) -> dict:
        if is_heic(head):
            # Safari decodes these, most browsers do not: the page tries, and says so if it cannot.
            return {"convert": True}
        try:
            image = probe(head, max_pixels=self.max_pixels)
        except TruncatedImage:
            return {}  # the header goes on beyond the first bytes: look again when all is here
        except ValueError:
            if head.startswith(_NEED_THE_END):
                return {}
            raise
        shrink = self.max_side is not None and max(image.size) > self.max_side and _shrinks_well(image)
        if transfer.size > self.max_mb * 1e6 and not shrink:
            raise ValueError(self._too_large(transfer.size))
        return {"shrink": shrink}

    def _finish(self, transfer: Transfer) -> Upload:
        return transfer.finish(max_pixels=self.max_pixels)

    def _check(self, upload: Upload) -> str:
        several = upload.picture(at_least=64).info["frames"] > 1
        return "It holds several pictures: the first is used." if several else ""

    def _unreadable(self, transfer: Transfer, why) -> str:
        if why == "convert":
            return (
                "This is a HEIC photo, which this browser cannot open. Save it as JPEG first "
                "(on an iPhone: Settings, Camera, Formats, Most Compatible)."
            )
        return super()._unreadable(transfer, why)


def _shrinks_well(image: Image.Image) -> bool:
    """Whether a browser can redraw it: not TIFF, and no animation, of which it might take any frame."""
    if image.format in ("PNG", "WEBP"):
        return not image.is_animated
    return image.format in ("JPEG", "MPO", "BMP")
