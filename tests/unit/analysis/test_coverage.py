"""How often the interval over trials holds the truth, at a queue whose requests wait for one another.

The figures are printed: ``pytest tests/unit/analysis/test_coverage.py -s``.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sloproof.analysis.intervals import median_interval
from sloproof.analysis.percentiles import nearest_rank

if TYPE_CHECKING:
    from numpy.typing import NDArray

EXPERIMENTS = 2_000
MOST_TRIALS = 20
REQUESTS = 1_000
"""As many as a p99 takes."""
SPEED_SD = 0.05
DRIFT = 0.3
AT_ONCE = 2_000


@pytest.fixture(scope="module", params=[0.7, 0.85], ids=lambda rho: f"rho {rho}")
def figures(request: pytest.FixtureRequest) -> dict[str, NDArray[np.float64]]:
    """Return the p99 and the SLI of each trial of each experiment."""
    rho: float = request.param
    random = np.random.default_rng(20_261_125)
    speeds = drifting_speeds(random).ravel()
    latencies = [
        sojourns(random, rho=rho, speed=speeds[at : at + AT_ONCE]) for at in range(0, len(speeds), AT_ONCE)
    ]
    place = nearest_rank(REQUESTS, 0.99) - 1
    threshold = math.log(20) / (1 - rho)  # the p95 of a queue that neither drifts nor ends
    shape = (EXPERIMENTS, MOST_TRIALS)
    return {
        f"rho {rho}, p99": np.concatenate(
            [np.partition(each, place)[:, place] for each in latencies]
        ).reshape(shape),
        f"rho {rho}, SLI": np.concatenate([(each <= threshold).mean(axis=1) for each in latencies]).reshape(
            shape
        ),
    }


@pytest.mark.parametrize("trials", [6, 10, 20])
def test_the_interval_holds_the_typical_trial_of_a_drifting_queue(
    figures: dict[str, NDArray[np.float64]], trials: int
) -> None:
    """Simulate experiments whose requests depend on each other, on a machine whose speed drifts.

    The truth is the median over all trials. An interval over requests, blind to their dependence, would hold
    it in under 30 % of cases.
    """
    for what, values in figures.items():
        truth = float(np.median(values))
        intervals = [median_interval(row.tolist()) for row in values[:, :trials]]
        covered = np.mean([each is not None and each.low <= truth <= each.high for each in intervals])
        promised = intervals[0].confidence_ratio if intervals[0] else 0.0

        print(f"{what}, {trials} trials: {covered:.1%} covered, {promised:.1%} promised")  # noqa: T201

        assert covered >= 0.93


def drifting_speeds(random: np.random.Generator) -> NDArray[np.float64]:
    """Return how much slower than usual the machine is in each trial: a standard deviation of 5 %, AR(1)."""
    state = random.standard_normal(EXPERIMENTS)
    states = []
    for _ in range(MOST_TRIALS):
        states.append(state)
        state = DRIFT * state + math.sqrt(1 - DRIFT**2) * random.standard_normal(EXPERIMENTS)
    return np.exp(SPEED_SD * np.stack(states, axis=1))


def sojourns(random: np.random.Generator, *, rho: float, speed: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the times that requests spend in an M/M/1 queue, a row a trial, in mean service times.

    The first finds the queue as it stands in the long run. Source: Lindley, "The theory of queues with a
    single server" (1952): a request waits as long as the one before, and for its service, less the time
    between the two; written without a loop, as the height of a random walk above its lowest point so far.
    """
    shape = (len(speed), REQUESTS)
    service = random.standard_exponential(shape, dtype=np.float32) * speed[:, np.newaxis].astype(np.float32)
    between = random.standard_exponential(shape, dtype=np.float32) / np.float32(rho)
    waits_first = random.exponential(1 / (1 - rho), len(speed)) * (random.random(len(speed)) < rho)
    walk = np.cumsum(service - between, axis=1, dtype=np.float32)[:, :-1]
    lowest = np.minimum(np.minimum.accumulate(walk, axis=1), -waits_first[:, np.newaxis].astype(np.float32))
    service[:, 1:] += walk - lowest
    service[:, 0] += waits_first
    return service
