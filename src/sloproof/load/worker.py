"""A worker of a generator, ``python -m sloproof.load.worker SETTINGS``: it joins a master and does its part.

Nobody types it: a master does for workers on its own machine, ``sloproof load-worker`` for one elsewhere. It
exits with 0 when the master has let it go, with 2 when something is wrong that a person has to put right, and
at once when stdin ends (its parent is gone), when the connection to the master does, or on SIGTERM.
"""

# ruff: noqa: I001 - Locust must be imported before anything that gevent has to patch
from __future__ import annotations

import os

os.environ.setdefault("GEVENT_BACKEND", "select")  # see __main__.py

import locust

import json
import logging
import signal
import socket
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path  # noqa: TC003 - resolved when settings are read
from time import perf_counter
from typing import TYPE_CHECKING, Any

import gevent
import locust.runners
import zmq.green as zmq
from gevent.event import AsyncResult, Event
from gevent.fileobject import FileObject
from locust.env import Environment
from pydantic import TypeAdapter

from sloproof.load import rpc
from sloproof.load.clocks import machine
from sloproof.load.endings import ERROR, NO_MASTER, NOT_SEATED, ORPHANED
from sloproof.load.failures import failure
from sloproof.load.generator import assemble, await_users, errors_of_users, keep_three_digits
from sloproof.load.locustfile import LocustfileError, digest, load_traffic
from sloproof.load.merging import encode_jobs, encode_rows
from sloproof.load.phase import PhaseRun
from sloproof.load.protocol import ProtocolError, Ready, RunPhase, StopPhase, parse_config
from sloproof.load.sharing import Share

if TYPE_CHECKING:
    from locust.rpc import Message
    from locust.runners import WorkerRunner

    from sloproof.load.crew import Crew
    from sloproof.load.locustfile import Traffic

