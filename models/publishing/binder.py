"""A folder that Binder turns into a page where anybody can try a classifier."""

from __future__ import annotations

import json
import os
import re
import shutil
from importlib.metadata import version
from pathlib import Path
from urllib.parse import quote

from ..card import ModelCard
from ..classifier import Classifier
from .publish import slug

MAX_FILE = 100_000_000  # bytes: GitHub takes no larger file

_REPOSITORY = re.compile(r"[A-Za-z0-9](?:-?[A-Za-z0-9]){0,38}/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}")

# Read by `ipyfastai.dashboards.proxy` when the server of the Binder asks it for the dashboards.
_START = """\
#!/bin/bash
# Binder runs this in the repository, before its server: the notebooks here are what is served.
export IPYFASTAI_DASHBOARDS="$PWD"
exec "$@"
"""

_ENVIRONMENT = """\
# What Binder installs: inference on a small CPU, no torch.
name: {stem}
channels:
  - conda-forge
  - nodefaults
dependencies:
  - python=3.12
  - pip
  - jupyter-server-proxy>=4.1
  - pip:
      - {requirement}
"""

_README = """\
# {title}

[![Open in Binder](https://mybinder.org/badge_logo.svg)]({url})

{summary}

This repository holds one image classifier and the page to try it: a photo in, an answer out. It opens on
[Binder]({url}) in some minutes, or at home:

```sh
pip install "{requirement}"
ipyfastai {stem}.ipynb
```

| file | what it is |
|---|---|
| `{stem}.onnx` | the classifier: network, labels, preparation of photos and model card in one file |
| `{stem}.ipynb` | the page |
| `environment.yml`, `start` | what Binder installs and starts |

To publish it, make an empty repository `{repository}` on GitHub, and in this folder:

```sh
git init -b main && git add . && git commit -m "{stem}"
git remote add origin https://github.com/{repository}.git && git push -u origin main
```

The badge, for any other page:

```markdown
[![Open in Binder](https://mybinder.org/badge_logo.svg)]({url})
```
{licence}"""


def binder_folder(
    bundle: str | os.PathLike,
    folder: str | os.PathLike,
    *,
    repository: str,
    requirement: str | None = None,
) -> Path:
    """Write a folder to push to GitHub, which Binder then serves: the bundle, its page, what to install.

    >>> binder_folder("published/bears.onnx", "bears-on-binder", repository="ada/bears")
    PosixPath('bears-on-binder')

    `repository` is "owner/name" on GitHub, for the badge; `requirement` what pip installs, by default
    this version of `ipyfastai[app]`. Raises ValueError for another form of repository, for a folder that is
    not empty, for a bundle above 100 MB, which GitHub does not take, and for a file that is no bundle.
    """
    bundle, folder = Path(bundle), Path(folder)
    check_repository(repository)
    card = Classifier.load(bundle).card
    if bundle.stat().st_size > MAX_FILE:
        raise ValueError(
            f"The bundle is {bundle.stat().st_size / 1e6:,.0f} MB, and GitHub takes no file above "
            f"{MAX_FILE / 1e6:.0f} MB. Train a smaller architecture, or serve it elsewhere."
        )
    if folder.exists() and any(folder.iterdir()):
        raise ValueError(f"The folder {folder.name} is not empty: choose one that is, so that nothing is overwritten.")
    folder.mkdir(parents=True, exist_ok=True)
    stem = slug(card.name)
    values = {
        "stem": stem,
        "title": _line(card.name),
        "summary": _line(card.summary),
        "repository": repository,
        "url": badge_url(repository, stem),
        "requirement": requirement or f"ipyfastai[app]=={version('ipyfastai')}",
        "licence": f"\n## Licence\n\n{card.licence}\n" if card.licence else "",
    }
    shutil.copy(bundle, folder / f"{stem}.onnx")
    _write(folder / "README.md", _README.format(**values))
    _write(folder / "environment.yml", _ENVIRONMENT.format(**values))
    notebook = _notebook(card, stem, memory=_memory(bundle.stat().st_size))
    _write(folder / f"{stem}.ipynb", json.dumps(notebook, indent=1, ensure_ascii=False) + "\n")
    _write(folder / "start", _START)
    (folder / "start").chmod(0o755)
    return folder


def check_repository(repository: str) -> None:
    """ValueError unless it has the form of a GitHub repository's name."""
    if not _REPOSITORY.fullmatch(repository):
        raise ValueError('Name the GitHub repository as "owner/name", for example "ada/bears".')


def badge_url(repository: str, stem: str) -> str:
    """Where Binder builds the repository, and opens the page `stem`.ipynb in it."""
    page = quote(f"ipyfastai/voila/render/{stem}.ipynb", safe="")
    return f"https://mybinder.org/v2/gh/{repository}/HEAD?urlpath={page}"


def _memory(size: int) -> str:
    """What a visitor's kernel needs, from two measured ones: 110 MB for a bundle of 9 MB, 192 MB for one of 45 MB."""
    return f"{round(90 + 2.3 * size / 1e6, -1):.0f} MB"


def _notebook(card: ModelCard, stem: str, *, memory: str) -> dict:
    code = [
        "from ipyfastai.models import Classifier\n",
        "from ipyfastai.widgets import ImageClassifier\n",
        "\n",
        f'ImageClassifier(Classifier.load("{stem}.onnx"))',
    ]
    title = {"cell_type": "markdown", "id": "title", "metadata": {}}
    app = {"cell_type": "code", "id": "app", "metadata": {}, "execution_count": None, "outputs": []}
    return {
        "cells": [
            {**title, "source": [f"# {_line(card.name)}\n", "\n", _line(card.summary)]},
            {**app, "source": code},
        ],
        "metadata": {
            "ipyfastai": {
                "title": " ".join(card.name.split()),
                "summary": " ".join(card.summary.split()),
                "needs": {"processor": "CPU", "memory": memory},
            },
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _line(text: str) -> str:
    """The text on one line, with nothing in it that Markdown or HTML would take for its own."""
    return re.sub(r"([\\`*_\[\]<>#|])", r"\\\1", " ".join(text.split()))


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
