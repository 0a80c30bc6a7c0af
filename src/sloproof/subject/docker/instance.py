"""A container that was started: how to signal it, how it ended, what it wrote; it sets nothing up."""

from __future__ import annotations

import signal
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from docker.errors import APIError, NotFound
from requests.exceptions import ConnectionError as Disconnected
from requests.exceptions import ReadTimeout

from sloproof.subject.docker.errors import refusals_told
from sloproof.subject.interrupts import deferred
from sloproof.subject.port import HOST

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from testcontainers.core.container import DockerContainer

    from sloproof.subject.docker.engine import Engine

SIGNALLED = 128
LAST_SIGNAL = 64
SHORTEST_S = 0.001  # to the HTTP client 0 is no time-out
KILLED_WITHIN_S = 30.0
NOT_RUNNING = 409
MEBI = 2**20


@dataclass(slots=True, kw_only=True)
class DockerInstance:
    """A started container; what it wrote is in the cell's log once it has ended.

    The subject listens on `inner_port`, which is published as `outer_port` of this machine's loopback
    interface.
    """

    engine: Engine
    container: DockerContainer
    asked_memory_bytes: int | None
    inner_port: int
    outer_port: int
    log: Path
    _end: dict[str, Any] | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        """Return the base URL of the published port."""
        return f"http://{HOST}:{self.outer_port}"

    @property
    def image(self) -> str:
        """Return the ID of the image."""
        return self.container.image

    @property
    def id(self) -> str:
        """Return the container's ID."""
        return self.container.get_container_id()

    @property
    def pid(self) -> int | None:
        """Return the ID of the container's first process; ``None`` where the engine's numbers are not ours.

        So it is where we run in a container ourselves: the same number is then another process, or none.
        """
        with refusals_told("inspect the container"):
            pid: int = self.engine.client.api.inspect_container(self.id)["State"]["Pid"]
        try:
            ours = self.id in Path(f"/proc/{pid}/cgroup").read_text()
        except OSError:
            return None
        return pid if ours else None

    def exit_status(self) -> int | None:
        """Return the exit status of the container's first process, or ``None`` while it runs."""
        end = self._ended()
        if end is None:
            return None
        code: int = end["ExitCode"]
        return -(code - SIGNALLED) if SIGNALLED < code <= SIGNALLED + LAST_SIGNAL else code

    def ending(self) -> str | None:
        """Return whether memory ran out, or what else the engine has to say of the end."""
        end = self._ended()
        if end is None:
            return None
        if end["OOMKilled"]:
            limit = self.asked_memory_bytes
            return "out of memory" if limit is None else f"out of memory (limit {limit / MEBI:g}m)"
        return end["Error"] or None

    def terminate(self) -> None:
        """Send the image's stop signal, SIGTERM unless it names another, through the engine."""
        self._signal(self.container.get_wrapped_container().attrs["Config"].get("StopSignal") or "SIGTERM")

    def wait(self, timeout_s: float) -> int | None:
        """Wait for the container to end."""
        with refusals_told("wait for the container"), suppress(ReadTimeout, Disconnected):
            # A time-out while the answer is awaited comes as a lost connection; a lost engine shows below.
            self.container.get_wrapped_container().wait(timeout=max(timeout_s, SHORTEST_S))
        return self.exit_status()

    def kill(self) -> None:
        """Kill the container's first process, and with it the kernel kills all others."""
        self._signal("SIGKILL")
        self.wait(KILLED_WITHIN_S)

    def log_tail(self, lines: int) -> str:
        """Return the end of the log, of this instance and those before it in the same cell."""
        before = self.log.read_text(errors="replace") if self.log.exists() else ""
        own = "" if self._end else b"".join(self._output(tail=lines)).decode(errors="replace")
        return "\n".join((before + own).splitlines()[-lines:]).rstrip()

    def __enter__(self) -> Self:
        """Hold the instance until it is killed and removed."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Leave no container behind, whatever happened."""
        with deferred():
            try:
                self.kill()
            finally:
                with refusals_told("remove the container"), suppress(NotFound):
                    self.container.stop()

    def _signal(self, name: str) -> None:
        with refusals_told(f"send {name} to the container"):
            try:
                self.container.get_wrapped_container().kill(signal=signal.Signals[name])
            except APIError as error:
                if error.status_code != NOT_RUNNING:
                    raise

    def _ended(self) -> dict[str, Any] | None:
        """Return the engine's record of the end, or ``None`` while there is none; keep the output first."""
        if self._end is None:
            with refusals_told("inspect the container"):
                state = self.engine.client.api.inspect_container(self.id)["State"]
                if state["Status"] not in {"exited", "dead"}:
                    return None
                with self.log.open("ab") as log:
                    log.writelines(self._output(tail="all"))
            self._end = state
        return self._end

    def _output(self, *, tail: int | Literal["all"]) -> Iterator[bytes]:
        with refusals_told("read what the container wrote"):
            yield from self.container.get_wrapped_container().logs(stream=True, follow=False, tail=tail)
