"""What the check says, a line each; it shows nothing itself."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Found = TypeVar("Found")

SHOWN = 5


@dataclass(frozen=True, slots=True)
class Proof:
    """Something that was to be shown, whether it was, and with which figures."""

    held: bool
    what: str

    def __str__(self) -> str:
        """Return the line for people."""
        return f"{'✓' if self.held else '✗'} {self.what}"


def few(names: Iterable[str]) -> str:
    """Return the first of many names, and how many more there are.

    >>> few("abcdefg")
    'a, b, c, d, e and 2 more'
    """
    every = list(names)
    rest = len(every) - SHOWN
    return ", ".join(every[:SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def until(
    question: Callable[[], Found], *, good: Callable[[Found], bool], within_s: float, every_s: float = 1.0
) -> Found:
    """Ask until the answer is good or the time is over; return the last answer."""
    deadline = time.monotonic() + within_s
    while not good(answer := question()) and time.monotonic() < deadline:
        time.sleep(every_s)
    return answer
