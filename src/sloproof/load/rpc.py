"""What a generator's master and its workers say to each other, beside what the parent says to it.

Each message travels as one of Locust's own custom messages: a line of JSON, and bytes where rows are sent.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from pydantic import TypeAdapter, ValidationError

from sloproof.load.clocks import Zero
from sloproof.load.protocol import Failed, PhaseFacts, Progress, ProtocolError, Ready, RunPhase, StopPhase

TO_WORKER, TO_MASTER = "sloproof_to_worker", "sloproof_to_master"
PIECE_BYTES = 4 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """A worker introduces itself; ``number`` has one that the master has started.

    ``locustfile`` is the file's SHA-256, ``boot`` tells machines apart, ``machine`` names one to people.
    """

    said: ClassVar[str] = "hello"
    number: int | None
    pid: int
    machine: str
    boot: str
    version: str
    locustfile: str


@dataclass(frozen=True, slots=True)
class Ask:
    """Answer at once what your clock says."""

    said: ClassVar[str] = "ask"
    asked_s: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What the worker's clock said."""

    said: ClassVar[str] = "answer"
    asked_s: float
    answered_s: float


@dataclass(frozen=True, slots=True)
class Refused:
    """The master has no use for the worker; the message says why."""

    said: ClassVar[str] = "refused"
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Enlist:
    """Take a part: ``config`` is the generator's, but that the worker's Locust file and hosts are its own.

    ``zero`` is the generator's, on the worker's clock.
    """

    said: ClassVar[str] = "enlist"
    config: Mapping[str, Any]
    users: int
    index: int
    of: int
    zero: Zero


@dataclass(frozen=True, slots=True)
class Enlisted:
    """The worker waits for Locust to spawn its users."""

    said: ClassVar[str] = "enlisted"


@dataclass(frozen=True, slots=True)
class Armed:
    """A phase of so many arrivals is planned, and waits for its start."""

    said: ClassVar[str] = "armed"
    planned: int


@dataclass(frozen=True, slots=True)
class Begin:
    """Let the phase that is armed begin then, in seconds from zero."""

    said: ClassVar[str] = "begin"
    first_s: float


@dataclass(frozen=True, slots=True)
class HandOver:
    """Send the jobs that were accepted since this was last asked for, and all of Locust's statistics."""

    said: ClassVar[str] = "hand_over"


@dataclass(frozen=True, slots=True)
class Rows:
    """Bytes come with it: a piece of samples before ``PhaseFacts``, of jobs before ``HandedOver``."""

    said: ClassVar[str] = "rows"


@dataclass(frozen=True, slots=True)
class HandedOver:
    """All was sent; ``endpoints`` says for each task what its last request was for."""

    said: ClassVar[str] = "handed_over"
    endpoints: Mapping[str, str]


ToWorker = Ask | Refused | Enlist | RunPhase | Begin | StopPhase | HandOver
ToMaster = Hello | Answer | Enlisted | Ready | Armed | Progress | Rows | PhaseFacts | HandedOver | Failed
Message = ToWorker | ToMaster

KINDS: Mapping[str, type[Message]] = {
    **{
        kind.said: kind
        for kind in (Hello, Ask, Answer, Refused, Enlist, Enlisted, Armed, Begin, HandOver, Rows, HandedOver)
    },
    **{kind.event: kind for kind in (Ready, Progress, PhaseFacts, Failed)},
    **{kind.command: kind for kind in (RunPhase, StopPhase)},
}
NAMES: Mapping[type[Any], str] = {kind: name for name, kind in KINDS.items()}


def pack(message: Message, rows: bytes = b"") -> dict[str, Any]:
    """Return a message as data that Locust can send."""
    return {"line": json.dumps([NAMES[type(message)], asdict(message)], default=str), "rows": rows}


def unpack(data: Mapping[str, Any]) -> tuple[Message, bytes]:
    """Read a message and the bytes that come with it. Raises ProtocolError."""
    try:
        name, fields = json.loads(data["line"])
        message: Message = TypeAdapter(KINDS[name]).validate_python(fields)
        return message, bytes(data["rows"])
    except (ValueError, TypeError, KeyError, ValidationError) as exc:
        raise ProtocolError(f"cannot read a message between the generator's processes: {exc}") from exc


def pieces(rows: bytes) -> Iterator[bytes]:
    """Cut bytes into messages that do not keep others waiting for long."""
    for begin in range(0, len(rows), PIECE_BYTES):
        yield rows[begin : begin + PIECE_BYTES]
