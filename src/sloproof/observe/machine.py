"""Read how the machine does, from the kernel's own files; whether that is well is told elsewhere."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

from sloproof.analysis.stability import Machine
from sloproof.observe.accounts import TICK_S, stalled_s
from sloproof.observe.cgroups import PROC, Limits, limits, read, throttling

SYS = Path("/sys/devices/system")
KIBI = 2**10
CLOCK_READINGS = 9


def machine(proc: Path = PROC, system: Path = SYS) -> Machine:
    """Read every account of the machine, and of the limits that this process runs under."""
    busy_s, stolen_s, capacity_s = parse_cpu_times(read(proc / "stat") or "")
    memory = parse_memory(read(proc / "meminfo") or "")
    held_up = throttling(os.getpid(), proc)
    return Machine(
        at_s=time.monotonic(),
        busy_s=busy_s,
        stolen_s=stolen_s,
        capacity_s=capacity_s,
        stalled_s=stalled_s(proc / "pressure"),
        memory_available_bytes=memory.get("MemAvailable"),
        memory_bytes=memory.get("MemTotal"),
        swapped_pages=parse_swapped(read(proc / "vmstat") or ""),
        hot=_hot(system),
        throttled_s=max((each.throttled_s for each in held_up.values()), default=None),
        wall_ahead_s=wall_ahead_s(),
    )


def wall_ahead_s() -> float:
    """Return the wall clock less the steady one; it changes when somebody sets the first, and only then.

    Both follow the same corrections of their pace. Of several pairs, that which was read fastest counts:
    whoever runs between the two readings of another makes a step that there was none.
    """
    pairs = [(time.monotonic(), time.time(), time.monotonic()) for _ in range(CLOCK_READINGS)]
    first, wall, second = min(pairs, key=lambda pair: pair[2] - pair[0])
    return wall - (first + second) / 2


def parse_cpu_times(text: str) -> tuple[float | None, float | None, float | None]:
    """Return the seconds in which processors were busy, were stolen, and have had, from ``/proc/stat``.

    Guests are in the time of users already. Source: proc_stat(5).

    >>> tick = 100 * TICK_S  # what a hundred ticks take
    >>> [seconds / tick for seconds in parse_cpu_times("cpu  100 0 100 700 50 0 0 50 0 0")]
    [2.0, 0.5, 10.0]
    """
    if (line := re.match(r"cpu +(.+)", text)) is None:
        return None, None, None
    user, nice, system, idle, waiting, irq, softirq, stolen = map(int, line[1].split()[:8])
    busy = user + nice + system + irq + softirq
    return busy * TICK_S, stolen * TICK_S, (busy + idle + waiting + stolen) * TICK_S


def parse_memory(text: str) -> dict[str, int]:
    r"""Return each amount of ``/proc/meminfo`` in bytes. Source: proc_meminfo(5).

    >>> parse_memory("MemTotal:  24 kB\nHugePages_Total: 0")
    {'MemTotal': 24576}
    """
    return {
        name: int(amount) * KIBI for name, amount in re.findall(r"^(\w+): +(\d+) kB$", text, re.MULTILINE)
    }


def parse_swapped(text: str) -> int | None:
    r"""Return how many pages were swapped in and out since boot, from ``/proc/vmstat``.

    >>> parse_swapped("pswpin 3\npswpout 4\n"), parse_swapped("nr_free_pages 1\n")
    (7, None)
    """
    pages = re.findall(r"^pswp(?:in|out) (\d+)$", text, re.MULTILINE)
    return sum(map(int, pages)) if pages else None


def clock_source(system: Path = SYS) -> str | None:
    """Return what the kernel reads the time from."""
    return _word(system / "clocksource/clocksource0/current_clocksource")


def governor(system: Path = SYS) -> str | None:
    """Return how the processors' clock is chosen; ``None`` where it is not ours to know, as in most VMs."""
    governors = {_word(path) for path in system.glob("cpu/cpu[0-9]*/cpufreq/scaling_governor")}
    return ", ".join(sorted(filter(None, governors))) or None


def boost(system: Path = SYS) -> bool | None:
    """Return whether the processors may run faster than their nominal clock; ``None``: it does not say."""
    if (off := _word(system / "cpu/intel_pstate/no_turbo")) is not None:
        return off == "0"
    on = _word(system / "cpu/cpufreq/boost")
    return None if on is None else on == "1"


def own_limits() -> Limits:
    """Return the limits that this process and what it starts run under."""
    return limits(os.getpid())


def uptime_s(proc: Path = PROC) -> float | None:
    """Return how long ago the machine was started."""
    text = read(proc / "uptime")
    return None if text is None else float(text.split()[0])


def in_container(root: Path = Path("/")) -> bool:
    """Tell whether this process runs in a container, as far as the engines leave a mark."""
    return any((root / mark).exists() for mark in (".dockerenv", "run/.containerenv"))


def _hot(system: Path) -> int | None:
    """Return how often a processor was slowed down because it was hot.

    Source: Linux, Documentation/ABI/testing/sysfs-devices-system-cpu, "thermal_throttle".
    """
    counts = [_word(path) for path in system.glob("cpu/cpu[0-9]*/thermal_throttle/*_throttle_count")]
    return sum(map(int, filter(None, counts))) if counts else None


def _word(path: Path) -> str | None:
    text = read(path)
    return None if text is None else text.strip() or None
