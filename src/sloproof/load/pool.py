"""Which user takes an arrival, and what waits while all are busy; it knows neither clocks nor HTTP."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    import random

A = TypeVar("A")
U = TypeVar("U")


class Pool(Generic[A, U]):
    """Idle users, chosen at random, and the arrivals for which none was left.

    Last-in-first-out would keep a few connections hot, so that some of the subject's workers would stay idle;
    first-in-first-out would use every connection too rarely to keep it alive. The backlog is unbounded: an
    arrival is never skipped. Users and arrivals of one kind (a user class) do not mix with another's.
    """

    def __init__(self, *, kinds: int, rng: random.Random) -> None:
        self._rng = rng
        self._idle: list[list[U]] = [[] for _ in range(kinds)]
        self._untouched: list[list[U]] = [[] for _ in range(kinds)]
        self._backlogs: list[deque[A]] = [deque() for _ in range(kinds)]
        self.queued = 0
        self.backlog = 0
        self.backlog_max = 0

    def begin(self, *, touch_all: bool) -> None:
        """Start counting anew; with ``touch_all`` every user that is idle now takes one arrival first."""
        self.queued = self.backlog_max = 0
        if touch_all:
            self._untouched, self._idle = self._idle, [[] for _ in self._idle]

    def abandon(self) -> None:
        """Forget the arrivals that nobody has taken."""
        self.backlog = 0
        for backlog in self._backlogs:
            backlog.clear()

    def idle(self) -> list[int]:
        """Return the number of users of each kind that wait."""
        return [len(idle) + len(rest) for idle, rest in zip(self._idle, self._untouched, strict=True)]

    def take(self, arrival: A, kind: int) -> U | None:
        """Return the user that is to serve the arrival, or keep the arrival and return ``None``."""
        if untouched := self._untouched[kind]:
            return untouched.pop()
        if idle := self._idle[kind]:
            chosen = self._rng.randrange(len(idle))
            idle[chosen], idle[-1] = idle[-1], idle[chosen]
            return idle.pop()
        self._backlogs[kind].append(arrival)
        self.queued += 1
        self.backlog += 1
        self.backlog_max = max(self.backlog_max, self.backlog)
        return None

    def release(self, user: U, kind: int) -> A | None:
        """Return the arrival that has waited longest, or let the user wait and return ``None``."""
        if backlog := self._backlogs[kind]:
            self.backlog -= 1
            return backlog.popleft()
        self._idle[kind].append(user)
        return None
