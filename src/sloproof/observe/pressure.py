"""What held a subject back over some time, from two readings of the kernel's accounts; it reads no file."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - resolved when a record is read back
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sloproof.observe.cgroups import Throttling

if TYPE_CHECKING:
    from collections.abc import Iterator

MICROSECONDS = 1e-6
NANOSECONDS = 1e-9
RESOURCES = ("cpu", "io", "memory")
"""What the kernel tells of how long anybody waited for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The kernel's accounts at one moment; ``None``, and an absence from a mapping: it does not say.

    `cpu_s` is the processor time that the subject's processes, and their ended children, have used;
    `waited_s`, by thread, how long each was ready to run and did not; `throttling` is of the subject's
    control groups, by their folders. `stalled_s` is by resource, of the whole machine and of the group.
    """

    at_s: float
    cpu_s: float | None
    waited_s: Mapping[int, float] | None
    throttling: Mapping[str, Throttling]
    stalled_s: Mapping[str, float]
    group_stalled_s: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressure:
    """What a subject used, and waited for, in `elapsed_s` seconds; ``None``: the kernel does not say.

    `waited_s` adds up the threads; those that ended meanwhile are missing in it. `periods` are those of the
    limit of processor time that held the subject back most, `throttled_s` what it cost on all processors.
    `stalled_s` is by resource: how long some task of the machine, or of the subject's control group, waited
    for it.
    """

    elapsed_s: float
    cpu_s: float | None
    waited_s: float | None
    periods: int | None
    throttled_periods: int | None
    throttled_s: float | None
    stalled_s: Mapping[str, float]
    group_stalled_s: Mapping[str, float]

    def figures(self) -> dict[str, float | None]:
        """Return the shares that a person reads.

        `cpu_ratio` is of one processor, `wait_ratio` of the time in which the subject's threads were ready to
        run, `throttled_ratio` of the periods of its limit, ``psi_…`` of the time that has passed.
        """
        ready_s = None if self.cpu_s is None or self.waited_s is None else self.cpu_s + self.waited_s
        return {
            "cpu_ratio": _ratio(self.cpu_s, self.elapsed_s),
            "wait_ratio": _ratio(self.waited_s, ready_s),
            "throttled_ratio": _ratio(self.throttled_periods, self.periods),
            "throttled_s": self.throttled_s if self.periods else None,  # else there is no limit
            **{f"psi_{name}_some_ratio": self._stalled(self.stalled_s, name) for name in RESOURCES},
            **{
                f"group_psi_{name}_some_ratio": self._stalled(self.group_stalled_s, name)
                for name in RESOURCES
            },
        }

    def _stalled(self, stalled_s: Mapping[str, float], name: str) -> float | None:
        return _ratio(stalled_s.get(name), self.elapsed_s)


def gained(before: Reading, after: Reading) -> Pressure:
    """Return what happened between two readings of one subject."""
    limit = max(
        _enforced(before.throttling, after.throttling), key=lambda each: each.throttled_periods, default=None
    )
    return Pressure(
        elapsed_s=after.at_s - before.at_s,
        cpu_s=None if before.cpu_s is None or after.cpu_s is None else max(0.0, after.cpu_s - before.cpu_s),
        waited_s=_waited_s(before.waited_s, after.waited_s),
        periods=None if limit is None else limit.periods,
        throttled_periods=None if limit is None else limit.throttled_periods,
        throttled_s=None if limit is None else limit.throttled_s,
        stalled_s=_gains(before.stalled_s, after.stalled_s),
        group_stalled_s=_gains(before.group_stalled_s, after.group_stalled_s),
    )


def _enforced(before: Mapping[str, Throttling], after: Mapping[str, Throttling]) -> Iterator[Throttling]:
    for folder, now in after.items():
        if (was := before.get(folder)) is not None:
            yield Throttling(
                periods=now.periods - was.periods,
                throttled_periods=now.throttled_periods - was.throttled_periods,
                throttled_s=now.throttled_s - was.throttled_s,
            )


def _waited_s(before: Mapping[int, float] | None, after: Mapping[int, float] | None) -> float | None:
    if before is None or after is None:
        return None
    # A thread whose account has shrunk is another, to which the number has come since.
    return sum(now - was if (was := before.get(thread, 0.0)) <= now else now for thread, now in after.items())


def _gains(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    return {name: now - before[name] for name, now in after.items() if name in before}


def _ratio(part: float | None, whole: float | None) -> float | None:
    return None if part is None or not whole else part / whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One line of ``/proc/PID/stat``: whose child it is, and the clock ticks that it has used.

    `ticks` are its own and those of ended children that it has waited for.
    """

    pid: int
    parent: int
    group: int
    session: int
    ticks: int


def parse_stat(text: str) -> Process:
    """Read ``/proc/PID/stat``; the command in it may hold anything, blanks and brackets too.

    Source: proc_pid_stat(5), fields 4 to 6 and 14 to 17.

    >>> parse_stat("7 (a) b) S 1 7 7 0 -1 0 0 0 0 0 42 3 5 0 20 0 1 0 99")
    Process(pid=7, parent=1, group=7, session=7, ticks=50)
    """
    pid, fields = text.partition(" ")[0], text.rpartition(")")[2].split()
    return Process(
        pid=int(pid),
        parent=int(fields[1]),
        group=int(fields[2]),
        session=int(fields[3]),
        ticks=sum(map(int, fields[11:15])),
    )


def family(leader: int, processes: Mapping[int, Process]) -> list[Process]:
    """Return a process and all that it has started: its group, its session, and their descendants.

    One that has left both and whose parent has ended cannot be told from others.
    """
    members = {each.pid for each in processes.values() if leader in (each.pid, each.group, each.session)}
    while children := {each.pid for each in processes.values() if each.parent in members} - members:
        members |= children
    return [processes[pid] for pid in sorted(members)]


def parse_schedstat(text: str) -> float | None:
    """Return for how many seconds a thread was ready to run and did not.

    ``None`` where the kernel has counted nothing at all: it does not, or the thread has never run.

    Source: Linux, Documentation/scheduler/sched-stats.rst, "/proc/<pid>/schedstat".

    >>> parse_schedstat("450863667 1607726027 442")
    1.607726027
    """
    ran, waited, times = map(int, text.split())
    return waited * NANOSECONDS if ran or waited or times else None


def parse_psi(text: str) -> float | None:
    r"""Return for how many seconds some task has waited, since boot; ``None`` where the text does not say.

    Source: Linux, Documentation/accounting/psi.rst, "Pressure interface".

    >>> parse_psi("some avg10=9.55 avg60=5.83 avg300=8.96 total=4567000\nfull avg10=0.00 total=0")
    4.567
    """
    for line in text.splitlines():
        kind, *fields = line.split()
        if kind == "some":
            total = next((field for field in fields if field.startswith("total=")), None)
            return None if total is None else round(int(total.removeprefix("total=")) * MICROSECONDS, 6)
    return None
