"""The search for the highest rate that the generator keeps, on generators that are invented."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloproof.experiment.calibration import CLOSE_ENOUGH, MOST_RATE_PER_S, climb, next_rate


def bounds(rate: float, ceiling: float, *, rungs: int = 1_000) -> tuple[float | None, float | None]:
    """Search with a generator that keeps every rate up to its ceiling, for so many rungs at most."""
    left = itertools.count(rungs, -1)
    return climb(
        rate,
        valid=rate <= ceiling,
        keeps=lambda candidate: candidate <= ceiling,
        goes_on=lambda: next(left) > 0,
    )


@pytest.mark.parametrize(
    ("rate", "ceiling", "found"),
    [
        pytest.param(150, 1500, (1200, 1700), id="above the run's rate"),
        pytest.param(600, 200, (150, 210), id="below it"),
        pytest.param(150, 5, (None, 18.75), id="below all that is tried"),
        pytest.param(150, 1e9, (19_200, None), id="above all that is tried"),
    ],
)
def test_the_ladder_goes_up_and_down_to_the_ceiling(
    rate: float, ceiling: float, found: tuple[float | None, float | None]
) -> None:
    assert bounds(rate, ceiling) == found


def test_a_search_that_runs_out_of_time_says_what_it_knows() -> None:
    assert bounds(150, 1e9, rungs=2) == (600, None)
    assert bounds(150, 1e9, rungs=0) == (150, None)


@given(rate=st.floats(min_value=20, max_value=5_000), ceiling=st.floats(min_value=50, max_value=9_000))
def test_the_ceiling_lies_between_what_is_kept_and_what_is_not(rate: float, ceiling: float) -> None:
    highest, lowest = bounds(rate, ceiling)

    assert highest is None or highest <= ceiling
    assert lowest is None or lowest > ceiling
    if highest is not None and lowest is not None:
        assert lowest / highest < CLOSE_ENOUGH
    elif lowest is None:
        assert highest is not None
        assert 2 * highest > MOST_RATE_PER_S
    assert (highest, lowest) != (None, None)


def test_without_a_first_rate_there_is_nothing_to_go_on_from() -> None:
    with pytest.raises(ValueError, match="try a rate first"):
        next_rate(None, None)
