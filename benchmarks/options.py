"""What every benchmark can be told on its command line."""

from __future__ import annotations

import argparse

from tests.drawings import DATA


def parser(about: str, *, quick: str) -> argparse.ArgumentParser:
    """A parser with `--rounds` and `--quick`, `about` being the module's docstring and `quick` what that leaves out.

    >>> parser(__doc__, quick="one round").parse_args(["--quick"]).quick
    True
    """
    made = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--rounds", type=count, default=5, metavar="N", help="default: %(default)s")
    made.add_argument("--quick", action="store_true", help=f"{quick}, nothing written")
    return made


def need_photos(parser: argparse.ArgumentParser) -> None:
    """End with a sentence where the sample photos are not there."""
    if not (DATA / "bears").is_dir():
        parser.error(f"no sample photos in {DATA}: name the folder that has them in IPYFASTAI_DATA")


def count(text: str) -> int:
    """A whole number from 1; argparse tells of any other."""
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number
