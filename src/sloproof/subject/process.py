"""Subjects that are a child process group of ours, and the free ports they listen on."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

from sloproof.subject import owner
from sloproof.subject.interrupts import deferred
from sloproof.subject.port import HOST, Cell, SubjectError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

# The load generator shares the machine with the subject, and is the instrument: where both want a processor,
# it goes first. Lowering a priority needs no privilege, raising one would.
NICENESS = 10

# Below the range from which Linux takes the ports of outgoing connections (32768 and up), so that no client
# connection of ours can sit on the port when the subject is started again.
PORTS = range(20_000, 32_000)


def free_port(*, after: int | None = None) -> int:
    """Return a port of the loopback interface on which nothing listens, searched from a per-process start.

    `after` a port, the search begins with the next: what still asks there finds nobody.

    Raises:
        SubjectError: every port of `PORTS` is taken.

    """
    start = os.getpid() * 17 if after is None else after + 1 - PORTS.start
    for offset in range(len(PORTS)):
        port = PORTS[(start + offset) % len(PORTS)]
        if _is_free(port):
            return port
    raise SubjectError(f"no free port on {HOST} in {PORTS.start}-{PORTS.stop - 1}: stop what listens there")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSubject:
    """Start the subject as a command of this machine.

    `command` and the values of `env` may name ``{python}`` (this interpreter), ``{port}``, ``{folder}`` (the
    cell's own) and every factor of the configuration.
    """

    command: Sequence[str]
    directory: Path
    env: Mapping[str, str] = field(default_factory=dict)

    def start(self, cell: Cell) -> ProcessInstance:
        """Start the command as the leader of a process group of its own, its output in the cell's log."""
        names = {**cell.factors, "port": cell.port, "folder": cell.folder, "python": sys.executable}
        command = [part.format_map(names) for part in self.command]
        env = {key: value.format_map(names) for key, value in self.env.items()}
        mark = {owner.VARIABLE: owner.Owner.present().mark}
        log = cell.log.open("ab")
        try:
            child = subprocess.Popen(
                command,
                cwd=self.directory,
                env=os.environ | env | mark,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            log.close()
            raise SubjectError(f"cannot start {' '.join(command)!r}: {error.strerror}") from error
        _yield_to_instrument(child.pid)
        return ProcessInstance(url=f"http://{HOST}:{cell.port}", child=child, log=log)

    def keep(self, cell: Cell) -> None:
        """Do nothing: the instances have stored what they did in the cell's folder."""

    def clear(self, cell: Cell) -> None:
        """Delete the cell's folder."""
        try:
            shutil.rmtree(cell.folder)
        except FileNotFoundError:
            return
        except OSError as error:
            raise SubjectError(f"cannot delete {cell.folder}: {error.strerror}") from error


def _yield_to_instrument(pid: int) -> None:
    """Lower the priority of a process that was just started, and so of all that it will start.

    Where the kernel schedules sessions as groups, the group's priority counts.
    Source: Linux, sched(7), "The autogroup feature".
    """
    with suppress(OSError):  # it has ended already, or the kernel has no such groups
        os.setpriority(os.PRIO_PROCESS, pid, NICENESS)
        Path(f"/proc/{pid}/autogroup").write_text(str(NICENESS))


@dataclass(slots=True, kw_only=True)
class ProcessInstance:
    """A running command and every process it has started in its group."""

    url: str
    child: subprocess.Popen[bytes]
    log: IO[bytes]

    @property
    def pid(self) -> int:
        """Return the leader's process ID, which is its group's too."""
        return self.child.pid

    def exit_status(self) -> int | None:
        """Return the leader's exit status, or ``None`` while it runs."""
        return self.child.poll()

    def ending(self) -> None:
        """Tell nothing: all that this machine says of a process's end is its status."""

    def terminate(self) -> None:
        """Send SIGTERM to the leader, as an init system or a container engine does."""
        self.child.terminate()

    def wait(self, timeout_s: float) -> int | None:
        """Wait for the leader to end."""
        try:
            return self.child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def kill(self) -> None:
        """Kill the group: the leader, and workers that may have outlived it."""
        with suppress(ProcessLookupError):
            os.killpg(self.child.pid, signal.SIGKILL)
        self.child.wait()

    def log_tail(self, lines: int) -> str:
        """Return the end of the log, of this instance and those before it in the same cell."""
        with open(self.log.name, encoding="utf-8", errors="replace") as text:  # noqa: PTH123 - the name of an open file
            return "".join(text.readlines()[-lines:]).rstrip()

    def __enter__(self) -> Self:
        """Hold the instance until it is killed."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Leave no process behind, whatever happened."""
        with deferred():
            self.kill()
            self.log.close()