TERMINATED = 128 + signal.SIGTERM
SEATED_WITHIN_S = 10.0
SPAWN_POLL_S = 0.01
CONNECT_EVERY_S = 1
SILENT_MASTER_S = 15
LAST_WORD_WITHIN_S = 0.5  # of what had arrived before the connection ended

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a worker is started with: all else comes from the master.

    ``number`` is for those that the master itself starts. A master may take ``within_s`` to appear.
    """

    locustfile: Path
    master_host: str
    master_port: int
    number: int | None = None
    allow_hosts: tuple[str, ...] = ()
    within_s: float = 60.0


class Worker:
    """What a worker does when its master says so; every error is told to the master, which then ends it."""

    def __init__(self, settings: Settings, traffic: Traffic, runner: WorkerRunner) -> None:
        self._settings = settings
        self._traffic = traffic
        self._runner = runner
        self._share: Share | None = None
        self._crew: Crew | None = None
        self._phase: PhaseRun | None = None
        self._agreed: AsyncResult[float] = AsyncResult()
        self._handed_over = 0
        self.seated = Event()
        self.failed = ""
        runner.register_message(rpc.TO_WORKER, self._hear)
        self._say(
            rpc.Hello(
                number=settings.number,
                pid=os.getpid(),
                machine=socket.gethostname(),
                boot=machine(),
                version=version("sloproof"),
                locustfile=digest(settings.locustfile),
            )
        )

    def _say(self, message: rpc.ToMaster, rows: bytes = b"") -> None:
        self._runner.send_message(rpc.TO_MASTER, rpc.pack(message, rows))

    def _hear(self, msg: Message, **_: Any) -> None:  # noqa: ANN401 - whatever else Locust has to say
        """Take in a message, in their order; what takes long goes on beside."""
        try:
            message, _rows = rpc.unpack(msg.data)
            match message:
                case rpc.Ask(asked_s):
                    self._say(rpc.Answer(asked_s, perf_counter()))
                    self.seated.set()
                case rpc.Begin(first_s):
                    self._agreed.set(first_s)
                case StopPhase() if self._phase is not None:
                    self._phase.stop()
                case RunPhase():
                    self._arm(message)
                case rpc.Enlist():
                    gevent.spawn(self._or_say_why_not, self._enlist, message)
                case rpc.HandOver():
                    gevent.spawn(self._or_say_why_not, self._hand_over)
                case rpc.Refused(text):
                    self._fail(ProtocolError(text))
                case _:
                    self._fail(ProtocolError(f"{rpc.NAMES[type(message)]!r} makes no sense to a worker now"))
        except Exception as exc:  # noqa: BLE001 - Locust would only log it, and the master wait
            self._fail(exc)

    def _or_say_why_not(self, work: Any, *arguments: Any) -> None:  # noqa: ANN401 - any work of this class
        try:
            work(*arguments)
        except Exception as exc:  # noqa: BLE001 - as above
            self._fail(exc)

    def _fail(self, exc: Exception) -> None:
        event = failure(exc)
        logger.error("worker_failed %s", event.message, exc_info=None if event.wrong_input else exc)
        self.failed = event.message
        self.seated.set()
        self._say(event)

    def _enlist(self, order: rpc.Enlist) -> None:
        keep_three_digits()
        mine = {
            "locustfile": str(self._settings.locustfile),
            "allow_hosts": self._settings.allow_hosts,
            "users": order.users,
            "seed": order.config["seed"] + order.index,
            "workers": {},
        }
        config = parse_config(json.dumps({**order.config, **mine}))
        self._share = Share(order.index, order.of)
        self._crew, classes = assemble(config, self._traffic, order.zero)
        self._runner.environment.user_classes = [*classes]
        errors = errors_of_users()
        self._say(rpc.Enlisted())
        while self._runner.spawning_greenlet is None:  # the master has a deadline for it
            gevent.sleep(SPAWN_POLL_S)
        await_users(self._crew, self._runner, errors)
        tasks = tuple(task.name for task in self._crew.tasks)
        self._say(Ready(pid=os.getpid(), tasks=tasks, epoch_unix_s=order.zero.unix_s))

    def _arm(self, order: RunPhase) -> None:
        if self._crew is None or self._share is None:
            raise ProtocolError("a phase came before the worker was enlisted")
        self._agreed = AsyncResult()
        self._phase = PhaseRun(order, self._crew, self._say, self._share)
        gevent.spawn(self._or_say_why_not, self._run, self._phase)

    def _run(self, phase: PhaseRun) -> None:
        def agree() -> float:
            self._say(rpc.Armed(phase.planned))
            first_s: float = self._agreed.get()
            return first_s

        facts = phase.run(agree)
        assert phase.rows is not None  # noqa: S101 - it has ended
        self._send_rows(encode_rows(phase.rows))
        phase.rows = None
        self._say(facts)

    def _hand_over(self) -> None:
        if self._crew is None:
            raise ProtocolError("its jobs were asked for before the worker was enlisted")
        measurement = self._crew.measurement
        jobs = measurement.ledger[self._handed_over :]
        self._handed_over += len(jobs)
        self._send_rows(encode_jobs(jobs))
        statistics: dict[str, Any] = {}  # as Locust reports them every few seconds
        report = self._runner.environment.events.report_to_master
        report.fire(client_id=self._runner.client_id, data=statistics)  # type: ignore[no-untyped-call]
        self._runner.send_message("stats", statistics)
        self._say(rpc.HandedOver(measurement.records.endpoints_of_tasks()))

    def _send_rows(self, rows: bytes) -> None:
        for piece in rpc.pieces(rows):
            self._say(rpc.Rows(), piece)


def end_with_parent() -> None:
    """End the process when its parent ends, which holds the other end of stdin."""
    FileObject(sys.stdin.fileno(), "rb").read()
    os._exit(ORPHANED)


def end_with_connection(worker: Worker, runner: WorkerRunner) -> None:
    """End the process when the connection to the master ends, but in order where it was told to before."""
    told = Event()
    runner.environment.events.test_stopping.add_listener(lambda **_: told.set())  # type: ignore[no-untyped-call]
    monitor = runner.client.socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
    monitor.recv_multipart()
    if not told.wait(LAST_WORD_WITHIN_S):
        os._exit(ERROR if worker.failed else ORPHANED)


def join(settings: Settings, traffic: Traffic) -> WorkerRunner:
    """Connect to the master. Raises ConnectionError where there is none."""
    locust.runners.CONNECT_TIMEOUT = CONNECT_EVERY_S
    locust.runners.CONNECT_RETRY_COUNT = round(settings.within_s / CONNECT_EVERY_S)
    locust.runners.MASTER_HEARTBEAT_TIMEOUT = SILENT_MASTER_S
    environment = Environment(user_classes=[*traffic.user_classes], events=locust.events)
    runner = environment.create_worker_runner(settings.master_host, settings.master_port)
    locust.events.init.fire(environment=environment, runner=runner, web_ui=None)  # type: ignore[no-untyped-call]
    return runner


def main(text: str) -> int:
    """Run a worker from its connection to its end, and return its exit status."""
    settings = TypeAdapter(Settings).validate_json(text)
    name = "load worker" if settings.number is None else f"load worker {settings.number}"
    logging.basicConfig(level=logging.WARNING, format=f"{name}: %(levelname)s:%(name)s:%(message)s")
    gevent.signal_handler(signal.SIGTERM, os._exit, TERMINATED)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    gevent.spawn(end_with_parent)
    try:
        traffic = load_traffic(settings.locustfile)
    except LocustfileError as exc:
        sys.stderr.write(f"{name}: {exc}\n")
        return ERROR
    try:
        runner = join(settings, traffic)
    except ConnectionError:
        return NO_MASTER
    worker = Worker(settings, traffic, runner)
    gevent.spawn(end_with_connection, worker, runner)
    if not worker.seated.wait(SEATED_WITHIN_S):
        return NOT_SEATED
    runner.greenlet.join()
    return ERROR if worker.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
