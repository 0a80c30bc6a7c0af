"""Where the control groups of a process lie, of either version, and what their files say."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PROC = Path("/proc")
UNIFIED = ""
"""The name that version 2, which has one hierarchy for all controllers, goes by among those of version 1."""
MICROSECONDS = 1e-6
NANOSECONDS = 1e-9
# Version 1 says "no limit" by the greatest multiple of a page that fits; no machine has a tenth as much.
NO_LIMIT_BYTES = 2**60


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttling:
    """How a limit of processor time was enforced, since the group was made.

    Each period hands out a quota; `throttled_periods` are those in which it was used up and the group stood
    still, for `throttled_s` seconds in all (those of each processor added up).
    """

    periods: int
    throttled_periods: int
    throttled_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a group may take: processors' worth of time, bytes of memory; ``None`` is no limit."""

    cpus: float | None
    memory_bytes: int | None


def folders(cgroup: str, mountinfo: str) -> dict[str, Path]:
    """Return the folder of each controller's group of a process, from the texts of its files in ``/proc``.

    A group that is not below what is mounted here, as that of a container seen from another, has none.
    Source: cgroups(7), "/proc/pid/cgroup"; proc_pid_mountinfo(5).

    >>> mount = "41 31 0:38 /docker/1 /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw"
    >>> folders("0::/docker/1/web", mount)
    {'': PosixPath('/sys/fs/cgroup/web')}
    >>> folders("0::/../2", mount)
    {}
    """
    found = {}
    mounts = dict(_mounts(mountinfo))
    for line in cgroup.splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            if (mount := mounts.get(controller)) is None:
                continue
            root, place = mount
            inside = PurePosixPath(path)
            if ".." not in inside.parts and inside.is_relative_to(root):
                found[controller] = Path(place) / inside.relative_to(root)
    return found


def _mounts(mountinfo: str) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield each controller with the group that is mounted, and where."""
    for line in mountinfo.splitlines():
        mounted, _, source = line.partition(" - ")
        root, place = mounted.split()[3:5]
        kind, _, options = source.split(" ", 2)
        if kind == "cgroup2":
            yield UNIFIED, (root, place)
        elif kind == "cgroup":
            yield from ((option, (root, place)) for option in options.split(","))


def parse_cpu_stat(text: str) -> Throttling | None:
    r"""Read ``cpu.stat`` of either version; ``None`` where it tells of no periods, as that of a root.

    Source: Linux, Documentation/scheduler/sched-bwc.rst, "Statistics"; admin-guide/cgroup-v2.rst, "CPU".

    >>> parse_cpu_stat("nr_periods 23\nnr_throttled 20\nthrottled_time 1530000000\n")
    Throttling(periods=23, throttled_periods=20, throttled_s=1.53)
    """
    values = {name: int(value) for name, value in (line.split() for line in text.splitlines())}
    if "nr_periods" not in values:
        return None
    return Throttling(
        periods=values["nr_periods"],
        throttled_periods=values["nr_throttled"],
        throttled_s=values["throttled_usec"] * MICROSECONDS
        if "throttled_usec" in values
        else values["throttled_time"] * NANOSECONDS,
    )


def parse_limits(files: Mapping[str, str]) -> Limits:
    """Read the limits of one group from the texts of its files by name, of either version.

    >>> parse_limits({"cpu.max": "150000 100000", "memory.max": "max"})
    Limits(cpus=1.5, memory_bytes=None)
    """
    quota, period = (files.get("cpu.max") or "max 1").split()
    if "cpu.cfs_quota_us" in files:
        quota, period = files["cpu.cfs_quota_us"], files.get("cpu.cfs_period_us", "100000")
    memory = (files.get("memory.max") or files.get("memory.limit_in_bytes") or "max").strip()
    no_quota = quota == "max" or int(quota) < 0
    no_limit = memory == "max" or int(memory) >= NO_LIMIT_BYTES
    return Limits(
        cpus=None if no_quota else int(quota) / int(period),
        memory_bytes=None if no_limit else int(memory),
    )


def throttling(pid: int | None, proc: Path = PROC) -> dict[str, Throttling]:
    """Return how the groups of a process, its own and those around it, were throttled, by their folders."""
    return {
        str(folder): counted
        for folder in _around(pid, proc, ("cpu", UNIFIED))
        if (text := read(folder / "cpu.stat")) is not None and (counted := parse_cpu_stat(text)) is not None
    }


def limits(pid: int | None, proc: Path = PROC) -> Limits:
    """Return the tightest limits that the groups of a process, its own and those around it, set."""
    found = [
        parse_limits({name: text for name in LIMIT_FILES if (text := read(folder / name)) is not None})
        for folder in _around(pid, proc, ("cpu", "memory", UNIFIED))
    ]
    return Limits(
        cpus=min((each.cpus for each in found if each.cpus is not None), default=None),
        memory_bytes=min(
            (each.memory_bytes for each in found if each.memory_bytes is not None), default=None
        ),
    )


LIMIT_FILES = (
    "cpu.max",
    "cpu.cfs_quota_us",
    "cpu.cfs_period_us",
    "memory.max",
    "memory.limit_in_bytes",
)


def unified(pid: int | None, proc: Path = PROC) -> Path | None:
    """Return the folder of a process's group of version 2, which alone tells of its pressure.

    ``None`` for the root of all groups, whose pressure is the machine's; only others have a type.
    """
    folder = _folders(pid, proc).get(UNIFIED)
    return folder if folder is not None and (folder / "cgroup.type").exists() else None


def _folders(pid: int | None, proc: Path) -> dict[str, Path]:
    if pid is None:
        return {}
    cgroup, mountinfo = read(proc / str(pid) / "cgroup"), read(proc / "self" / "mountinfo")
    return {} if cgroup is None or mountinfo is None else folders(cgroup, mountinfo)


def _around(pid: int | None, proc: Path, controllers: tuple[str, ...]) -> Iterator[Path]:
    """Yield the folders of a process's groups and of those around them, each once."""
    found = _folders(pid, proc)
    for folder in dict.fromkeys(found[each] for each in controllers if each in found):
        # Whatever is above the mounted group has no such file.
        yield from takewhile(lambda each: (each / "cgroup.procs").exists(), (folder, *folder.parents))


def read(path: Path) -> str | None:
    """Return the text of a file of the kernel's; ``None`` where there is none, or it may not be read."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return None
