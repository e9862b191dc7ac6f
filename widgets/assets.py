"""The JavaScript and CSS that lie beside the widgets."""

from pathlib import Path

_HERE = Path(__file__).parent


def joined(*names: str) -> str:
    """The named files as one text, in order.

    >>> joined("dom.js", "file_upload.js")

    A widget's module is one text (anywidget imports it from a blob, where relative imports cannot
    resolve), so what several widgets need stands in a file of its own and is joined in front.
    """
    return "\n".join((_HERE / name).read_text(encoding="utf-8") for name in names)
