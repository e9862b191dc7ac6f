"""Projects of earlier visits: gone on with, deleted, brought back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from ...models.deleted_projects import DeletedProjects
from ...models.projects import Project, projects
from ..form import Field, Form


class EarlierProjects(Form):
    """Choose a project of an earlier visit and go on with it, or delete it; deleted ones can be brought back.

    >>> EarlierProjects("work", open_here=lambda: None, go_on=open_project, run=job.run, say=job.say)

    `workspace` has the folders `projects` and `photos`. `go_on(project)` is called for the chosen one, `open_here()`
    is the one that this page has open; `run` and `say` are those of a `Job`. Nothing can be deleted where `may_delete`
    is False: everybody who comes to a public server sees the same projects, and none of them is this visitor's more
    than another's. What is deleted is moved aside. Only removing it for good is asked about once more; it takes the
    photos along that were fetched for it.
    """

    def __init__(
        self,
        workspace: Path,
        *,
        open_here: Callable[[], Project | None],
        go_on: Callable[[Project], Any],
        run: Callable[..., bool],
        say: Callable[..., None],
        may_delete: bool = True,
    ):
        super().__init__(label="Earlier projects", changed=self._changed, pressed=self._press)
        self._folder = workspace / "projects"
        self._deleted = DeletedProjects(self._folder, photos=workspace / "photos")
        self._open_here, self._go_on, self._run, self._say, self._may_delete = open_here, go_on, run, say, may_delete
        self._sure: Project | None = None  # what is asked about before it is removed for good
        self.list()

    def list(self) -> None:
        """Read the workspace again."""
        self._earlier = projects(self._folder)
        self._aside = self._deleted.listed() if self._may_delete else []
        self.forget("project", "aside")
        self._sure = None
        self._draw()

    def _draw(self) -> None:
        fields = []
        if self._earlier:
            names = [f"{project.name}, {_when(project)}" for project in self._earlier]
            fields += [
                Field("project", "Earlier projects", "select", options=names),
                Field("open", "Go on with it", "button"),
            ]
            if self._may_delete:
                fields.append(Field("delete", "Delete it", "button", primary=False))
        if self._aside:
            names = [f"{project.name}, {_when(project)}" for project in self._aside]
            fields += [
                Field("aside", "Deleted projects", "select", options=names),
                Field("restore", "Bring it back", "button", primary=False),
                # One button: it keeps the focus, and a second click takes the first back.
                Field("remove", "No, keep it" if self._sure else "Remove it for good…", "button", primary=False),
            ]
            if self._sure is not None:
                yes = f"Yes, remove {self._sure.name}, its runs and the photos that were fetched for it"
                fields.append(Field("yes", yes, "button"))
        self.show(fields)

    def _changed(self, name: str) -> None:
        if name == "aside" and self._sure is not None:
            self._sure = None
            self._draw()

    def _press(self, name: str) -> None:
        chosen = self._earlier[self["project"]] if self._earlier else None
        aside = self._aside[self["aside"]] if self._aside else None
        here = self._open_here()
        if name == "open":
            self._go_on(chosen)
        elif name == "delete" and here is not None and here.folder == chosen.folder:
            self._say(f"{chosen.name} is open here: reload the page, then it can be deleted.", bad=True)
        elif name == "delete":
            self._do(self._deleted.add, chosen, f"{chosen.name} is deleted, and can be brought back.")
        elif name == "restore":
            self._do(self._deleted.restore, aside, f"{aside.name} is back.")
        elif name == "yes":
            self._do(self._deleted.remove, self._sure, f"{self._sure.name} is removed.")
        else:
            self._sure = aside if self._sure is None else None
            self._draw()

    def _do(self, work: Callable[[str], None], project: Project, said: str) -> None:
        def done(_: None) -> None:
            self.list()
            self._say(said)

        self._run(lambda progress: work(project.folder.name), then=done)


def _when(project: Project) -> str:
    """When it was begun, to the second: two of one name can be told apart."""
    try:
        return f"{datetime.fromisoformat(project.facts['created']).astimezone():%Y-%m-%d %H:%M:%S}"
    except (KeyError, TypeError, ValueError):
        return "begun at an unknown time"
