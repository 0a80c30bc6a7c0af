"""Whether a machine is calm enough to measure on, from two readings of it while we do nothing; pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

KEY = "stability"
"""Under which a run's calibration holds it."""
SLOW_CLOCKS = frozenset({"hpet", "acpi_pm", "pit", "jiffies", "refined-jiffies"})
SAVING_GOVERNORS = frozenset({"powersave", "ondemand", "conservative", "schedutil"})
BUSY_RATIO = 0.10
STEAL_RATIO = 0.01
STALL_RATIO = 0.05
LEAST_MEMORY_RATIO = 0.10
CLOCK_STEP_S = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A machine at one moment; ``None``, and an absence from `stalled_s`: it does not say.

    `busy_s`, `stolen_s` and `capacity_s` add up the processors; the second is what a host has kept for
    others, the third the time that has passed. `wall_ahead_s` is the wall clock less the steady one.
    `hot` counts how often a processor was slowed down because it was hot, `throttled_s` is what a limit of
    processor time has taken from this very process and those around it.
    """

    at_s: float
    busy_s: float | None
    stolen_s: float | None
    capacity_s: float | None
    stalled_s: Mapping[str, float]
    memory_available_bytes: int | None
    memory_bytes: int | None
    swapped_pages: int | None
    hot: int | None
    throttled_s: float | None
    wall_ahead_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Stability:
    """What a machine did by itself over some seconds; ``None``: it does not say.

    Ratios are of the processors' time, those of ``stalled_ratios`` of the time in which some task waited for
    a resource. ``clock_step_s`` is how far the wall clock ran off from the steady one.
    """

    seconds: float
    busy_ratio: float | None
    steal_ratio: float | None
    stalled_ratios: Mapping[str, float]
    memory_available_ratio: float | None
    swapped_pages: int | None
    hot: int | None
    throttled_s: float | None
    clock_step_s: float
    clock_source: str | None
    governor: str | None

    def findings(self) -> list[str]:
        """Return in words what may disturb a measurement, with what to do about it."""
        return [*self._of_others(), *self._of_memory(), *self._of_processors(), *self._of_clocks()]

    def facts(self) -> dict[str, Any]:
        """Return the figures with their findings, as a run keeps them."""
        return {**asdict(self), "findings": self.findings()}

    def _of_others(self) -> Iterator[str]:
        if self.busy_ratio is not None and self.busy_ratio >= BUSY_RATIO:
            yield f"other programs used {self.busy_ratio:.0%} of the processors: end them, or wait"
        elif (waited := self.stalled_ratios.get("cpu", 0.0)) >= STALL_RATIO:
            yield f"programs waited for a processor {waited:.0%} of the time: end some, or wait"
        if self.steal_ratio is not None and self.steal_ratio >= STEAL_RATIO:
            yield (
                f"the host gave {self.steal_ratio:.1%} of the processors' time to others (steal): "
                "take a machine that is not shared"
            )
        if (waited := self.stalled_ratios.get("io", 0.0)) >= STALL_RATIO:
            yield f"programs waited for the disk {waited:.0%} of the time: let what writes end first"

    def _of_memory(self) -> Iterator[str]:
        if (free := self.memory_available_ratio) is not None and free < LEAST_MEMORY_RATIO:
            yield f"{free:.0%} of the memory is available: end what holds it"
        if self.swapped_pages:
            yield f"{self.swapped_pages:,} pages were swapped: end what takes memory"
        elif (waited := self.stalled_ratios.get("memory", 0.0)) >= STALL_RATIO:
            yield f"programs waited for memory {waited:.0%} of the time: end what takes it"

    def _of_processors(self) -> Iterator[str]:
        if self.hot:
            yield f"processors were slowed down {self.hot:,} times because they were hot: let them cool"
        if self.throttled_s:
            yield (
                f"a limit held sloproof itself up for {self.throttled_s:.2g} s, and with it what it starts: "
                "give it more processor time"
            )
        if self.governor in SAVING_GOVERNORS:
            yield (
                f"the governor '{self.governor}' changes the processors' clock by their load: set "
                "'performance', e.g. `cpupower frequency-set -g performance`"
            )

    def _of_clocks(self) -> Iterator[str]:
        if self.clock_source in SLOW_CLOCKS:
            yield f"the clock source '{self.clock_source}' is slow to read: boot with tsc, if there is one"
        if abs(self.clock_step_s) >= CLOCK_STEP_S:
            yield (
                f"the wall clock was set by {self.clock_step_s * 1e3:+.3g} ms: "
                "wait until it is in step, since jobs are timed by it"
            )


def stability(
    before: Machine, after: Machine, *, clock_source: str | None, governor: str | None
) -> Stability:
    """Return what happened between two readings of one machine."""
    capacity_s = _gain(before.capacity_s, after.capacity_s)
    seconds = after.at_s - before.at_s
    swapped, hot = _gain(before.swapped_pages, after.swapped_pages), _gain(before.hot, after.hot)
    return Stability(
        seconds=seconds,
        busy_ratio=_ratio(_gain(before.busy_s, after.busy_s), capacity_s),
        steal_ratio=_ratio(_gain(before.stolen_s, after.stolen_s), capacity_s),
        stalled_ratios={
            name: (now - before.stalled_s[name]) / seconds
            for name, now in after.stalled_s.items()
            if name in before.stalled_s
        },
        memory_available_ratio=_ratio(after.memory_available_bytes, after.memory_bytes),
        swapped_pages=None if swapped is None else int(swapped),
        hot=None if hot is None else int(hot),
        throttled_s=_gain(before.throttled_s, after.throttled_s),
        clock_step_s=after.wall_ahead_s - before.wall_ahead_s,
        clock_source=clock_source,
        governor=governor,
    )


def _gain(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else after - before


def _ratio(part: float | None, whole: float | None) -> float | None:
    return None if part is None or not whole else part / whole
