"""What a run measured of its own machine before it began, in words; it judges nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sloproof.analysis import stability
from sloproof.analysis.floor import KEY, NoiseFloor, too_fast, too_tight_objectives
from sloproof.report.text import duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sloproof.analysis.results import Results

SHOWN = ((0.5, "median"), (0.99, "p99"), (1.0, "maximum"))


def calibration_facts(calibration: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the noise floor and the highest valid rate; runs that were not calibrated have neither."""
    floor = NoiseFloor.of(calibration)
    if floor is None:
        if KEY in calibration:
            yield "noise floor", calibration[KEY]
        return
    known = dict(floor.quantiles)
    figures = ", ".join(f"{name} {duration(known[q])}" for q, name in SHOWN if q in known)
    yield (
        "noise floor",
        f"{figures} at {floor.rate_per_s:,g}/s, of {floor.requests:,} requests to a server that does nothing"
        + "".join(f"; no floor: {problem}" for problem in floor.problems[:1]),
    )
    yield "highest valid rate", _highest(floor)


def stability_facts(calibration: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what the machine did before the first trial, while sloproof did nothing; not of older runs."""
    seen = calibration.get(stability.KEY)
    if seen is None:
        return
    figures = {
        "busy": seen["busy_ratio"],
        "steal": seen["steal_ratio"],
        "memory available": seen["memory_available_ratio"],
    }
    said = ", ".join(f"{name} {ratio:.1%}" for name, ratio in figures.items() if ratio is not None)
    found = seen["findings"] or ["nothing that would disturb"]
    yield "machine before the start", f"{said}: {'; '.join(found)}" if said else "; ".join(found)


def calibration_notes(results: Results) -> Iterator[tuple[str, str]]:
    """Yield each objective that cannot be verified on the machine of the run, and a rate beyond it."""
    floor = NoiseFloor.of(results.plan.calibration)
    if floor is None:
        return
    asked = ((each.name, each.target, each.threshold_s) for each in results.objectives)
    for name, why in too_tight_objectives(floor, asked):
        yield f"{name} cannot be verified on this machine", why
    traffics = [*results.plan.profiles.values()] or [results.plan.traffic]
    if problem := too_fast(floor, max(each.rate_per_s for each in traffics)):
        yield "the rate", problem


def stability_notes(results: Results) -> Iterator[tuple[str, str]]:
    """Yield what was found before the first trial that may have disturbed the run."""
    if found := results.plan.calibration.get(stability.KEY, {}).get("findings"):
        yield "the machine was not calm before the first trial", "; ".join(found)


def _highest(floor: NoiseFloor) -> str:
    beyond = floor.lowest_invalid_rate_per_s
    if (highest := floor.highest_valid_rate_per_s) is None:
        return f"none: the generator was late or starved at {beyond:,g}/s, the lowest rate tried"
    if beyond is None:
        return f"at least {highest:,g}/s, the highest rate tried"
    return f"{highest:,g}/s; at {beyond:,g}/s the generator was late or starved"
