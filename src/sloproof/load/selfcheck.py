"""Whether the generator did its work: how late it was, how much processor it got; it judges no subject."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sloproof.load.protocol import PhaseFacts

SCHEDSTAT = Path("/proc/self/schedstat")
NANOSECONDS = 1e-9


@dataclass(frozen=True, slots=True)
class ProcessorTime:
    """Seconds that this process' main thread ran, and seconds that it was ready to and had to wait.

    The main thread does all of the sending; gevent's helper threads only resolve names.
    """

    ran_s: float
    waited_s: float


def processor_time(schedstat: Path = SCHEDSTAT) -> ProcessorTime | None:
    """Read the kernel's account of the main thread; ``None`` where there is none.

    Source: Linux, Documentation/scheduler/sched-stats.rst, "/proc/<pid>/schedstat".
    """
    try:
        ran, waited, _ = map(int, schedstat.read_text().split())
    except (OSError, ValueError):
        return None
    return ProcessorTime(ran * NANOSECONDS, waited * NANOSECONDS)


@dataclass(frozen=True, slots=True)
class Spent:
    """Shares of the time in which the main thread ran, and waited to; ``None``: the kernel does not say."""

    cpu_ratio: float | None
    wait_ratio: float | None


def spent(before: ProcessorTime | None, after: ProcessorTime | None, *, wall_s: float) -> Spent:
    """Relate what the main thread got of a processor to the time that has passed.

    >>> spent(ProcessorTime(1.0, 0.0), ProcessorTime(1.5, 0.25), wall_s=5)
    Spent(cpu_ratio=0.1, wait_ratio=0.05)
    """
    if before is None or after is None:
        return Spent(None, None)
    return Spent((after.ran_s - before.ran_s) / wall_s, (after.waited_s - before.waited_s) / wall_s)


def quantile(values: NDArray[np.float64], q: float) -> float:
    """Return the nearest-rank quantile, +inf of no values: nothing done on time is infinitely late.

    >>> quantile(np.array([4.0, 1.0, 3.0, 2.0]), 0.5)
    2.0
    """
    if not len(values):
        return np.inf
    return float(np.quantile(values, q, method="inverted_cdf"))


def generator_problems(
    facts: PhaseFacts,
    *,
    dispatch_lag_p99_limit_s: float = 0.005,
    dispatch_lag_max_limit_s: float = 0.05,
    wait_limit_ratio: float = 0.10,
) -> list[str]:
    """Say why a phase proves nothing about its subject, a sentence a reason; an empty list is a sound phase.

    The limits of the p99 and of the wait say the same in two ways: where the generator shares two processors
    with its subject, a p99 of the dispatch lag of 5 ms goes with a wait of about 10 % (4 ms with 8 %, 6 ms
    with 13 %), measured.

    The limit of the greatest lag is for a generator that was halted once: 300 ms of a phase of 60 s make half
    a percent of its arrivals late, which no p99 tells, but which is five times the error budget of a target
    of 99.9 %. 50 ms is three times the greatest lag of 41 sound trials on two shared processors (16 ms; the
    median was 3 ms), and a halt of 300 ms exceeds it wherever an arrival comes due in its first 250 ms.
    """
    problems = []
    if facts.backlog_at_start:
        problems.append(
            f"{facts.backlog_at_start} requests of an earlier phase were still under way at its start"
        )
    if facts.dispatch_lag_p99_s > dispatch_lag_p99_limit_s:
        problems.append(
            f"the generator was late: p99 of the dispatch lag is {facts.dispatch_lag_p99_s * 1e3:.1f} ms, "
            f"more than {dispatch_lag_p99_limit_s * 1e3:g} ms"
        )
    elif facts.dispatch_lag_max_s > dispatch_lag_max_limit_s:
        problems.append(
            f"the generator stood still: the greatest dispatch lag is {facts.dispatch_lag_max_s * 1e3:.1f} "
            f"ms, more than {dispatch_lag_max_limit_s * 1e3:g} ms"
        )
    if facts.wait_ratio is not None and facts.wait_ratio >= wait_limit_ratio:
        problems.append(
            f"the generator was starved: it waited for a processor {facts.wait_ratio:.1%} of the time, "
            f"{wait_limit_ratio:.1%} or more"
        )
    return problems
