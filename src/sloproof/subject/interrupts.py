"""Moments in which an interruption would lose track of a process; it decides nothing about what follows."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

INTERRUPTING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def deferred() -> Iterator[None]:
    """Hold back what would interrupt the main thread until the block has ended, then let it happen.

    For the few instructions between starting a process and being sure to end it, and while ending it.
    """
    held: list[tuple[int, FrameType | None]] = []
    before = {number: signal.signal(number, lambda *arrived: held.append(arrived)) for number in INTERRUPTING}
    try:
        yield
    finally:
        for restored, handler in before.items():
            signal.signal(restored, handler)
        for number, frame in held[:1]:
            if callable(handler := before[signal.Signals(number)]):
                handler(number, frame)
