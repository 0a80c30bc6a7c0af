"""What kept a configuration from carrying more, from what its trials used; it measures nothing."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

SATURATED_RATIO = 0.85
"""A processor is never wholly a process's own; from here on, more work waits for it."""
ONE_THREAD_RATIO = 1.1
"""More processors than one are several threads, of which only one is the event loop's."""
LATE_S = 0.05
"""An event loop that resumes its tasks so late on average has more to do than it gets done."""
QUEUED_RATIO = 0.5
WAITING_RATIO = 0.5


class Limiter(StrEnum):
    """What is used up first."""

    SUBJECT_CPU = "subject CPU"
    MACHINE_CPU = "machine CPU"  # which the subject shares with its load generator
    EVENT_LOOP = "event loop"
    QUEUE = "queue"
    STORE = "store"  # or whatever else the subject waits for within a request
    GENERATOR = "load generator"
    NOTHING = "nothing"  # the search ended before any limit
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Limit:
    """What limited a configuration, and the figures that say so, in words."""

    by: Limiter
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Processors:
    """How many processors there are: those that the subject may use, and all of the machine."""

    own: float
    machine: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a trial used while under load; processors as a number of them, ``None`` what nobody told.

    ``worker_cpu`` is that of the busiest process of the subject. ``loop_lag_s``, ``queued_s`` (a job's wait),
    ``ended_s`` (its whole time), ``server_s`` and ``client_s`` (a request's time as each saw it) are means.
    """

    subject_cpu: float | None
    worker_cpu: float | None
    generator_cpu: float | None
    loop_lag_s: float | None
    queued_s: float | None
    ended_s: float | None
    server_s: float | None
    client_s: float | None


def typical(trials: Sequence[Usage]) -> Usage:
    """Return the median of each figure over the trials that have it."""
    known = {
        each.name: [value for trial in trials if (value := getattr(trial, each.name)) is not None]
        for each in fields(Usage)
    }
    return Usage(**{name: statistics.median(values) if values else None for name, values in known.items()})


def limited_by(trials: Sequence[Usage], processors: Processors) -> Limit:
    """Return what was used up in trials at and beyond the limit: the first in the order of `Limiter`.

    The order is that of certainty: a processor in use is counted by the kernel, a store is what is left when
    requests wait inside the subject and nothing else explains it.
    """
    if not trials:
        return Limit(Limiter.UNKNOWN, "no valid trial at the limit")
    usage = typical(trials)
    checks = (_subject_cpu, _event_loop, _machine_cpu, _queue, _store)
    found = (limit for check in checks if (limit := check(usage, processors)) is not None)
    return next(found, Limit(Limiter.UNKNOWN, _figures(usage, processors)))


def _subject_cpu(usage: Usage, processors: Processors) -> Limit | None:
    if usage.subject_cpu is None or usage.subject_cpu < SATURATED_RATIO * processors.own:
        return None
    return Limit(Limiter.SUBJECT_CPU, f"{usage.subject_cpu:.2f} of {_number(processors.own)}")


def _event_loop(usage: Usage, _: Processors) -> Limit | None:
    busy = usage.worker_cpu is not None and SATURATED_RATIO <= usage.worker_cpu <= ONE_THREAD_RATIO
    late = usage.loop_lag_s is not None and usage.loop_lag_s >= LATE_S
    if not busy and not late:
        return None
    parts = []
    if usage.worker_cpu is not None:
        parts.append(f"the busiest process used {usage.worker_cpu:.2f} of one processor")
    if usage.loop_lag_s is not None:
        parts.append(f"tasks resumed {usage.loop_lag_s * 1e3:.1f} ms late on average")
    return Limit(Limiter.EVENT_LOOP, ", ".join(parts))


def _machine_cpu(usage: Usage, processors: Processors) -> Limit | None:
    if usage.subject_cpu is None or usage.generator_cpu is None:
        return None
    if usage.subject_cpu + usage.generator_cpu < SATURATED_RATIO * processors.machine:
        return None
    shared = f"subject {usage.subject_cpu:.2f} and load generator {usage.generator_cpu:.2f}"
    return Limit(Limiter.MACHINE_CPU, f"{shared} of {_number(processors.machine)}")


def _queue(usage: Usage, _: Processors) -> Limit | None:
    if not usage.queued_s or not usage.ended_s or usage.queued_s < QUEUED_RATIO * usage.ended_s:
        return None
    if usage.server_s is not None and usage.queued_s < usage.server_s:
        return None
    why = f"a job waited {usage.queued_s * 1e3:.0f} ms of the {usage.ended_s * 1e3:.0f} ms to its end"
    return Limit(Limiter.QUEUE, f"{why}, on average")


def _store(usage: Usage, processors: Processors) -> Limit | None:
    if not usage.server_s or not usage.client_s or usage.server_s < WAITING_RATIO * usage.client_s:
        return None
    if usage.subject_cpu is None:
        return None
    why = (
        f"requests waited inside the subject, {usage.server_s * 1e3:.0f} ms on average, with processors idle"
    )
    return Limit(Limiter.STORE, f"{why} ({usage.subject_cpu:.2f} of {_number(processors.own)} used)")


def _figures(usage: Usage, processors: Processors) -> str:
    if usage.subject_cpu is None:
        return "the subject tells nothing of its processors"
    return f"its processors were not used up ({usage.subject_cpu:.2f} of {_number(processors.own)})"


def _number(processors: float) -> str:
    return f"{processors:g} processor{'' if processors == 1 else 's'}"
