"""What held the subject back under load, in words: a limit, the machine; it judges no objective."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sloproof.analysis.results import Results, TrialResult

# From here on, what holds the subject back is no longer lost among the requests that it does not touch: a
# twentieth of the periods is where a p95 lies, and half of the time means that work takes twice as long. A
# subject that meets its objectives at 150/s waits 37 % on two processors shared with its generator, measured.
THROTTLED_RATIO = 0.05
WAIT_RATIO = 0.5

MACHINE, GROUP = "machine: some task waited for", "its control group: some task waited for"
LABELS = {
    "cpu_ratio": "CPU, of one processor",
    "wait_ratio": "waited for a processor, of the time it was ready to run",
    "throttled_ratio": "stopped by its CPU limit, of the limit's periods",
    "throttled_s": "time that the limit took from it",
    "psi_cpu_some_ratio": f"{MACHINE} a processor",
    "psi_io_some_ratio": f"{MACHINE} the disk",
    "psi_memory_some_ratio": f"{MACHINE} memory",
    "group_psi_cpu_some_ratio": f"{GROUP} a processor",
    "group_psi_io_some_ratio": f"{GROUP} the disk",
    "group_psi_memory_some_ratio": f"{GROUP} memory",
}


def pressure_label(name: str) -> str:
    """Return what a figure of a subject's pressure says."""
    return LABELS[name]


def pressure_notes(results: Results) -> Iterator[tuple[str, str]]:
    """Yield each configuration that its limit or the machine held back in a typical trial, and how much.

    A finding about where latency comes from; it makes no trial invalid and changes no verdict.
    """
    for configuration in results.configurations:
        mine = [each for each in results.trials if each.valid and each.configuration == configuration.id]
        throttled, waited = (_typical(mine, name) for name in ("throttled_ratio", "wait_ratio"))
        if throttled is not None and throttled >= THROTTLED_RATIO:
            what = (
                f"its CPU limit stopped it in {throttled:.0%} of the limit's periods in a typical trial: "
                "its latency is, in part or all of it, the limit's doing"
            )
            yield f"{configuration.id} was throttled", what
        elif waited is not None and waited >= WAIT_RATIO:
            what = (
                f"{waited:.0%} of the time in which it was ready to run, in a typical trial: whatever else "
                "ran on the machine, the load generator too, has a share in its latency"
            )
            yield f"{configuration.id} waited for a processor", what


def _typical(trials: Sequence[TrialResult], name: str) -> float | None:
    """Return the median of a figure over the trials that have it."""
    figures = [value for each in trials if (value := (each.subject_pressure or {}).get(name)) is not None]
    return statistics.median(figures) if figures else None
