"""What a visitor can ask the server for besides a running dashboard: the gallery, its pictures, our CSS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tornado.web import HTTPError, StaticFileHandler
from voila.handler import BaseVoilaHandler
from voila.tornado.handler import TornadoVoilaHandler

from .cards import PICTURE_TYPES, cards

STATIC = Path(__file__).parent / "static"

# The gallery and the error pages run no script at all.
STILL_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'"
)


class StillPage(BaseVoilaHandler):
    """A page without scripts, rendered from the templates of this package."""

    @property
    def content_security_policy(self) -> str:
        return STILL_POLICY

    def render_template(self, name: str, **values: Any) -> str:
        template = self.settings["voila_jinja2_env"].get_template(name)
        return template.render(base_url=self.base_url, static=f"{self.base_url}ipyfastai/", **values)


class GalleryHandler(StillPage):
    """A card per dashboard, read anew each time: a notebook that is added shows at once."""

    def initialize(self, folder: str, **kwargs: Any) -> None:
        super().initialize(**kwargs)
        self.folder = folder

    def get(self) -> None:
        self.set_header("Cache-Control", "no-cache")
        self.finish(self.render_template("gallery.html", cards=cards(self.folder)))


class NotFoundHandler(StillPage):
    """Every address that is none."""

    def prepare(self) -> None:
        raise HTTPError(404)


class DashboardHandler(TornadoVoilaHandler):
    """Runs one of the gallery's notebooks, and no other file."""

    def initialize(self, folder: str, **kwargs: Any) -> None:
        super().initialize(**kwargs)
        self.folder = folder

    async def get(self, path: str | None = None) -> None:
        served = {self.notebook_path} if self.notebook_path else {card.file for card in cards(self.folder)}
        if (path or self.notebook_path) not in served:
            raise HTTPError(404)
        asked = self.request.headers
        if asked.get("Sec-Fetch-Site") == "cross-site" and asked.get("Sec-Fetch-Dest") != "document":
            raise HTTPError(403, "A dashboard is opened by a link, not shown inside a page of another site.")
        # Here for a kernel that waits, which is taken without being started.
        self.kernel_manager.admit_visitor()
        # Sets the cookie without which the page, when it is left, may not shut its kernel down.
        self.xsrf_token  # noqa: B018
        await super().get(None if self.notebook_path else path)


class PictureHandler(StaticFileHandler):
    """A file of the `thumbnails` folder that has the ending of a picture."""

    def set_default_headers(self) -> None:
        self.set_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
        self.set_header("X-Content-Type-Options", "nosniff")

    def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
        if Path(absolute_path).suffix not in PICTURE_TYPES:
            raise HTTPError(404)
        return super().validate_absolute_path(root, absolute_path)
