"""Read when requests once arrived from a text file, one a line, or say what is wrong with it and where."""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from sloproof.load.protocol import MAX_ARRIVALS
from sloproof.load.shapes import Recording
from sloproof.slo.problems import InvalidFile, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECONDS = re.compile(r"[0-9]+(\.[0-9]+)?")
FIRST_THAT_ARE_NO_SECONDS = 1e11
"""The year 5138 in Unix seconds, and 1973 in Unix milliseconds."""
MAX_BYTES = 128 * 2**20
MOST_PROBLEMS = 10
ACCEPTED = "write seconds, e.g. 12.5, or a date and time, e.g. 2026-01-02T03:04:05.678Z, one a line"


class Notation(StrEnum):
    """How a file writes its times."""

    SECONDS = "seconds"
    RFC_3339 = "dates"


def read_recording(path: Path) -> Recording:
    """Return the recorded starts, counted from the earliest; the order of the lines does not matter.

    A line holds seconds, from any origin such as that of Unix time, or a date and time as in RFC 3339, the
    same in all lines. What follows a ``#`` is a comment.

    Raises:
        InvalidFile: with the first mistakes found.

    """
    times_s = np.sort(np.array(_times(path), dtype=float))
    if len(times_s) < 2 or times_s[0] == times_s[-1]:  # noqa: PLR2004 - a pair
        raise _invalid(path, "has no two arrivals at different times: a replay needs them")
    return Recording(times_s - times_s[0])


def _times(path: Path) -> list[float]:
    times_s: list[float] = []
    problems: list[Problem] = []
    notation: Notation | None = None
    for number, line in _lines(path):
        if not (text := line.partition("#")[0].strip()):
            continue
        try:
            seconds, notation = _time(text, notation)
            times_s.append(seconds)
        except ValueError as error:
            column = len(line) - len(line.lstrip()) + 1
            problems.append(Problem(path=path, line=number, column=column, message=str(error)))
        if len(problems) == MOST_PROBLEMS:
            break
        if len(times_s) > MAX_ARRIVALS:
            raise _invalid(path, f"holds more than {MAX_ARRIVALS:,} arrivals: cut it")
    if problems:
        raise InvalidFile(problems)
    return times_s


def _time(text: str, before: Notation | None) -> tuple[float, Notation]:
    """Return a time in seconds and how it is written, which must be how those before it were."""
    shown = text if len(text) <= 60 else f"{text[:57]}…"  # noqa: PLR2004 - fits a line
    if SECONDS.fullmatch(text):
        seconds, notation = float(text), Notation.SECONDS
    else:
        seconds, notation = _moment(shown).timestamp(), Notation.RFC_3339
    if notation is not (before or notation):
        raise ValueError(f"'{shown}' is in {notation}, and the lines before are in {before}: take one")
    if seconds >= FIRST_THAT_ARE_NO_SECONDS:
        raise ValueError(f"'{shown}' is in milliseconds or less: write seconds")
    return seconds, notation


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"'{text}' is no time: {ACCEPTED}") from None
    if moment.tzinfo is None:
        raise ValueError(f"'{text}' has no time zone: write it with Z or +01:00 at its end")
    return moment


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _invalid(path, f"is larger than {MAX_BYTES // 2**20} MiB: cut it")
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            yield from enumerate(file, start=1)
    except OSError as error:
        message = f"cannot be read ({error.strerror}): name a text file that you may read"
        raise _invalid(path, message) from error


def _invalid(path: Path, message: str) -> InvalidFile:
    return InvalidFile([Problem(path=path, message=message)])
