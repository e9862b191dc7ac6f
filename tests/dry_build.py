"""What repo2docker would build of a folder, without Docker."""

import subprocess
import sys


def dry_build(folder):
    """What it says; the Dockerfile that it would build is part of that."""
    command = [sys.executable, "-m", "repo2docker", "--no-build", "--debug", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said
