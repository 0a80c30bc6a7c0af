"""What is wrong in an input file, and where; it knows nothing of how files are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One mistake in one file; ``str()`` gives ``path:line:column: message``, both counted from 1.

    Without a line the file as a whole is wrong: missing, unreadable, a directory.
    """

    path: Path
    message: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        position = "" if self.line is None else f":{self.line}:{self.column}"
        return f"{self.path}{position}: {self.message}"


class WrongInput(Exception):  # noqa: N818 - it names what is wrong, not that something is
    """What the user gave cannot be used; the message says what would be right."""


class EnvironmentFailed(Exception):  # noqa: N818 - as above
    """What the user asked for is right, and cannot be done here and now; the message says why."""


class InvalidFile(WrongInput):
    """A file cannot be used; carries every problem found in it, in the order of the file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.line or 0, problem.column or 0)))
        super().__init__("\n".join(str(problem) for problem in self.problems))
