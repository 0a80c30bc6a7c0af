"""What all users of a generator share, and how many of them are at work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gevent.event import AsyncResult

    from sloproof.load.locustfile import Task
    from sloproof.load.measurement import Iteration, Measurement
    from sloproof.load.pool import Pool
    from sloproof.load.protocol import LoadConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """The users' tasks and the pool they wait in, a seat each, until an iteration is put there."""

    config: LoadConfig
    tasks: Sequence[Task]
    pool: Pool[Iteration, AsyncResult[Iteration]]
    measurement: Measurement

    def busy(self) -> int:
        """Return the number of users that are not waiting for an arrival."""
        return self.config.users - sum(self.pool.idle())
