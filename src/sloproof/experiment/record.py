"""What a trial leaves behind besides its samples: facts as they were seen, nothing judged yet."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - resolved when a record is read back
from dataclasses import dataclass
from enum import StrEnum

from sloproof.load.protocol import PhaseFacts  # noqa: TC001 - resolved when a record is read back


class Part(StrEnum):
    """The parts of a trial, in their order; the time outside warm-up and load is what a trial costs."""

    START = "start"
    WARMUP = "warm-up"
    LOAD = "load"
    SETTLE = "settle"
    STOP = "stop"
    RESTART = "restart"
    AUDIT = "audit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """How the subject ended, by itself or asked to by SIGTERM under light load, and whether it came up again.

    ``exit_status`` is ``None`` where it had to be killed after the time it was given; ``restart_failure``
    says why it did not come up again on the store that it had left.
    """

    died_before: bool
    exit_status: int | None
    restart_failure: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRecord:
    """One line of ``trials.jsonl``: a run of one configuration, as it happened.

    ``seed`` drew its arrivals, ``repeat`` counts the invalid trials that it stands in for, ``started_at`` is
    Unix time, ``seconds`` says how long each part took.
    """

    folder: str
    block: int
    configuration: str
    repeat: int
    seed: int
    started_at: float
    seconds: Mapping[Part, float]
    generator: PhaseFacts
    stop: Stop
