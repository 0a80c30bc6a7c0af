"""What the generator's process and its parent say to each other: lines of JSON, typed on both sides.

It knows neither Locust nor processes; both sides import it.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar, TypeVar
from urllib.parse import urlsplit

from pydantic import Field, TypeAdapter, ValidationError

from sloproof.analysis.samples import Phase
from sloproof.load.arrivals import Arrival
from sloproof.load.curves import curve
from sloproof.load.shapes import CONSTANT, Replay, Shape
from sloproof.load.workers import LOOPBACK_ADDRESS, WorkerFacts, Workers

LOOPBACK = frozenset({LOOPBACK_ADDRESS, "localhost", "::1"})
MAX_ARRIVALS = 2_000_000
MAX_USERS = 900  # each holds a socket, and a process may usually have 1,024 files open

M = TypeVar("M")


class ProtocolError(Exception):
    """A configuration or message that the generator cannot act on; it says what it would accept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadConfig:
    """What the generator is started with.

    ``users`` is the size of the pool, hence the number of connections, of all workers together. ``timeout_s``
    bounds a request from its actual start to the last byte. ``host`` must be this machine or be listed in
    ``allow_hosts``.
    """

    locustfile: Path
    host: str
    output: Path
    users: int = 64
    seed: int = 1
    timeout_s: float = 10.0
    allow_hosts: tuple[str, ...] = ()
    workers: Workers = field(default_factory=Workers)

    def __post_init__(self) -> None:
        check_host(self.host, self.allow_hosts)
        if not 1 <= self.users <= MAX_USERS:
            raise ProtocolError(f"users is {self.users}; a pool has 1 to {MAX_USERS}")
        if self.users < self.workers.total:
            raise ProtocolError(
                f"users is {self.users} for {self.workers.total} workers; each takes at least one"
            )
        if not self.timeout_s > 0:
            raise ProtocolError(f"timeout_s is {self.timeout_s}; it must be more than 0 seconds")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPhase:
    """Send the arrivals of a phase, then wait up to ``drain_s`` for what is under way.

    ``rate`` is that at the beginning; a replay has none, and ends with its recording if that is shorter.
    In the phase ``drain`` each request has a connection of its own, so that the end of an idle connection
    is not taken for a loss.
    """

    command: ClassVar[str] = "phase"
    phase: Phase
    arrival: Arrival
    rate: float
    duration_s: float
    seed: int
    drain_s: float = 5.0
    shape: Annotated[Shape, Field(discriminator="kind")] = CONSTANT

    def __post_init__(self) -> None:
        if not (self.rate > 0 and self.duration_s > 0 and self.drain_s >= 0):
            raise ProtocolError(
                f"rate {self.rate}, duration_s {self.duration_s} and drain_s {self.drain_s}: "
                "the first two must be more than 0, the last not less"
            )
        if isinstance(self.shape, Replay):  # what it comes to is in its file
            return
        planned = curve(self.shape, rate=self.rate, duration_s=self.duration_s)
        if not 1 <= round(expected := float(planned.count_until(self.duration_s))) <= MAX_ARRIVALS:
            raise ProtocolError(
                f"{self.rate:g}/s for {self.duration_s:g} s is {expected:g} arrivals; "
                f"a phase has 1 to {MAX_ARRIVALS:,}"
            )


@dataclass(frozen=True, slots=True)
class StopPhase:
    """End the running phase's arrivals early; what is under way is still waited for."""

    command: ClassVar[str] = "stop_phase"


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """Read every accepted job back from ``host`` until it has ended or ``deadline_s`` is over."""

    command: ClassVar[str] = "audit"
    host: str
    concurrency: int = 16
    deadline_s: float = 20.0

    def __post_init__(self) -> None:
        if self.concurrency < 1 or not self.deadline_s > 0:
            raise ProtocolError(
                f"concurrency is {self.concurrency} and deadline_s {self.deadline_s}; both must be above 0"
            )


@dataclass(frozen=True, slots=True)
class Finish:
    """Write the samples and the ledger, then exit."""

    command: ClassVar[str] = "finish"


