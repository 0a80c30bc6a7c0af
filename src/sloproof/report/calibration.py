"""What a run measured of its own machine before it began, in words; it judges nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
        f"{figures} at {floor.rate_per_s:,g}/s, of {floor.requests:,} requests to a server that does nothing",
    )
    yield "highest valid rate", _highest(floor)


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


def _highest(floor: NoiseFloor) -> str:
    beyond = floor.lowest_invalid_rate_per_s
    if (highest := floor.highest_valid_rate_per_s) is None:
        return f"none: the generator was late or starved at {beyond:,g}/s, the lowest rate tried"
    if beyond is None:
        return f"at least {highest:,g}/s, the highest rate tried"
    return f"{highest:,g}/s; at {beyond:,g}/s the generator was late or starved"
