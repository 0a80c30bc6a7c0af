"""The generator as its parent sees it: a child process that is told what to do; it imports no Locust."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING, Self, TypeVar

from sloproof.load.protocol import (
    Audit,
    AuditFacts,
    Failed,
    Finish,
    Finished,
    PhaseFacts,
    Progress,
    ProtocolError,
    Ready,
    StopPhase,
    encode,
    parse_event,
)
from sloproof.load.workers import JOIN_WITHIN_S
from sloproof.slo.problems import EnvironmentFailed, WrongInput

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from sloproof.load.protocol import Command, Event, LoadConfig, RunPhase

CONFIG = "load.json"
LOG = "load.log"
START_TIMEOUT_S = 60.0
FINISH_TIMEOUT_S = 60.0
GRACE_S = 30.0
LOG_TAIL = 2_000

E = TypeVar("E", Ready, PhaseFacts, AuditFacts, Finished)


class LoadError(EnvironmentFailed):
    """The generator could not do what it was told; the message is its own, or the end of its log."""


class LoadInputError(LoadError, WrongInput):
    """The Locust file or the configuration is wrong; the message says where, and what would be right."""


class LoadProcess:
    """A running generator; leaving its ``with`` block ends and reaps it, whatever happened.

    Its configuration and log, and at last ``samples.parquet`` and ``jobs.parquet``, are in the output folder.
    It leads a session of its own and ends when this process does. What waits for the generator raises
    LoadInputError when the Locust file or the configuration is wrong, and LoadError when the generator
    reports another error, is gone or takes too long; a phase goes on then, and can be waited for again.
    Without ``wait`` the next call is ``await_ready``.
    """

    ready: Ready

    def __init__(self, config: LoadConfig, *, wait: bool = True) -> None:
        config.output.mkdir(parents=True, exist_ok=True)
        path = config.output / CONFIG
        path.write_text(encode(config))
        self._log = config.output / LOG
        with self._log.open("wb") as log:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "sloproof.load", str(path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                bufsize=1,
                start_new_session=True,
            )
        self._events: SimpleQueue[Event | LoadError] = SimpleQueue()
        self._reader = Thread(target=self._read, name="load-events", daemon=True)
        self._reader.start()
        self._start_timeout_s = START_TIMEOUT_S + (JOIN_WITHIN_S if config.workers.remote else 0)
        if wait:
            try:
                self.await_ready()
            except BaseException:
                self.kill()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        """The process id, which is its process group's and session's as well."""
        return self._child.pid

    def await_ready(self) -> None:
        """Wait until its users do, and those of its workers."""
        self.ready = self._wait(Ready, self._start_timeout_s)

    def begin_phase(self, order: RunPhase) -> None:
        """Start a phase; the next call is ``wait_phase``, with ``stop_phase`` before it or not."""
        self._tell(order)

    def stop_phase(self) -> None:
        """Let the running phase end early; it is still to be waited for."""
        self._tell(StopPhase())

    def wait_phase(
        self, *, timeout_s: float, on_progress: Callable[[Progress], None] | None = None
    ) -> PhaseFacts:
        """Return the facts of the phase that was begun, once it has ended."""
        return self._wait(PhaseFacts, timeout_s, on_progress)

    def phase(self, order: RunPhase, *, on_progress: Callable[[Progress], None] | None = None) -> PhaseFacts:
        """Run a phase from its beginning to its end."""
        self.begin_phase(order)
        timeout_s = order.duration_s + order.drain_s + GRACE_S
        return self.wait_phase(timeout_s=timeout_s, on_progress=on_progress)

    def audit(self, order: Audit) -> AuditFacts:
        """Read every accepted job back from the subject."""
        self._tell(order)
        return self._wait(AuditFacts, order.deadline_s + GRACE_S)

    def finish(self, *, timeout_s: float = FINISH_TIMEOUT_S) -> None:
        """Have the files written and the process ended."""
        self._tell(Finish())
        self._wait(Finished, timeout_s)
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(timeout_s)
        self.kill()

    def kill(self) -> None:
        """End the process, and all that it may have started, at once; harmless when it has ended already."""
        with suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()
        self._reader.join()
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()

    def _tell(self, command: Command) -> None:
        assert self._child.stdin is not None  # noqa: S101 - made by PIPE above
        with suppress(OSError):  # it is gone; the wait that follows says why
            self._child.stdin.write(encode(command))
            self._child.stdin.flush()

    def _wait(
        self, kind: type[E], timeout_s: float, on_progress: Callable[[Progress], None] | None = None
    ) -> E:
        deadline = monotonic() + timeout_s
        while True:
            try:
                event = self._events.get(timeout=max(0.0, deadline - monotonic()))
            except Empty:
                raise LoadError(
                    f"the load generator did not send {kind.event!r} within {timeout_s:g} s"
                ) from None
            match event:
                case Progress():
                    if on_progress is not None:
                        on_progress(event)
                case Failed():
                    raise (LoadInputError if event.wrong_input else LoadError)(event.message)
                case LoadError():
                    raise event
                case _ if isinstance(event, kind):
                    return event
                case _:
                    raise LoadError(f"the load generator sent {event.event!r} where {kind.event!r} was due")

    def _read(self) -> None:
        assert self._child.stdout is not None  # noqa: S101 - made by PIPE above
        for line in self._child.stdout:
            try:
                self._events.put(parse_event(line))
            except ProtocolError as exc:
                self._events.put(LoadError(f"the load generator spoke out of turn: {exc}"))
        self._events.put(self._gone())

    def _gone(self) -> LoadError:
        status = self._child.wait()
        tail = self._log.read_bytes()[-LOG_TAIL:].decode(errors="replace").strip()
        return LoadError(f"the load generator ended with status {status}" + (f": {tail}" if tail else ""))