Command = RunPhase | StopPhase | Audit | Finish


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """The Locust file is loaded and the users wait; no connection was made yet."""

    event: ClassVar[str] = "ready"
    pid: int
    tasks: tuple[str, ...]
    epoch_unix_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a running phase has come; ``bad`` counts what did not get an answer below 500 or got 429."""

    event: ClassVar[str] = "progress"
    phase: Phase
    planned: int
    sent: int
    completed: int
    bad: int
    elapsed_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseFacts:
    """What the generator knows about its own work in a phase; whether it is good enough is judged elsewhere.

    Dispatch lag is how late the generator turned to an arrival, +inf where it turned to none; that is its own
    doing. ``queued`` starts then waited for a user because all were busy, which is the subject's. Users that
    are still busy with an earlier phase are ``backlog_at_start``. Both ratios are of the main thread, which
    does all of the sending, over the time in which arrivals were dispatched: ``wait_ratio`` is the share in
    which it was ready to run and the machine ran something else. ``None``: the kernel does not say.

    Of several ``workers`` the counts are sums, the lags those of all arrivals, and the ratios those of the
    worker that was worst off; ``backlog_max`` adds the greatest of each, and is an upper bound.
    """

    event: ClassVar[str] = "phase_ended"
    phase: Phase
    scheduled: int
    sent: int
    completed: int
    bad: int
    queued: int
    backlog_at_start: int
    backlog_max: int
    unfinished: int
    elapsed_s: float
    dispatch_lag_p50_s: float
    dispatch_lag_p99_s: float
    dispatch_lag_max_s: float
    start_lag_p99_s: float
    cpu_ratio: float | None
    wait_ratio: float | None
    workers: tuple[WorkerFacts, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFacts:
    """What became of the accepted jobs: ``accepted`` = ``ended`` + ``lost`` + ``pending``.

    ``failed`` are among the ended. ``lost``: the subject does not know the job. ``pending``: it was known and
    had not ended, or the subject did not say, until the deadline.
    """

    event: ClassVar[str] = "audit_ended"
    accepted: int
    ended: int
    failed: int
    lost: int
    doubled: int
    pending: int
    lost_locations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finished:
    """All files are on disk."""

    event: ClassVar[str] = "finished"


@dataclass(frozen=True, slots=True)
class Failed:
    """The generator cannot go on and exits with status 2.

    ``wrong_input`` says that it is the Locust file or the configuration that has to be changed.
    """

    event: ClassVar[str] = "error"
    message: str
    wrong_input: bool = False


Event = Ready | Progress | PhaseFacts | AuditFacts | Finished | Failed

COMMANDS: Mapping[str, type[Command]] = {kind.command: kind for kind in (RunPhase, StopPhase, Audit, Finish)}
EVENTS: Mapping[str, type[Event]] = {
    kind.event: kind for kind in (Ready, Progress, PhaseFacts, AuditFacts, Finished, Failed)
}


def parse_config(text: str) -> LoadConfig:
    """Read the generator's configuration. Raises ProtocolError."""
    return _validate(LoadConfig, text)


def parse_command(line: str) -> Command:
    """Read a line from the parent. Raises ProtocolError."""
    return _validate(_kind(line, "command", COMMANDS), line)


def parse_event(line: str) -> Event:
    """Read a line from the generator. Raises ProtocolError."""
    return _validate(_kind(line, "event", EVENTS), line)


def encode(message: LoadConfig | Command | Event) -> str:
    """Return a message as one line of JSON, tagged with what it is."""
    match message:
        case LoadConfig():
            tag = {}
        case RunPhase() | StopPhase() | Audit() | Finish():
            tag = {"command": message.command}
        case _:
            tag = {"event": message.event}
    return json.dumps(tag | asdict(message), default=str) + "\n"


def check_host(url: str, allow_hosts: tuple[str, ...]) -> None:
    """Refuse to send load to anything but this machine, or to a host that was not explicitly allowed."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ProtocolError(f"host is {url!r}; write it like http://127.0.0.1:8000")
    if parts.hostname not in LOOPBACK | set(allow_hosts):
        raise ProtocolError(
            f"host {parts.hostname!r} is not this machine; load on it must be allowed by name in allow_hosts"
        )


def _kind(line: str, key: str, kinds: Mapping[str, type[M]]) -> type[M]:
    try:
        return kinds[json.loads(line)[key]]
    except (ValueError, TypeError, KeyError) as exc:
        raise ProtocolError(
            f"cannot read {line!r}; expected an object whose {key!r} is one of {', '.join(kinds)}"
        ) from exc


def _validate(kind: type[M], text: str) -> M:
    try:
        return TypeAdapter(kind).validate_json(text)
    except ValidationError as exc:
        problems = "; ".join(
            f"{'.'.join(map(str, error['loc'])) or kind.__name__}: {error['msg']}" for error in exc.errors()
        )
        raise ProtocolError(problems) from exc
