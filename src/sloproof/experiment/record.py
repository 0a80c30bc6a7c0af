"""What a trial leaves behind besides its samples: facts as they were seen, nothing judged yet."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - resolved when a record is read back
from dataclasses import dataclass
from enum import StrEnum

from sloproof.load.protocol import PhaseFacts  # noqa: TC001 - resolved when a record is read back
from sloproof.observe.pressure import Pressure  # noqa: TC001 - as above


class BackendName(StrEnum):
    """The two ways to run a subject."""

    PROCESS = "process"
    DOCKER = "docker"

    @property
    def proxied(self) -> bool:
        """Tell whether a port proxy takes the subject's connections in its place."""
        return self is BackendName.DOCKER


# What a trial takes besides its traffic, on two cores with little else to do.
OVERHEAD_S = {BackendName.PROCESS: 8.0, BackendName.DOCKER: 11.5}


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

    ``exit_status`` is ``None`` where it had to be killed after the time it was given; ``ending`` is what else
    is known of its end, such as a memory limit; ``restart_failure`` says why it did not come up again on the
    store that it had left.
    """

    died_before: bool
    exit_status: int | None
    ending: str | None = None
    restart_failure: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRecord:
    """One line of ``trials.jsonl``: a run of one configuration, as it happened.

    ``attempt`` counts how often its block was begun: above 1, the run was interrupted within it.
    ``seed`` drew its arrivals, ``repeat`` counts the invalid trials that it stands in for, ``started_at`` is
    Unix time, ``seconds`` says how long each part took. ``pressure`` is what held the subject back under
    load; records that were written before it was looked at have none. ``rate_per_s`` is the rate that a
    search has chosen.
    """

    folder: str
    block: int
    attempt: int = 1
    configuration: str
    repeat: int
    seed: int
    started_at: float
    seconds: Mapping[Part, float]
    generator: PhaseFacts
    stop: Stop
    pressure: Pressure | None = None
    rate_per_s: float | None = None
