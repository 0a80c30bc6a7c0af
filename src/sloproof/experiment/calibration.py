"""Calibrate the instrument: the real generator against a server that does nothing, before a run begins."""

from __future__ import annotations

import math
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sloproof.analysis.floor import NoiseFloor, quantiles, too_fast, too_tight_objectives
from sloproof.analysis.samples import Phase
from sloproof.experiment.readiness import await_ready
from sloproof.experiment.sections import SubjectSpec
from sloproof.load import nulltarget
from sloproof.load.files import read_samples
from sloproof.load.process import LoadProcess
from sloproof.load.protocol import LoadConfig, RunPhase
from sloproof.load.selfcheck import generator_problems
from sloproof.slo.definition import EventLatency, Latency
from sloproof.slo.problems import EnvironmentFailed
from sloproof.subject.interrupts import deferred
from sloproof.subject.port import HOST, Cell
from sloproof.subject.process import ProcessSubject, free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sloproof.experiment.traffic import LoadSpec
    from sloproof.load.protocol import PhaseFacts
    from sloproof.slo.definition import Definition, Objective

TRAFFIC = Path(nulltarget.__file__).with_name("nulltraffic.py")
WARMUP_S = 0.5
FLOOR_S = 3.0
RUNG_S = 0.5
LADDER_WITHIN_S = 3.0
TIMEOUT_S = 2.0
LEAST_RATE_PER_S = 20.0
MOST_RATE_PER_S = 20_000.0
CLOSE_ENOUGH = 1.5
"""A rate that is kept and one that is not, closer to each other than by this factor, are a bound."""


def measure_floor(traffics: Sequence[LoadSpec]) -> NoiseFloor | str:
    """Measure the floor under the busiest of some traffics, or say why that cannot be told.

    The server that does nothing runs as a subject does, a process at a lower priority than the generator;
    the generator, its users and the law of its arrivals are the run's own. Takes about ten seconds.
    """
    busiest = max(traffics, key=lambda each: each.busiest_per_s)
    with tempfile.TemporaryDirectory(prefix="sloproof-") as scratch, ExitStack() as running:
        try:
            return _measured(busiest, Path(scratch), running)
        except EnvironmentFailed as error:
            return f"not measured: {error}"


def _measured(traffic: LoadSpec, scratch: Path, running: ExitStack) -> NoiseFloor:
    cell = Cell(factors={}, folder=scratch, log=scratch / "log", port=free_port())
    command = ("{python}", "-m", nulltarget.__name__, "{port}")
    config = LoadConfig(
        locustfile=TRAFFIC,
        host=f"http://{HOST}:{cell.port}",
        output=scratch,
        users=traffic.users,
        timeout_s=TIMEOUT_S,
    )
    with deferred():
        target = running.enter_context(ProcessSubject(command=command, directory=Path.cwd()).start(cell))
        load = running.enter_context(LoadProcess(config))
    await_ready(target, SubjectSpec(command=command, ready="/"))
    calibration = Calibration(load=load, traffic=traffic)
    rate = max(traffic.busiest_per_s, LEAST_RATE_PER_S)
    calibration.phase(max(rate, 2 * traffic.users / WARMUP_S), WARMUP_S, phase=Phase.WARMUP)
    first = 0
    facts = calibration.phase(rate, FLOOR_S)
    if generator_problems(facts):  # a machine may hiccup once
        first, facts = facts.scheduled, calibration.phase(rate, FLOOR_S)
    problems = tuple(generator_problems(facts))
    valid, invalid = calibration.ladder(rate, valid=not problems)
    load.finish()
    latency_s = read_samples(scratch).select(phase=Phase.LOAD).latency_s[first : first + facts.scheduled]
    return NoiseFloor(
        rate_per_s=rate,
        users=traffic.users,
        requests=len(latency_s),
        quantiles=quantiles(latency_s),
        dispatch_lag_p99_s=facts.dispatch_lag_p99_s,
        cpu_ratio=facts.cpu_ratio,
        wait_ratio=facts.wait_ratio,
        problems=problems,
        highest_valid_rate_per_s=valid,
        lowest_invalid_rate_per_s=invalid,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """A generator whose target does nothing, and the traffic that a run will have."""

    load: LoadProcess
    traffic: LoadSpec

    def phase(self, rate: float, duration_s: float, *, phase: Phase = Phase.LOAD) -> PhaseFacts:
        """Run a phase of the run's own kind."""
        return self.load.phase(
            RunPhase(
                phase=phase,
                arrival=self.traffic.law,
                rate=rate,
                duration_s=duration_s,
                drain_s=TIMEOUT_S,
                seed=1,
            )
        )

    def ladder(self, rate: float, *, valid: bool) -> tuple[float | None, float | None]:
        """Return the highest rate that the generator was seen to keep, and the lowest that it did not.

        `valid` says whether it has kept `rate`. A rate fails when it fails twice: the machine may hiccup.
        """
        end = time.monotonic() + LADDER_WITHIN_S
        return climb(
            rate,
            valid=valid,
            keeps=lambda rate: self._keeps(rate) or self._keeps(rate),
            goes_on=lambda: time.monotonic() < end,
        )

    def _keeps(self, rate: float) -> bool:
        return not generator_problems(self.phase(rate, RUNG_S))


def climb(
    rate: float, *, valid: bool, keeps: Callable[[float], bool], goes_on: Callable[[], bool]
) -> tuple[float | None, float | None]:
    """Search for the highest rate that is kept, from one of which it is known, and return what bounds it."""
    highest, lowest = (rate, None) if valid else (None, rate)
    while goes_on() and (candidate := next_rate(highest, lowest)) is not None:
        if keeps(candidate):
            highest = candidate
        else:
            lowest = candidate
    return highest, lowest


def next_rate(highest_valid: float | None, lowest_invalid: float | None) -> float | None:
    """Return the rate to try next; ``None`` where nothing is left to learn.

    It doubles until a rate is not kept, or halves until one is, and then lies between the two.

    >>> next_rate(150, None), next_rate(None, 150), next_rate(1200, 2400), next_rate(1700, 2400)
    (300.0, 75.0, 1700.0, None)
    """
    if highest_valid is None and lowest_invalid is None:
        raise ValueError("nothing is known yet: try a rate first")
    if lowest_invalid is None:
        assert highest_valid is not None  # noqa: S101 - one of the two is known
        candidate = 2.0 * highest_valid
    elif highest_valid is None:
        candidate = lowest_invalid / 2.0
    elif lowest_invalid / highest_valid < CLOSE_ENOUGH:
        return None
    else:
        candidate = float(f"{math.sqrt(highest_valid * lowest_invalid):.2g}")
    return candidate if LEAST_RATE_PER_S / 2 <= candidate <= MOST_RATE_PER_S else None


def warnings(floor: NoiseFloor, traffics: Sequence[LoadSpec], definition: Definition) -> Iterator[str]:
    """Yield what the floor bodes for a run."""
    if problem := too_fast(floor, max(each.busiest_per_s for each in traffics)):
        yield f"{problem}: trials may be invalid; lower load.rate, or take a faster machine"
    for name, why in too_tight_objectives(floor, map(_asked, definition.objectives)):
        yield f"{name} cannot be verified here: it is {why}"


def _asked(objective: Objective) -> tuple[str, str, float | None]:
    match objective.indicator:
        case Latency(threshold_s=threshold_s) | EventLatency(threshold_s=threshold_s):
            return objective.name, str(objective.target), float(threshold_s)
        case _:
            return objective.name, str(objective.target), None
