"""The scripts and styles of a page: compressed once, and kept by browsers that have seen them.

A page loads about 100 files. Voila sends 5.3 MB of them, and has each asked for again at every visit: over
localhost that is little, over the internet it is most of the wait. Here they are 1.5 MB, asked for once.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import voila
from voila.static_file_handler import MultiStaticFileHandler

COMPRESSED_TYPES = {".js", ".css", ".svg", ".json", ".html"}
ONE_YEAR = 365 * 24 * 3600

# Voila's own scripts are called 9212.voila.js in every version, so the version has to be in the address.
VERSIONED_STATIC = f"voila/static-{voila.__version__}"

# Those of JupyterLab extensions carry a digest of their content in their name.
DIGEST = re.compile(r"\.[0-9a-f]{8,}\.js$")


class AssetHandler(MultiStaticFileHandler):
    """Files below any of `paths`; `lasting` says that what an address gives will never change."""

    def initialize(self, paths: list[str], lasting: bool = False) -> None:
        super().initialize(paths)
        self.lasting = lasting

    @property
    def compressed(self) -> bool:
        return (
            Path(self.absolute_path).suffix in COMPRESSED_TYPES
            and "gzip" in self.request.headers.get("Accept-Encoding", "")
            and "Range" not in self.request.headers  # a part of the file, not of its compressed form
        )

    def get_cache_time(self, path: str, modified: datetime | None, mime_type: str) -> int:
        if self.lasting or DIGEST.search(path):
            return ONE_YEAR
        return super().get_cache_time(path, modified, mime_type)

    def set_extra_headers(self, path: str) -> None:
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Vary", "Accept-Encoding")
        if self.compressed:
            self.set_header("Content-Encoding", "gzip")

    @classmethod
    def get_content_version(cls, abspath: str) -> str:
        return hashlib.sha256(Path(abspath).read_bytes()).hexdigest()

    def get_content_size(self) -> int:
        return len(compress(self.absolute_path)) if self.compressed else super().get_content_size()

    def get_content(self, abspath: str, start: int | None = None, end: int | None = None) -> bytes | Iterable[bytes]:
        return compress(abspath) if self.compressed else super().get_content(abspath, start, end)


@lru_cache(maxsize=1000)
def compress(path: str) -> bytes:
    return gzip.compress(Path(path).read_bytes(), compresslevel=6, mtime=0)
