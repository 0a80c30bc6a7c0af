"""How a clock on another machine relates to this one, told from messages sent to and fro; it sends none."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def machine(boot_id: Path = BOOT_ID) -> str:
    """Return what is the same for all processes that share a monotonic clock, and for no others.

    Linux counts CLOCK_MONOTONIC from the boot, for all processes alike. An empty text: it cannot be told.
    """
    try:
        return boot_id.read_text().strip()
    except OSError:
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Zero:
    """The moment from which a generator counts seconds: on its own clock, and in Unix seconds."""

    clock_s: float
    unix_s: float

    @classmethod
    def now(cls) -> Self:
        """Let it be now."""
        return cls(clock_s=perf_counter(), unix_s=time())


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A question and its answer: ``asked_s`` and ``heard_s`` on our clock, ``answered_s`` on the other."""

    asked_s: float
    answered_s: float
    heard_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockOffset:
    """By how much the other clock is ahead, and by how much that may be wrong at most."""

    ahead_s: float
    error_s: float

    @classmethod
    def of(cls, exchanges: Iterable[Exchange]) -> Self:
        """Take the quickest of some exchanges at half its way.

        The answer was given at some moment between the question and when it was heard, so the middle is wrong
        by half that time at most.
        Source: Cristian, "Probabilistic clock synchronization" (1989); RFC 5905, section 8, picks likewise.

        >>> ClockOffset.of([Exchange(asked_s=1.0, answered_s=11.25, heard_s=1.5)])
        ClockOffset(ahead_s=10.0, error_s=0.25)
        """
        best = min(exchanges, key=lambda each: each.heard_s - each.asked_s)
        return cls(
            ahead_s=best.answered_s - (best.asked_s + best.heard_s) / 2,
            error_s=(best.heard_s - best.asked_s) / 2,
        )


SAME_CLOCK = ClockOffset(ahead_s=0.0, error_s=0.0)
