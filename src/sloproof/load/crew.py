"""What all users of a generator share, and how many of them are at work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import gevent
from gevent.hub import Waiter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sloproof.load.locustfile import Task
    from sloproof.load.measurement import Iteration, Measurement
    from sloproof.load.pool import Pool
    from sloproof.load.protocol import LoadConfig


class Seat:
    """Where a user waits for one iteration after the other; an AsyncResult for each would cost 2 µs more."""

    __slots__ = ("_loop", "_waiter")

    def __init__(self) -> None:
        self._loop = gevent.get_hub().loop
        self._waiter = Waiter()

    def set(self, iteration: Iteration) -> None:
        """Wake the user."""
        self._loop.run_callback(self._waiter.switch, iteration)

    def get(self) -> Iteration:
        """Wait."""
        return cast("Iteration", self._waiter.get())


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """The users' tasks and the pool they wait in, a seat each, until an iteration is put there."""

    config: LoadConfig
    tasks: Sequence[Task]
    pool: Pool[Iteration, Seat]
    measurement: Measurement

    def busy(self) -> int:
        """Return the number of users that are not waiting for an arrival."""
        return self.config.users - sum(self.pool.idle())
