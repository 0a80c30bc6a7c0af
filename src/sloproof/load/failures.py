"""What ends a generator, and how its parent is told."""

from __future__ import annotations

from sloproof.load.locustfile import LocustfileError
from sloproof.load.protocol import Failed, ProtocolError
from sloproof.slo.problems import InvalidFile


class WorkerError(Exception):
    """A worker of the generator is gone, late, or not what it should be; the message says which and why."""


def failure(exc: Exception) -> Failed:
    """Tell what the user has to change, whose message says it all, from what went wrong in here."""
    match exc:
        case LocustfileError() | ProtocolError() | InvalidFile():
            return Failed(str(exc), wrong_input=True)
        case WorkerError():
            return Failed(str(exc))
        case _:
            return Failed(f"{type(exc).__name__}: {exc}")
