"""Projects that were deleted and can be brought back."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from .deleted import Deleted
from .projects import FACTS, Project, read_facts


class DeletedProjects(Deleted):
    """Projects moved aside, not while a page has them open or a training of theirs goes on.

    >>> deleted = DeletedProjects("work/projects", photos="work/photos")
    >>> deleted.add("Bears")
    >>> deleted.restore("Bears")

    Where the name of its folder has been taken meanwhile, a project gets another; `restore` does not change what it
    is called. `remove` takes the photos along that were fetched into `photos` for this project and that no other one
    looks at; photos anywhere else are nobody's to remove.
    """

    noun, mark = "project", FACTS

    def __init__(self, folder: str | os.PathLike, *, photos: str | os.PathLike):
        super().__init__(folder)
        self._photos = Path(photos)

    @contextmanager
    def unused(self, path: Path) -> Iterator[None]:
        from .training.run_folder import RunFolder

        with closing(Project.open(path)) as project:
            if any(RunFolder(run.parent).is_held() for run in project.runs.glob("*/settings.json")):
                raise ValueError(f"A training of {project.name!r} is going on: stop it first.")
            yield

    def listed(self) -> list[Project]:
        """The deleted projects that can be read, by name."""
        found = []
        for path in self.paths():
            try:
                found.append(Project(path, read_facts(path)))
            except ValueError:
                continue
        return sorted(found, key=lambda project: project.name)

    def remove(self, name: str) -> None:
        self._check(self.aside, name)
        fetched = self._fetched_for(self.aside / name)
        super().remove(name)
        if fetched is not None:
            shutil.rmtree(fetched)

    def _fetched_for(self, path: Path) -> Path | None:
        """The folder that was made for its photos, None where there is none or another project may need it."""
        home = self._photos.resolve()
        folder = home / _below(home, path)[0] if _below(home, path) else None
        others = [other.parent for parent in (self.folder, self.aside) for other in parent.glob(f"*/{FACTS}")]
        try:
            shared = folder is None or any(_below(folder, other) is not None for other in others if other != path)
        except ValueError:  # nobody knows what a damaged one looks at
            return None
        return None if shared or not folder.is_dir() else folder

    def _move(self, source: Path, target: Path, name: str) -> None:
        taken = {path.name for path in target.iterdir()}
        free = next(new for new in (name, *(f"{name}-{number}" for number in range(2, 10_000))) if new not in taken)
        os.rename(source / name, target / free)


def _below(folder: Path, project: Path) -> tuple[str, ...] | None:
    """The way from a folder to the photos of a project, None where they lie elsewhere."""
    photos = Project(project, read_facts(project)).photos.resolve()
    return photos.relative_to(folder).parts if photos.is_relative_to(folder) else None
