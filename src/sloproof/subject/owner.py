"""Whose a process, container or volume is, and whether that sloproof still lives; it asks no engine."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterator

VARIABLE = "SLOPROOF_OWNER"
LABEL = "sloproof.owner"

PROC = Path("/proc")
START_TICKS = 22 - 4  # the field of /proc/PID/stat, counted from its fourth


class Life(Enum):
    """What this process can say of an owner."""

    ALIVE = auto()
    DEAD = auto()
    OF_ANOTHER_BOOT = auto()
    """It is dead if it ran on this machine, and nobody can tell whether it did."""
    OUT_OF_SIGHT = auto()
    """It runs, or ran, in another PID namespace of this boot, as in a container."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """One run of sloproof's own process, told from every other on this machine, before and after a reboot.

    A process ID comes again; together with the clock ticks at which the process started it does not.
    """

    boot: str
    namespace: str
    pid: int
    start_ticks: int

    @classmethod
    def present(cls) -> Self:
        """Return the owner that this process is."""
        pid = os.getpid()
        return cls(
            boot=(PROC / "sys/kernel/random/boot_id").read_text().strip(),
            namespace=str((PROC / "self/ns/pid").stat().st_ino),
            pid=pid,
            start_ticks=_start_ticks(pid),
        )

    @classmethod
    def parse(cls, mark: str) -> Self | None:
        """Return the owner that `mark` names; ``None`` where it is no mark of ours."""
        try:
            boot, namespace, pid, start_ticks = mark.split(":")
            return cls(boot=boot, namespace=namespace, pid=int(pid), start_ticks=int(start_ticks))
        except ValueError:
            return None

    @property
    def mark(self) -> str:
        """Return the owner as the text that its processes, containers and volumes carry."""
        return f"{self.boot}:{self.namespace}:{self.pid}:{self.start_ticks}"

    def life(self) -> Life:
        """Return whether the owner lives, as far as can be seen from here."""
        here = Owner.present()
        if self.boot != here.boot:
            return Life.OF_ANOTHER_BOOT
        if self.namespace != here.namespace:
            return Life.OUT_OF_SIGHT
        try:
            return Life.ALIVE if _start_ticks(self.pid) == self.start_ticks else Life.DEAD
        except OSError:
            return Life.DEAD


def _start_ticks(pid: int) -> int:
    """Return when a process started, in clock ticks since boot. Source: proc_pid_stat(5), field 22.

    A zombie counts as gone: nobody will end what it started.
    """
    state, *fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    if state in "ZX":
        raise ProcessLookupError(pid)
    return int(fields[START_TICKS])


def sweep_processes() -> list[str]:
    """Kill every process whose owner is dead, and return what was killed, for people to read.

    Processes carry their owner's mark in the environment, which those that they start inherit. What another
    user runs cannot be seen, and is not ours to kill.
    """
    return [f"process {pid} ({command})" for pid, command in _kill_orphans()]


def _kill_orphans() -> Iterator[tuple[int, str]]:
    for folder in PROC.glob("[0-9]*"):
        pid = int(folder.name)
        with suppress(OSError):  # it has ended meanwhile, or is another user's
            process = os.pidfd_open(pid)
            try:
                if pid != os.getpid() and _is_orphan(folder):
                    command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                    # By its descriptor, because another process may have come to the number since.
                    signal.pidfd_send_signal(process, signal.SIGKILL)
                    yield pid, command.strip()
            finally:
                os.close(process)


def _is_orphan(folder: Path) -> bool:
    start = f"{VARIABLE}=".encode()
    for variable in (folder / "environ").read_bytes().split(b"\0"):
        if variable.startswith(start):
            owner = Owner.parse(variable.removeprefix(start).decode(errors="replace"))
            return owner is not None and owner.life() is Life.DEAD
    return False
