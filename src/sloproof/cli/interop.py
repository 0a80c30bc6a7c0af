"""What `import` and `export` share: options, notes on standard error, and writing without overwriting."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sloproof.files import write_atomically
from sloproof.slo.problems import WrongInput

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from sloproof.compile.interop.foreign import Note


def add_output(parser: argparse.ArgumentParser, metavar: str, purpose: str) -> None:
    """Add the options that say where the text goes, and how strict to be about what is lost."""
    parser.add_argument("--out", type=Path, metavar=metavar, help=purpose)
    parser.add_argument("--force", action="store_true", help="replace files that are there already")
    parser.add_argument(
        "--strict",
        action="store_true",
        help="write nothing and fail with 2 where anything cannot be carried over",
    )


def tell(path: Path, notes: Sequence[Note], *, strict: bool) -> None:
    """Write what is not carried over to standard error, a line each.

    Raises WrongInput where `strict` allows none.
    """
    for note in notes:
        sys.stderr.write(f"{path}:{note.line}: {note.message}\n")
    if strict and notes:
        raise WrongInput("nothing is written, for --strict allows none of the above")


def refuse_to_replace(paths: Sequence[Path], *, force: bool) -> None:
    """Raise WrongInput if a file is there already, and nobody has said that it may be replaced."""
    if there := [path for path in paths if path.exists() and not force]:
        raise WrongInput(f"{', '.join(map(str, there))}: is there already: give --force, or another --out")


def write(text: str, path: Path | None) -> None:
    """Write a text to a file, in a folder that is made if need be, or to standard output."""
    if path is None:
        sys.stdout.write(text)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, text)
