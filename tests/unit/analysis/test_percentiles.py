"""Percentiles are exact, agree with the SLI, and are not shown where few values stand behind them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloproof.analysis.percentiles import MAX_POINTS, curve, percentile

latencies = st.lists(st.floats(0, 100) | st.just(np.inf), min_size=20, max_size=400).map(np.array)


@given(latencies, st.sampled_from([0.1, 0.25, 0.5]), st.floats(0, 100))
def test_a_percentile_is_within_a_threshold_exactly_when_the_sli_reaches_it(
    values: np.ndarray, q: float, threshold: float
) -> None:
    value = percentile(values, q)

    assert value is not None
    good = int((values <= threshold).sum())
    assert (value <= threshold) == (good >= q * len(values))


@pytest.mark.parametrize(("q", "least"), [(0.5, 20), (0.9, 100), (0.95, 200), (0.99, 1_000), (0.999, 10_000)])
def test_a_percentile_needs_ten_values_beyond_it(q: float, least: int) -> None:
    values = np.arange(1.0, least + 1)

    assert percentile(values, q) == round(q * least)
    assert percentile(values[1:], q) is None


def test_the_share_is_taken_as_written_not_as_a_binary_float() -> None:
    assert percentile(np.arange(1.0, 101.0), 0.07) == 7.0  # 0.07 * 100 is 7.000000000000001


def test_requests_that_were_never_answered_are_the_slowest() -> None:
    values = np.concatenate([np.full(985, 0.1), np.full(15, np.inf)])

    assert percentile(values, 0.5) == 0.1
    assert percentile(values, 0.99) == np.inf


def test_a_value_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="counts as inf"):
        percentile(np.full(1_000, np.nan), 0.5)


def test_a_percentile_leaves_its_values_in_their_order() -> None:
    values = np.arange(1_000.0, 0.0, -1.0)

    percentile(values, 0.5)

    assert values[0] == 1_000.0


@given(st.lists(st.lists(st.floats(0, 10), max_size=300), max_size=4))
def test_a_curve_rises_from_the_least_to_the_greatest_of_all_values(trials: list[list[float]]) -> None:
    merged = sorted(value for trial in trials for value in trial)

    points = curve([np.array(trial) for trial in trials])

    assert len(points) <= MAX_POINTS
    assert bool(points) == bool(merged)
    assert list(points) == sorted(points)
    if points:
        assert (points[0][1], points[-1][1]) == (merged[0], merged[-1])
        assert all(value == merged[int(np.ceil(q * len(merged))) - 1] for q, value in points)


def test_a_curve_spends_as_many_points_on_each_nine() -> None:
    q = np.array([point[0] for point in curve([np.arange(1_000_000.0)])])

    nines = [
        int(((q >= low) & (q < high)).sum()) for low, high in ((0.9, 0.99), (0.99, 0.999), (0.999, 0.9999))
    ]

    assert len(q) > 300
    assert max(nines) - min(nines) <= 2


def test_merging_trials_is_not_averaging_their_percentiles() -> None:
    quick, slow = np.full(9_000, 1.0), np.full(1_000, 9.0)

    merged = curve([quick, slow])

    assert max(q for q, value in merged if value == 1.0) == pytest.approx(0.9, abs=0.01)


def test_a_curve_ends_where_requests_were_never_answered() -> None:
    points = curve([np.array([1.0, np.inf, 2.0, np.inf])])

    assert points == ((0.125, 1.0), (0.375, 2.0))
