"""The workers of a fleet: here they are started, joined, listened to and watched; it plans no load."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from importlib.metadata import version
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeVar

import gevent
from gevent.queue import Empty, Queue
from locust.runners import STATE_MISSING

from sloproof.load import rpc
from sloproof.load.clocks import SAME_CLOCK, ClockOffset, Exchange, machine
from sloproof.load.failures import WorkerError
from sloproof.load.protocol import Failed, Progress, ProtocolError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from locust.rpc import Message
    from locust.runners import MasterRunner

    from sloproof.load.protocol import LoadConfig

EXCHANGES = 16
WATCH_EVERY_S = 0.25
ANYWHERE = {"*", "0.0.0.0", "::"}  # noqa: S104 - to tell a bind address from one to connect to

M = TypeVar("M")


@dataclass(frozen=True, slots=True)
class Lost:
    """A worker is gone; ``how`` completes a sentence about it."""

    how: str


@dataclass(slots=True, kw_only=True, eq=False)
class Member:
    """A worker that has joined; ``number`` counts from 1, ``progress`` is its last in the running phase."""

    number: int
    client_id: str
    hello: rpc.Hello
    exchanges: list[Exchange] = field(default_factory=list)
    progress: Progress | None = None
    rows: list[bytes] = field(default_factory=list)

    @property
    def here(self) -> bool:
        """Whether it runs on this machine, and so has our clock."""
        return bool(self.hello.boot) and self.hello.boot == machine()

    @property
    def clock(self) -> ClockOffset:
        """What is known of its clock."""
        return SAME_CLOCK if self.here else ClockOffset.of(self.exchanges)

    def take_rows(self) -> bytes:
        """Return what it has sent since last asked, whole."""
        rows, self.rows = b"".join(self.rows), []
        return rows


class Members:
    """All workers of a fleet, from their start to their end, in the order of their numbers.

    Making it starts those of this machine. What waits for workers raises WorkerError when one is gone or
    takes too long, and ProtocolError when a worker says that what it was given is wrong.
    """

    def __init__(self, runner: MasterRunner, config: LoadConfig, *, digest: str) -> None:
        self._runner = runner
        self._config = config
        self._digest = digest
        self._seats: dict[str, Member] = {}
        self._inbox: Queue[tuple[Member | int, Any]] = Queue()
        self._over = False
        runner.register_message(rpc.TO_MASTER, self._hear)
        self._children = [self._start(number) for number in range(1, config.workers.local + 1)]
        for number, child in enumerate(self._children, start=1):
            gevent.spawn(self._watch_child, number, child)
        gevent.spawn(self._watch_connections)

    def __iter__(self) -> Iterator[Member]:
        return iter(sorted(self._seats.values(), key=lambda member: member.number))

    def tell(self, message: rpc.ToWorker, *members: Member) -> None:
        """Send a message to some members, or else to all."""
        for member in members or tuple(self):
            self._runner.send_message(rpc.TO_WORKER, rpc.pack(message), client_id=member.client_id)

    def gather(self, kind: type[M], *, within_s: float) -> dict[int, M]:
        """Wait for a message of a kind from each worker; return them by the workers' numbers, in order."""
        total, deadline_s = self._config.workers.total, perf_counter() + within_s
        found: dict[int, M] = {}
        while len(found) < total:
            try:
                who, message = self._inbox.get(timeout=max(0.0, deadline_s - perf_counter()))
            except Empty:
                raise WorkerError(
                    f"{total - len(found)} of {total} load workers did not send "
                    f"{rpc.NAMES[kind]!r} within {within_s:g} s{self._absent()}"
                ) from None
            number = who if isinstance(who, int) else who.number
            match message:
                case Lost(how):
                    raise WorkerError(f"load worker {number} of {total} {how}; its share would be missing")
                case Failed(text, wrong_input):
                    raise (ProtocolError if wrong_input else WorkerError)(f"{text} (load worker {number})")
                case _ if isinstance(message, kind):
                    found[number] = message
                case _:
                    raise WorkerError(
                        f"load worker {number} sent {rpc.NAMES[type(message)]!r} "
                        f"where {rpc.NAMES[kind]!r} was due"
                    )
        return dict(sorted(found.items()))

    def dismiss(self, *, within_s: float) -> None:
        """Let all go, and wait for those of this machine to have ended; kill what has not then."""
        self._over = True
        self._runner.send_message("quit")  # Locust's own
        with gevent.Timeout(within_s, False):  # noqa: FBT003 - the way to have it end the block only
            for child in self._children:
                child.wait()
        for child in self._children:
            if child.poll() is None:
                child.kill()
                child.wait()

    def _absent(self) -> str:
        if len(self._seats) == self._config.workers.total:
            return ""
        at = f"{self._config.workers.bind_host}:{self._runner.server.port}"
        return f": {len(self._seats)} have joined the master at {at}"

    def _start(self, number: int) -> subprocess.Popen[bytes]:
        workers, config = self._config.workers, self._config
        settings = {
            "locustfile": str(config.locustfile),
            "master_host": "127.0.0.1" if workers.bind_host in ANYWHERE else workers.bind_host,
            "master_port": self._runner.server.port,
            "number": number,
            "allow_hosts": config.allow_hosts,
        }
        # Nothing is ever written to stdin: it ends when this process does, which ends the worker.
        return subprocess.Popen(
            [sys.executable, "-m", "sloproof.load.worker", json.dumps(settings)], stdin=subprocess.PIPE
        )

    def _hear(self, msg: Message, **_: Any) -> None:  # noqa: ANN401 - whatever else Locust has to say
        heard_s = perf_counter()
        try:
            message, rows = rpc.unpack(msg.data)
        except ProtocolError as exc:
            message, rows = Failed(str(exc)), b""
        member = self._seats.get(msg.node_id)
        match message:
            case rpc.Hello():
                self._seat(msg.node_id, message)
            case _ if member is None:
                pass  # it was refused
            case rpc.Answer(asked_s, answered_s):
                member.exchanges.append(Exchange(asked_s=asked_s, answered_s=answered_s, heard_s=heard_s))
                if len(member.exchanges) < EXCHANGES:
                    self.tell(rpc.Ask(perf_counter()), member)
                else:
                    self._inbox.put((member, message))
            case Progress():
                member.progress = message
            case rpc.Rows():
                member.rows.append(rows)
            case _:
                self._inbox.put((member, message))

    def _seat(self, client_id: str, hello: rpc.Hello) -> None:
        """Give a worker its place, and ask for the time; or refuse it, and wait for one that fits."""
        workers = self._config.workers
        free = [number for number in range(1, workers.total + 1) if number not in self._numbers()]
        remote = [number for number in free if number > workers.local]
        number = hello.number if hello.number is not None else next(iter(remote), None)
        member = Member(number=number or 0, client_id=client_id, hello=hello)
        if (problem := self._problem(member, free)) is not None:
            self._runner.send_message(rpc.TO_WORKER, rpc.pack(rpc.Refused(problem)), client_id=client_id)
            self._runner.send_message("quit", client_id=client_id)
            return
        self._seats[client_id] = member
        self.tell(rpc.Ask(perf_counter()), member)

    def _numbers(self) -> set[int]:
        return {member.number for member in self._seats.values()}

    def _problem(self, member: Member, free: list[int]) -> str | None:
        hello, workers, ours = member.hello, self._config.workers, version("sloproof")
        if member.number not in free:
            return f"the master has its {workers.remote} workers from elsewhere"
        if hello.version != ours:
            return f"this worker is of sloproof {hello.version}, the master of {ours}"
        if hello.locustfile != self._digest:
            return f"this worker's Locust file is another than the master's {self._config.locustfile}"
        return None

    def _watch_child(self, number: int, child: subprocess.Popen[bytes]) -> None:
        status = child.wait()
        if not self._over:
            self._inbox.put((number, Lost(f"ended with status {status}")))

    def _watch_connections(self) -> None:
        """Notice workers of other machines that are gone: nothing tells but their silence."""
        lost: set[str] = set()
        while not self._over:
            gevent.sleep(WATCH_EVERY_S)
            for client_id, member in list(self._seats.items()):
                node = self._runner.clients.get(client_id)
                if client_id not in lost and (node is None or node.state == STATE_MISSING):
                    lost.add(client_id)
                    self._inbox.put((member, Lost(f"on {member.hello.machine} is silent")))
