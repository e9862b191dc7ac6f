"""Find or install a Chromium for the browser tests: `python tests/install_browser.py`.

Tried in this order: one on the PATH, one that Playwright has installed before, the system's package
manager, Playwright's own download. Each attempt counts only if that browser then opens a page, so a
package that installs nothing usable (a stub, missing libraries) does not end the search.
"""

import os
import shutil
import subprocess
import sys

from browser import CHROMIUM_OPTIONS, chromium_path
from playwright.sync_api import Error, sync_playwright

SYSTEM_PACKAGES = (
    ("apt-get", ["apt-get", "update", "-q"], ["apt-get", "install", "-y", "-q", "chromium"]),
    ("dnf", ["dnf", "install", "-y", "chromium"]),
    ("pacman", ["pacman", "-Sy", "--noconfirm", "chromium"]),
    ("zypper", ["zypper", "--non-interactive", "install", "chromium"]),
    ("apk", ["apk", "add", "chromium"]),
    ("brew", ["brew", "install", "--cask", "chromium"]),
)


def works():
    """Whether Chromium starts and shows a page."""
    try:
        with sync_playwright() as playwright:
            chromium = playwright.chromium.launch(executable_path=chromium_path(), args=CHROMIUM_OPTIONS)
            page = chromium.new_page()
            page.set_content("<title>ready</title>")
            ready = page.title() == "ready"
            chromium.close()
            return ready
    except Error as error:
        print(f"No browser yet: {str(error).splitlines()[0]}")
        return False


def attempts():
    """Every way to install one that this machine offers, each a list of commands."""
    for manager, *commands in SYSTEM_PACKAGES:
        if shutil.which(manager):
            yield commands if manager == "brew" else [[*as_root(), *command] for command in commands]
    playwright = [sys.executable, "-m", "playwright", "install"]
    yield [[*playwright, "--with-deps", "chromium"]]
    yield [[*playwright, "chromium"]]


def as_root():
    if not hasattr(os, "geteuid") or os.geteuid() == 0 or not shutil.which("sudo"):
        return []
    return ["sudo", "--non-interactive"]


def main():
    if works():
        return
    for commands in attempts():
        for command in commands:
            print("Installing a browser:", " ".join(command), flush=True)
            if subprocess.run(command).returncode:
                break
        if works():
            return
    sys.exit("No Chromium could be installed. Install Chromium or Chrome so that it is on the PATH, then rerun.")


if __name__ == "__main__":
    main()
