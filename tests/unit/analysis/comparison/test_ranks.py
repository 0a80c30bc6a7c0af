from __future__ import annotations

import itertools
import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloproof.analysis.comparison import ranks

VALUES = st.lists(st.floats(-100, 100), min_size=6, max_size=12)

# Source: Hollander and Wolfe (1999), table 3.1: depression scores before and after a tranquilizer.
BEFORE = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30]
AFTER = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29]


def test_the_published_example_of_signed_ranks() -> None:
    shift = ranks.paired([after - before for before, after in zip(BEFORE, AFTER, strict=True)])

    assert shift.p_value == pytest.approx(0.0390625)
    assert shift.value == pytest.approx(-0.46)
    low, high = shift.interval(0.0391) or (0.0, 0.0)
    assert (low, high) == pytest.approx((-0.786, -0.010), abs=1e-9)


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_the_distribution_of_signed_ranks_is_that_of_all_signs(n: int) -> None:
    sums = [
        sum(rank for rank, positive in enumerate(signs, start=1) if positive)
        for signs in itertools.product((False, True), repeat=n)
    ]

    at_most = ranks._signed_ranks(n)

    assert at_most == pytest.approx(
        [sum(each <= w for each in sums) / len(sums) for w in range(n * (n + 1) // 2 + 1)]
    )


@pytest.mark.parametrize(("fewer", "more"), [(1, 1), (2, 5), (3, 3), (4, 6)])
def test_the_distribution_of_rank_sums_is_that_of_all_orders(fewer: int, more: int) -> None:
    counts = [
        sum(place - index for index, place in enumerate(places))
        for places in itertools.combinations(range(fewer + more), fewer)
    ]

    at_most = ranks._rank_sums(fewer, more)

    assert at_most == pytest.approx(
        [sum(each <= u for each in counts) / len(counts) for u in range(fewer * more + 1)]
    )


def test_the_normal_distribution_that_takes_over_is_as_good_as_the_exact_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    exact = ranks._signed_ranks.__wrapped__(50), ranks._rank_sums.__wrapped__(50, 50)
    monkeypatch.setattr(ranks, "MOST_EXACT", 1)
    normal = ranks._signed_ranks.__wrapped__(50), ranks._rank_sums.__wrapped__(50, 50)

    for one, other in zip(exact, normal, strict=True):
        assert np.abs(np.array(one) - np.array(other)).max() < 0.002


@pytest.mark.parametrize("n", range(1, 6))
def test_five_pairs_have_no_interval_of_95_percent(n: int) -> None:
    assert ranks.paired([1.0] * n).interval(0.05) is None


def test_six_pairs_have_one_from_the_least_to_the_greatest() -> None:
    assert ranks.paired([1.0, 2.0, 3.0, 4.0, 5.0, 9.0]).interval(0.05) == (1.0, 9.0)


def test_one_wild_pair_moves_the_mean_and_hardly_the_twin() -> None:
    calm = [0.1, 0.11, 0.09, 0.1, 0.12, 0.1, 0.09, 0.11]

    wild = ranks.paired([*calm, 50.0])

    assert statistics.fmean([*calm, 50.0]) > 5
    assert wild.value == pytest.approx(0.105, abs=0.01)


def test_what_was_never_answered_has_a_rank() -> None:
    shift = ranks.paired([math.inf, math.inf, math.inf, math.inf, 0.1, 0.2])

    assert shift.value == math.inf
    assert shift.interval(0.05) == (0.1, math.inf)


@given(VALUES, VALUES)
def test_whoever_is_first_the_shift_is_the_same_with_another_sign(
    first: list[float], second: list[float]
) -> None:
    there, back = ranks.independent(first, second), ranks.independent(second, first)

    assert there.value == pytest.approx(-back.value)
    assert there.p_value == back.p_value


@given(VALUES, st.sampled_from([0.05, 0.1, 0.2]))
def test_an_interval_excludes_nought_exactly_when_p_is_at_most_its_alpha(
    values: list[float], alpha: float
) -> None:
    shift = ranks.paired(values)
    low, high = shift.interval(alpha) or (0.0, 0.0)

    assert (low > 0 or high < 0) == (shift.p_value <= alpha)
