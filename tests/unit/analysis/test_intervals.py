"""The interval over trials holds the truth as often as it says."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloproof.analysis.intervals import CONFIDENCE_RATIO, MIN_TRIALS, lower_rank, median_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray


@pytest.mark.parametrize(
    ("n", "ranks", "confidence_ratio"),
    [
        pytest.param(6, (1, 6), 0.96875, id="6 trials, least to greatest"),
        pytest.param(9, (2, 8), 0.9609375, id="9 trials"),
        pytest.param(10, (2, 9), 0.978515625, id="10 trials, 2nd to 9th"),
        pytest.param(20, (6, 15), 0.9586105346679688, id="20 trials, 6th to 15th"),
    ],
)
def test_the_interval_runs_between_the_published_ranks(
    n: int, ranks: tuple[float, float], confidence_ratio: float
) -> None:
    interval = median_interval([float(value) for value in range(1, n + 1)])

    assert interval
    assert (interval.low, interval.high) == ranks
    assert interval.median == (n + 1) / 2
    assert interval.confidence_ratio == confidence_ratio


@pytest.mark.parametrize("n", range(MIN_TRIALS))
def test_too_few_trials_have_no_interval(n: int) -> None:
    assert median_interval([1.0] * n) is None


@given(st.lists(st.floats(allow_nan=False), min_size=MIN_TRIALS, max_size=60))
def test_the_interval_holds_the_median_and_does_not_depend_on_the_order(values: list[float]) -> None:
    interval = median_interval(values)

    assert interval
    assert interval.confidence_ratio >= CONFIDENCE_RATIO
    assert interval.low in values
    assert interval.high in values
    assert interval.low <= interval.high
    assert interval == median_interval(sorted(values, reverse=True))


@given(st.integers(MIN_TRIALS, 120))
def test_the_next_rank_would_be_too_narrow(n: int) -> None:
    rank = lower_rank(n)
    assert rank

    too_narrow = 1 - 2 * sum(math.comb(n, below) for below in range(rank + 1)) / (1 << n)

    assert too_narrow < CONFIDENCE_RATIO


def test_a_trial_that_never_answered_stretches_the_interval_to_infinity() -> None:
    interval = median_interval([1.0, 2.0, 3.0, 4.0, 5.0, math.inf])

    assert interval
    assert (interval.low, interval.median, interval.high) == (1.0, 3.5, math.inf)


def test_a_trial_without_a_value_is_refused() -> None:
    with pytest.raises(ValueError, match="leave it out"):
        median_interval([1.0] * 6 + [math.nan])


@pytest.mark.parametrize("trials", [6, 10, 20])
def test_the_interval_covers_the_typical_trial_of_a_drifting_autocorrelated_service(trials: int) -> None:
    """Simulate p99s of trials whose requests depend on each other, on a machine whose speed varies.

    The truth is the median over very many trials, which is what the interval says it holds. Blind to
    dependence within trials, an interval over requests covers it in under 30 % of cases.
    """
    experiments = 2_000
    random = np.random.default_rng(20_260_301)
    p99_s = simulated_p99_s(random, trials=experiments * trials).reshape(experiments, trials)
    truth_s = float(np.median(simulated_p99_s(random, trials=100_000)))

    intervals = [median_interval(row.tolist()) for row in p99_s]
    covered = np.mean(
        [interval is not None and interval.low <= truth_s <= interval.high for interval in intervals]
    )

    assert covered >= 0.93


def simulated_p99_s(random: np.random.Generator, *, trials: int, requests: int = 200) -> NDArray[np.float64]:
    """Return the p99 of log-normal latencies that are AR(1) in time, times a speed of each trial's own."""
    rho, latent = 0.9, random.standard_normal(trials)
    history = np.empty((requests, trials), dtype=np.float32)
    for now in range(requests):
        latent = rho * latent + math.sqrt(1 - rho**2) * random.standard_normal(trials, dtype=np.float32)
        history[now] = latent
    p99 = np.partition(history, int(0.99 * requests) - 1, axis=0)[int(0.99 * requests) - 1]
    speed = np.exp(0.1 * random.standard_normal(trials))
    p99_s: NDArray[np.float64] = 0.02 * speed * np.exp(0.5 * p99)
    return p99_s
