"""Read the kernel's accounts of a subject and of the machine; what follows from them is told elsewhere."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from sloproof.observe import cgroups
from sloproof.observe.cgroups import PROC, read
from sloproof.observe.pressure import (
    RESOURCES,
    Process,
    Reading,
    family,
    parse_psi,
    parse_schedstat,
    parse_stat,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def reading(pid: int | None, proc: Path = PROC) -> Reading:
    """Read every account of the subject whose first process is `pid`; of no process, the machine's alone."""
    members = [] if pid is None else family(pid, _processes(proc))
    unified = cgroups.unified(pid, proc)
    return Reading(
        at_s=time.monotonic(),
        cpu_s=sum(each.ticks for each in members) * TICK_S if members else None,
        waited_s=_waited_s(members, proc),
        throttling=cgroups.throttling(pid, proc),
        stalled_s=stalled_s(proc / "pressure"),
        group_stalled_s={} if unified is None else stalled_s(unified, suffix=".pressure"),
    )


def stalled_s(folder: Path, *, suffix: str = "") -> dict[str, float]:
    """Return for how long some task has waited for each resource of which the kernel tells."""
    return {
        name: seconds
        for name in RESOURCES
        if (text := read(folder / f"{name}{suffix}")) and (seconds := parse_psi(text)) is not None
    }


def _processes(proc: Path) -> dict[int, Process]:
    found = (read(folder / "stat") for folder in proc.glob("[0-9]*"))  # one that ends meanwhile has none
    return {each.pid: each for each in map(parse_stat, filter(None, found))}


def _waited_s(members: Sequence[Process], proc: Path) -> dict[int, float] | None:
    return dict(_waits(members, proc)) or None


def _waits(members: Sequence[Process], proc: Path) -> Iterator[tuple[int, float]]:
    for each in members:
        for thread in (proc / str(each.pid) / "task").glob("*"):
            if (text := read(thread / "schedstat")) and (waited_s := parse_schedstat(text)) is not None:
                yield int(thread.name), waited_s
