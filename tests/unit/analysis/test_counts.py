"""Counts keep numerator and denominator."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloproof.analysis.counts import Counts

counts = st.tuples(st.integers(0, 10**9), st.integers(0, 10**9)).map(
    lambda pair: Counts(good=min(pair), total=max(pair))
)


@given(counts, counts)
def test_a_sum_is_weighted_by_traffic(one: Counts, other: Counts) -> None:
    both = one + other

    assert (both.good, both.bad, both.total) == (
        one.good + other.good,
        one.bad + other.bad,
        one.total + other.total,
    )


def test_the_ratio_of_no_events_is_no_number() -> None:
    assert Counts(good=0, total=0).ratio is None
    assert Counts(good=1, total=4).ratio == 0.25


@pytest.mark.parametrize(("good", "total"), [(2, 1), (-1, 1), (0, -1)])
def test_more_good_events_than_events_cannot_be(good: int, total: int) -> None:
    with pytest.raises(ValueError, match="good events must lie between 0 and"):
        Counts(good=good, total=total)
