"""However often one looks, the chance to err stays what was promised: counted exactly, and simulated."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sloproof.analysis.intervals import lower_rank, median_interval
from sloproof.analysis.sequential import (
    ERROR_RATIO,
    MOST_LOOKS,
    Boundary,
    boundaries,
    interval_at,
    looks,
    spent_ratio,
)

plans = st.integers(1, 60).flatmap(lambda first: st.tuples(st.just(first), st.integers(first, 120)))


@given(st.integers(1, 150))
def test_a_single_look_is_the_rule_for_one(n: int) -> None:
    (boundary,) = boundaries((n,), (n,))

    assert boundary.rank == (lower_rank(n) or 0)
    assert boundary.error_ratio == Fraction(sum(comb(n, below) for below in range(boundary.rank)), 2**n)


@given(plans)
def test_looks_rise_to_the_last_block_and_are_few(plan: tuple[int, int]) -> None:
    first, most = plan

    found = looks(first, most)

    assert list(found) == sorted(set(found))
    assert found[0] >= first
    assert found[-1] == most
    assert len(found) <= MOST_LOOKS


@given(plans.filter(lambda plan: plan[1] >= 7))
def test_trials_that_are_all_alike_decide_at_every_look(plan: tuple[int, int]) -> None:
    planned = looks(*plan)

    assert all(boundary.rank >= 1 for boundary in boundaries(planned, planned))


@given(plans, st.data())
def test_the_error_is_exact_and_never_more_than_promised_whatever_trials_are_missing(
    plan: tuple[int, int], data: st.DataObject
) -> None:
    """Count the outcomes anew, forwards, by probabilities instead of orders."""
    planned = looks(*plan)
    sizes = tuple(sorted(data.draw(st.integers(0, block)) for block in planned))

    found = boundaries(sizes, planned)

    chances, done, crossed = [Fraction(1)], 0, Fraction(0)
    for size, block, boundary in zip(sizes, planned, found, strict=True):
        for _ in range(size - done):
            chances = [
                (a + b) / 2 for a, b in zip([*chances, Fraction(0)], [Fraction(0), *chances], strict=True)
            ]
        crossed += sum(chances[: boundary.rank], Fraction(0))
        chances = [Fraction(0) if k < boundary.rank else chance for k, chance in enumerate(chances)]
        done = size
        assert boundary.error_ratio == crossed <= spent_ratio(Fraction(block, planned[-1])) <= ERROR_RATIO


@pytest.mark.parametrize(("first", "most"), [(6, 20), (6, 30), (10, 60)])
def test_simulated_experiments_err_as_seldom_as_counted_and_looking_uncorrected_errs_too_often(
    first: int, most: int
) -> None:
    experiments, planned = 40_000, looks(first, most)
    meets = np.cumsum(np.random.default_rng(11).random((experiments, most)) < 0.5, axis=1)
    found = boundaries(planned, planned)

    corrected, naive = np.zeros((2, experiments), dtype=np.bool_)
    for block, boundary in zip(planned, found, strict=True):
        fewest = np.minimum(meets[:, block - 1], block - meets[:, block - 1])
        corrected |= fewest < boundary.rank
        naive |= fewest < (lower_rank(block) or 0)
    counted = float(2 * found[-1].error_ratio)

    print(  # noqa: T201
        f"{len(planned)} looks up to {most} blocks: {corrected.mean():.2%} err, {counted:.2%} counted, "
        f"{naive.mean():.2%} without the correction"
    )
    assert corrected.mean() == pytest.approx(counted, abs=0.004)
    assert counted <= 0.05 < naive.mean()


@settings(max_examples=50)
@given(st.lists(st.integers(0, 40).map(float), min_size=7, max_size=30), st.floats(0, 40))
def test_a_verdict_is_one_of_its_interval(values: list[float], target: float) -> None:
    n = len(values)
    boundary = boundaries((n,), (n,))[0]
    interval = interval_at(values, boundary)
    assert interval

    assert (sum(value >= target for value in values) < boundary.rank) == (interval.high < target)
    assert (sum(value < target for value in values) < boundary.rank) == (interval.low >= target)
    assert interval == median_interval(values)


def test_a_look_that_cannot_decide_has_no_interval() -> None:
    assert interval_at([1.0, 2.0], Boundary(rank=0, error_ratio=Fraction(0))) is None
    assert interval_at([], Boundary(rank=1, error_ratio=Fraction(1, 64))) is None
