"""The client's ledger: every job the subject accepted, and what it said of each when asked again.

An accepted job is a 202 answer with a ``Location``. What is read back from there is a JSON object whose
``state`` is ``succeeded`` or ``failed`` once the job has ended, with ``finished_at`` in Unix seconds;
``attempt`` and ``completions`` are optional.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING, Any, Self

from sloproof.analysis.jobs import FAILED, SUCCEEDED
from sloproof.load.protocol import AuditFacts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sloproof.analysis.samples import Phase

SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A job the subject took on; ``intended_at_s`` is the intended start of its request in Unix seconds."""

    location: str
    phase: Phase
    intended_at_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the subject said of a job when last asked; the default is that it said nothing.

    ``found`` is ``None`` then, and false where it answered that there is no such job.
    """

    found: bool | None = None
    state: str = ""
    attempt: int = 0
    completions: int = 0
    finished_at_s: float = nan

    @classmethod
    def of(cls, job: Mapping[str, Any]) -> Self:
        """Read a job's JSON object. A subject that does not count completions is taken at its word."""
        state = str(job.get("state", ""))
        return cls(
            found=True,
            state=state,
            attempt=int(job.get("attempt") or 0),
            completions=int(job.get("completions", state in {SUCCEEDED, FAILED})),
            finished_at_s=float(job.get("finished_at") or nan),
        )

    @property
    def ended(self) -> bool:
        """Whether the job needs no further asking after."""
        return self.state in {SUCCEEDED, FAILED}

    @property
    def settled(self) -> bool:
        """Whether asking again would tell nothing new: the job has ended, or is unknown."""
        return self.ended or self.found is False


def audit_facts(accepted: Sequence[Accepted], readings: Sequence[Reading]) -> AuditFacts:
    """Count what became of the accepted jobs."""
    lost = [job.location for job, reading in zip(accepted, readings, strict=True) if reading.found is False]
    ended = sum(reading.ended for reading in readings)
    return AuditFacts(
        accepted=len(accepted),
        ended=ended,
        failed=sum(reading.state == FAILED for reading in readings),
        lost=len(lost),
        doubled=sum(reading.completions > 1 for reading in readings),
        pending=len(accepted) - ended - len(lost),
        lost_locations=tuple(lost[:SHOWN]),
    )
