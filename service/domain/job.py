"""Jobs, the leases that processes hold on them and how they end; knows no store and no clock."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

JsonObject: TypeAlias = Mapping[str, object]


class JobState(StrEnum):
    """Where a job stands; it ends in one of the last two and never leaves them."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Whose request a job came from, kept with it to join its logs and spans to the request's."""

    request_id: str | None = None
    user_id: str | None = None
    traceparent: str | None = None

    @property
    def trace_id(self) -> str | None:
        """The second field of a W3C traceparent."""
        return self.traceparent.split("-")[1] if self.traceparent else None

    def known(self) -> dict[str, str]:
        """Return what is known of it by name, for logs."""
        fields = {"request_id": self.request_id, "user_id": self.user_id, "trace_id": self.trace_id}
        return {name: value for name, value in fields.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job as it stands; times are Unix seconds.

    ``attempt`` counts the times it was started (0: never), ``completions`` how often it was completed:
    exactly once means 1 when it has ended.
    """

    id: str
    kind: str
    params: JsonObject
    origin: Origin
    submitted_at: float
    state: JobState = JobState.QUEUED
    attempt: int = 0
    completions: int = 0
    started_at: float | None = None
    finished_at: float | None = None
    result: JsonObject | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Lease:
    """The right of one owner to settle one attempt of a job; worthless once the job was taken over."""

    job_id: str
    owner: str
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LeasedJob:
    """A job that was claimed, with what is needed to run it; times are Unix seconds.

    ``available_at`` is since when this attempt could have been claimed.
    """

    lease: Lease
    kind: str
    params: JsonObject
    origin: Origin
    submitted_at: float
    available_at: float
    started_at: float


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The job ended well."""

    result: JsonObject


@dataclass(frozen=True, slots=True)
class Failed:
    """The job ended badly and is not tried again."""

    error: str


@dataclass(frozen=True, slots=True)
class Retry:
    """The attempt ended badly; the job may be claimed again from ``available_at`` (Unix seconds) on."""

    error: str
    available_at: float


Outcome: TypeAlias = Succeeded | Failed | Retry
