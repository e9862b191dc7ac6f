"""One picture."""

import anywidget
from traitlets import Bytes, Unicode

from .assets import joined


class Picture(anywidget.AnyWidget):
    """A picture with a description for those who do not see it, and a caption.

    >>> Picture(Path("bear.jpg").read_bytes(), alt="A bear by a river", caption="bear.jpg")

    `value` holds the bytes of a JPEG; empty bytes show nothing.
    """

    _esm = joined("dom.js", "picture.js")
    _css = joined("base.css", "picture.css")

    value = Bytes(help="a JPEG's bytes").tag(sync=True)
    alt = Unicode(help="what a screen reader says").tag(sync=True)
    caption = Unicode(help="text below the picture").tag(sync=True)

    def __init__(self, value: bytes = b"", *, alt: str = "", caption: str = "", **kwargs):
        super().__init__(value=value, alt=alt, caption=caption, **kwargs)
