"""Projects on disk: photos, labels, runs and what was published, kept from one visit to the next."""

from __future__ import annotations

import json
import os
import re
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .cleaning.locks import locked
from .progress import Cancelled, Progress
from .training.files import read_json, write_json, write_whole

if TYPE_CHECKING:
    import pandas as pd

FACTS, ITEMS = "project.json", "items.csv"
ANY_BYTES = "surrogateescape"  # the name of a file need not be UTF-8 (PEP 383)
MOST_LISTED = 50
PACE = 0.2  # seconds between two looks at whether a project has been let go of


@dataclass
class Project:
    """One folder: `photos/` (or another folder that holds them), `items.csv`, `runs/`, `published/`, `project.json`.

    >>> project = Project.new("work", "Bears")
    >>> project.save(rate=0.002)
    >>> Project.open(project.folder).facts["rate"]
    0.002

    `facts` are plain values: "name", "created", "photos" (a folder), and what `save` adds. While it is
    open, no other process can open it: the system lets go of the lock with the process.
    """

    folder: Path
    facts: dict[str, Any] = field(default_factory=dict)
    _held: ExitStack = field(default_factory=ExitStack, repr=False)

    @classmethod
    def new(cls, workspace: str | os.PathLike, name: str) -> Project:
        """A new project below `workspace`, in a folder called like it."""
        workspace = Path(workspace)
        workspace.mkdir(mode=0o700, parents=True, exist_ok=True)
        stem = re.sub(r"[\W_]+", "-", name).strip("-")[:40] or "project"
        for number in range(1, 10_000):
            folder = workspace / (stem if number == 1 else f"{stem}-{number}")
            try:
                folder.mkdir(mode=0o700)
            except FileExistsError:
                continue
            project = cls(folder)
            project._hold()
            project.save(name=name, created=datetime.now(timezone.utc).isoformat(timespec="seconds"))
            return project
        raise RuntimeError(f"There are ten thousand projects called {name!r}.")

    @classmethod
    def open(cls, folder: str | os.PathLike, *, patience: float = 0, progress: Progress | None = None) -> Project:
        """A project that is there; ValueError where it is none, is damaged, or is open elsewhere.

        It is waited for `patience` seconds: a page that was closed holds it until its kernel has ended.
        """
        project = cls(Path(folder))
        project.facts = read_facts(project.folder)
        project._hold(patience, progress)
        if patience:  # whoever had it may have changed it meanwhile
            project.facts = read_facts(project.folder)
        return project

    @property
    def name(self) -> str:
        return self.facts.get("name") or self.folder.name

    @property
    def photos(self) -> Path:
        """Where its photos lie."""
        return self.folder / self.facts.get("photos", "photos")

    @property
    def runs(self) -> Path:
        return self.folder / "runs"

    @property
    def published(self) -> Path:
        return self.folder / "published"

    def save(self, **facts: Any) -> None:
        """Add to what is known of it; a value of None takes one away. All of the file is written, or none of it."""
        self.facts = {name: value for name, value in {**self.facts, **facts}.items() if value is not None}
        write_json(self.folder / FACTS, self.facts)

    def save_items(self, items: pd.DataFrame) -> None:
        """Keep which photo has which label and lies on which side of the split."""
        from .data.items import paths

        names = paths((os.path.relpath(item, self.photos) for item in items["item"]), items.index)
        table = items[["label", "split"]].astype(str).assign(item=names)[["item", "label", "split"]]
        write_whole(self.folder / ITEMS, lambda part: table.to_csv(part, index=False, errors=ANY_BYTES))

    def load_items(self) -> pd.DataFrame | None:
        """The items as they were kept, with absolute paths; None where none were, or photos have gone since."""
        import pandas as pd

        from .data.items import paths

        try:
            kinds = {"item": object, "label": str, "split": str}
            options = {"dtype": kinds, "keep_default_na": False, "encoding_errors": ANY_BYTES}
            table = pd.read_csv(self.folder / ITEMS, **options)
            files = [self.photos / item for item in table["item"]]
        except (FileNotFoundError, KeyError, ValueError):
            return None
        if not len(table) or not {"label", "split"} <= set(table) or not all(map(os.path.isfile, files)):
            return None
        return table.assign(item=paths(map(os.path.abspath, files)))[["item", "label", "split"]]

    def close(self) -> None:
        """Let others open it."""
        self._held.close()

    def _hold(self, patience: float = 0, progress: Progress | None = None) -> None:
        file = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        self._held.callback(os.close, file)
        deadline = time.monotonic() + patience
        while True:
            try:
                self._held.enter_context(locked(file, patience=0))
                return
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    self._held.close()
                    sentence = f"The project {self.name!r} is open in another page: close that one first."
                    raise ValueError(sentence) from None
            try:
                if progress is not None:
                    progress.report(0, None, "Waiting for the earlier page to close…")
            except Cancelled:
                self._held.close()
                raise
            time.sleep(PACE)


def projects(workspace: str | os.PathLike) -> list[Project]:
    """The projects below a folder, the newest first; those that cannot be read are left out.

    >>> [project.name for project in projects("work")]
    ['Bears', 'Digits']
    """
    found = []
    for path in Path(workspace).glob(f"*/{FACTS}"):
        try:
            found.append(Project(path.parent, read_facts(path.parent)))
        except ValueError:
            continue
    found.sort(key=lambda project: str(project.facts.get("created", "")), reverse=True)
    return found[:MOST_LISTED]


def read_facts(folder: Path) -> dict[str, Any]:
    try:
        facts = read_json(folder / FACTS)
    except FileNotFoundError:
        raise ValueError(f"There is no project {folder.name!r}.") from None
    except (OSError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"The project {folder.name!r} cannot be read.") from error
    if not isinstance(facts, dict):
        raise ValueError(f"The project {folder.name!r} cannot be read.")
    return facts
