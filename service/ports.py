"""What the use cases need from outside, as protocols with their errors; no implementation."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, TypeAlias

from service.domain.job import Failed, Job, JobState, JsonObject, Lease, LeasedJob, Outcome, Retry


class StoreUnavailableError(Exception):
    """The store did not answer in time or cannot be written; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """A job whose lease had run out, and what was decided about it."""

    lease: Lease
    kind: str
    submitted_at: float
    outcome: Retry | Failed


@dataclass(frozen=True, slots=True)
class Census:
    """How many jobs there are by state and kind (absent: none), and since when the oldest has waited."""

    jobs: Mapping[tuple[JobState, str], int]
    oldest_queued_at: float | None


class JobStore(Protocol):
    """Jobs, durable and shared between processes; every method may raise ``StoreUnavailableError``.

    What a method reports as done has been committed. A lease that was lost changes nothing.
    """

    async def add(self, job: Job) -> None:
        """Keep a new job; it survives the death of this process and of the machine."""

    async def get(self, job_id: str) -> Job | None:
        """Return the job as it stands, None if there is none."""

    async def claim(self, *, owner: str, limit: int, now: float, lease_s: float) -> Sequence[LeasedJob]:
        """Lease the oldest jobs that may be started, at most ``limit``; no other owner gets the same."""

    async def extend(self, leases: Collection[Lease], *, until: float) -> Collection[Lease]:
        """Prolong the leases and return those still held."""

    async def settle(self, lease: Lease, outcome: Outcome, *, now: float) -> bool:
        """Write how an attempt ended, once; False if the lease was lost and nothing was written."""

    async def release(self, leases: Collection[Lease], *, now: float) -> None:
        """Queue the jobs again for any process, as if the attempt had not been started."""

    async def recover(self, *, now: float, decide: Callable[[int], Retry | Failed]) -> Sequence[Recovered]:
        """Settle every attempt whose lease has run out as ``decide`` says of its number."""

    async def census(self) -> Census:
        """Count the jobs."""

    async def check(self) -> None:
        """Raise unless a job could be written now."""


class Clock(Protocol):
    """The time of day."""

    def now(self) -> float:
        """Return Unix seconds."""


class JobHandler(Protocol):
    """How one kind of job is done. ``params`` is the dataclass of its parameters, with their bounds."""

    kind: ClassVar[str]
    params: ClassVar[type]

    async def run(self, params: Any) -> JsonObject:  # noqa: ANN401  # each handler takes its own dataclass
        """Do the job; may be cancelled, and run again after a crash. What it raises fails the attempt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEnded:
    """Facts about a job that ended. ``run_s`` is None where its last process died with it."""

    kind: str
    state: JobState
    run_s: float | None
    end_to_end_s: float


class JobObserver(Protocol):
    """Who is told about the life of jobs; must not raise."""

    def submitted(self, kind: str) -> None:
        """Note that a job was accepted."""

    def started(self, kind: str, *, wait_s: float) -> None:
        """Note that an attempt began, so long after it could have."""

    def ended(self, facts: JobEnded) -> None:
        """Note that a job ended."""


AttemptScope: TypeAlias = Callable[[LeasedJob], AbstractContextManager[None]]
"""What surrounds the running of an attempt: log context, span."""
