"""The port behind which every kind of subject stands: callers know these names and no others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

from sloproof.slo.problems import EnvironmentFailed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

HOST = "127.0.0.1"


class SubjectError(EnvironmentFailed):
    """The environment failed: the subject could not be started, or never became ready."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Where one instance lives: the values of its configuration, its folder, its log, its port.

    Two instances started in the same cell one after the other share its folder, so the second finds what the
    first has stored; the log is appended to.
    """

    factors: Mapping[str, str]
    folder: Path
    log: Path
    port: int


class Instance(Protocol):
    """One started subject; leaving its context kills whatever of it is left."""

    @property
    def url(self) -> str:
        """Return the base URL that clients use, without a trailing slash."""
        ...

    @property
    def pid(self) -> int | None:
        """Return the ID of its first process, or ``None`` where that process cannot be seen from here."""
        ...

    def exit_status(self) -> int | None:
        """Return the exit status (negative: the signal that ended it), or ``None`` while it runs."""
        ...

    def ending(self) -> str | None:
        """Return what is known of its end beyond the status, e.g. that memory ran out; else ``None``."""
        ...

    def terminate(self) -> None:
        """Ask the instance to stop in good order (SIGTERM); does nothing to one that has ended."""
        ...

    def wait(self, timeout_s: float) -> int | None:
        """Return the exit status, or ``None`` if the instance still runs after `timeout_s` seconds."""
        ...

    def kill(self) -> None:
        """End every process of the instance at once; safe to call again."""
        ...

    def log_tail(self, lines: int) -> str:
        """Return the last `lines` lines of what the instance wrote."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...


class Subject(Protocol):
    """A way to run the thing under test: a process, a container."""

    def start(self, cell: Cell) -> Instance:
        """Start an instance in `cell` without waiting until it is ready.

        Raises:
            SubjectError: it could not be started at all.

        """
        ...

    def keep(self, cell: Cell) -> None:
        """Leave what the cell's instances have stored in `cell.folder`, as evidence; this ends the cell.

        Raises:
            SubjectError: it could not be read.

        """
        ...

    def clear(self, cell: Cell) -> None:
        """Delete what the cell's instances have stored, and `cell.folder`; this ends the cell.

        Raises:
            SubjectError: it could not be deleted.

        """
        ...
