from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloproof.load.arrivals import Arrival, plan, shares

arrivals = st.sampled_from(Arrival)
rates = st.floats(0.5, 500)
durations = st.floats(0.5, 20)
weights = st.lists(st.integers(1, 20), min_size=1, max_size=6)
seeds = st.integers(0, 2**32)


@given(arrivals, rates, durations, weights, seeds)
def test_a_plan_has_exactly_the_arrivals_asked_for_in_order_and_within_its_duration(
    arrival: Arrival, rate: float, duration_s: float, weights: list[int], seed: int
) -> None:
    planned = plan(arrival, rate=rate, duration_s=duration_s, weights=weights, seed=seed)
    assert len(planned) == len(planned.tasks) == round(rate * duration_s)
    assert (np.diff(planned.offsets_s) >= 0).all()
    assert ((planned.offsets_s >= 0) & (planned.offsets_s <= duration_s)).all()


@given(arrivals, rates, durations, weights, seeds)
def test_a_plan_depends_on_its_arguments_alone(
    arrival: Arrival, rate: float, duration_s: float, weights: list[int], seed: int
) -> None:
    first, second = (
        plan(arrival, rate=rate, duration_s=duration_s, weights=weights, seed=seed) for _ in range(2)
    )
    assert first.offsets_s.tolist() == second.offsets_s.tolist()
    assert first.tasks.tolist() == second.tasks.tolist()


@given(arrivals, rates, durations, weights, seeds)
def test_the_mix_of_tasks_is_the_same_for_every_seed(
    arrival: Arrival, rate: float, duration_s: float, weights: list[int], seed: int
) -> None:
    planned = plan(arrival, rate=rate, duration_s=duration_s, weights=weights, seed=seed)
    counts = np.bincount(planned.tasks, minlength=len(weights))
    assert counts.tolist() == shares(len(planned), weights)


@given(st.integers(0, 10_000), weights)
def test_shares_add_up_and_are_within_one_of_their_proportion(count: int, weights: list[int]) -> None:
    parts = shares(count, weights)
    assert sum(parts) == count
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - count * weight / sum(weights)) < 1


def test_constant_arrivals_are_equally_far_apart() -> None:
    planned = plan(Arrival.CONSTANT, rate=8, duration_s=2, weights=[1], seed=1)
    assert planned.offsets_s.tolist() == [k / 8 for k in range(16)]


def test_different_seeds_give_different_arrivals_and_orders_of_tasks() -> None:
    first, second = (
        plan(Arrival.POISSON, rate=50, duration_s=2, weights=[1, 1], seed=seed) for seed in (1, 2)
    )
    assert first.offsets_s.tolist() != second.offsets_s.tolist()
    assert first.tasks.tolist() != second.tasks.tolist()


def test_the_gaps_of_poisson_arrivals_are_exponential() -> None:
    rate = 1_000
    planned = plan(Arrival.POISSON, rate=rate, duration_s=100, weights=[1], seed=3)
    gaps = np.diff(planned.offsets_s) * rate
    assert gaps.mean() == pytest.approx(1, rel=0.01)
    assert gaps.std() == pytest.approx(1, rel=0.02)
    for quantile in (0.1, 0.5, 0.9, 0.99):
        assert np.quantile(gaps, quantile) == pytest.approx(-np.log(1 - quantile), rel=0.03)


def test_the_counts_of_poisson_arrivals_per_second_vary_as_much_as_they_are_large() -> None:
    planned = plan(Arrival.POISSON, rate=20, duration_s=5_000, weights=[1], seed=4)
    counts = np.bincount(planned.offsets_s.astype(int), minlength=5_000)
    assert counts.var() / counts.mean() == pytest.approx(1, abs=0.06)
