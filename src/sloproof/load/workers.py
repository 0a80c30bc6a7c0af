"""Which processes send the load, and what each of them had to do with it; both sides of the protocol know."""

from __future__ import annotations

from dataclasses import dataclass

LOOPBACK_ADDRESS = "127.0.0.1"
MAX_WORKERS = 64
JOIN_WITHIN_S = 600.0  # workers of other machines are started by people


@dataclass(frozen=True, slots=True, kw_only=True)
class Workers:
    """Which processes send the load: ``local`` ones on this machine, ``remote`` ones that join from others.

    One local process does all itself. Several join a master that listens at ``bind_host`` and ``bind_port``;
    port 0 is any free one. ``subject_host`` is where they all find the subject.
    """

    local: int = 1
    remote: int = 0
    bind_host: str = LOOPBACK_ADDRESS
    bind_port: int = 0
    subject_host: str = LOOPBACK_ADDRESS

    def __post_init__(self) -> None:
        if self.local < 0 or self.remote < 0 or not 1 <= self.total <= MAX_WORKERS:
            raise ValueError(
                f"{self.local} local and {self.remote} other workers; a generator has 1 to {MAX_WORKERS}"
            )

    @property
    def total(self) -> int:
        """Their number."""
        return self.local + self.remote

    @property
    def several(self) -> bool:
        """Whether there is something to share, or somebody elsewhere to tell."""
        return self.remote > 0 or self.local > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerFacts:
    """One worker's part in a phase; the fields are those of PhaseFacts.

    ``clock_error_s`` is by how much its arrivals may be out of step with those of the other workers: 0 on the
    master's own machine.
    """

    worker: int
    machine: str
    pid: int
    scheduled: int
    sent: int
    completed: int
    queued: int
    dispatch_lag_p99_s: float
    cpu_ratio: float | None
    wait_ratio: float | None
    clock_error_s: float
