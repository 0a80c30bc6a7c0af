"""What all commands share: exit statuses, errors on standard error, a console."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

OK = 0
REGRESSION = 1
WRONG_INPUT = 2
INCONCLUSIVE = 3
NO_MEASUREMENT = 4
ENVIRONMENT_FAILED = 5
DEFECT = 70  # of sloproof itself, so that none is taken for a verdict; sysexits.h calls it EX_SOFTWARE
INTERRUPTED = 130


def fail(status: int, *lines: str) -> int:
    """Write lines to standard error and return the status."""
    for line in lines:
        sys.stderr.write(f"{line}\n")
    return status


def worded(failure: Exception) -> str:
    """Return an error in words; the system's own come with a number that tells people nothing."""
    if isinstance(failure, OSError) and failure.strerror:
        return f"{failure.filename}: {failure.strerror}" if failure.filename else failure.strerror
    return str(failure)


def console() -> Console:
    """Return the console of standard output."""
    from rich.console import Console  # noqa: PLC0415 - not every command has use for it, and it takes time

    # Where nobody sets a width, lines of a log should not be broken at the 80th column.
    return Console(highlight=False, width=None if sys.stdout.isatty() else 160)
