"""What the tests of the generator share: the types of their fixtures, and a server to ask and to load."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypedDict, cast
from urllib.request import ProxyHandler, Request, build_opener

from sloproof.analysis.samples import Phase
from sloproof.load.arrivals import Arrival
from sloproof.load.protocol import RunPhase
from sloproof.load.workers import Workers

if TYPE_CHECKING:
    from pathlib import Path

    from sloproof.load.process import LoadProcess


ONE_WORKER = Workers()
DIRECTLY = build_opener(ProxyHandler({}))  # whatever proxies the environment names


class Seen(TypedDict):
    requests: dict[str, int]
    connections: int


@dataclass(frozen=True)
class RunningSubject:
    """A running ``subject.py``: what a test says to it, and asks of it."""

    host: str

    def seen(self) -> dict[str, int]:
        return self._control("seen")["requests"]

    def connections(self) -> int:
        """Return how many connections there were, not counting those of this class."""
        return self._control("seen")["connections"]

    def stall_at(self, request: int) -> None:
        """Forget the requests so far and stall for a second when this one arrives."""
        self._control("stall_at", str(request).encode())

    def _control(self, what: str, body: bytes = b"") -> Seen:
        question = Request(f"{self.host}/control/{what}", data=body)  # noqa: S310 - it is on this machine
        with DIRECTLY.open(question, timeout=30) as response:
            return cast("Seen", json.load(response))


class WriteLocustfile(Protocol):
    """Write a Locust file whose one user class has the given methods."""

    def __call__(self, methods: str) -> Path: ...


class StartLoad(Protocol):
    """Start a generator that is gone when the test is over."""

    def __call__(
        self,
        locustfile: Path,
        host: str,
        *,
        users: int = 64,
        timeout_s: float = 10.0,
        workers: Workers = ONE_WORKER,
    ) -> LoadProcess: ...


def order(  # noqa: PLR0913 - a phase with defaults
    *,
    phase: Phase = Phase.LOAD,
    arrival: Arrival = Arrival.CONSTANT,
    rate: float = 100,
    duration_s: float = 1,
    seed: int = 1,
    drain_s: float = 5.0,
) -> RunPhase:
    return RunPhase(
        phase=phase, arrival=arrival, rate=rate, duration_s=duration_s, seed=seed, drain_s=drain_s
    )
