from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloproof.analysis.comparison.means import independent, paired

VALUES = st.lists(st.floats(-100, 100), min_size=6, max_size=12)

# Source: Student (1908), "The Probable Error of a Mean": additional hours of sleep by two soporifics.
FIRST = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
SECOND = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]


def test_students_own_pairs_have_the_published_test() -> None:
    found = paired([after - before for before, after in zip(FIRST, SECOND, strict=True)])

    assert found.value == pytest.approx(1.58)
    assert found.p_value == pytest.approx(0.002833, abs=1e-6)
    assert found.interval(0.05) == pytest.approx((0.7001142, 2.4598858), abs=1e-6)


def test_the_same_as_two_groups_have_welchs() -> None:
    found = independent(FIRST, SECOND)

    assert found.df == pytest.approx(17.776, abs=1e-3)
    assert found.p_value == pytest.approx(0.07939, abs=1e-5)
    assert found.interval(0.05) == pytest.approx((-0.2054832, 3.3654832), abs=1e-6)


@given(VALUES, VALUES)
def test_whoever_is_first_the_difference_is_the_same_with_another_sign(
    first: list[float], second: list[float]
) -> None:
    there, back = independent(first, second), independent(second, first)

    assert there.value == -back.value
    assert there.p_value == pytest.approx(back.p_value)
    assert there.interval(0.05) == pytest.approx(tuple(-end for end in reversed(back.interval(0.05))))


@given(VALUES, st.sampled_from([0.05, 0.01, 0.2]))
def test_an_interval_excludes_nought_exactly_when_p_is_below_its_alpha(
    values: list[float], alpha: float
) -> None:
    found = paired(values)
    low, high = found.interval(alpha)

    if abs(found.p_value - alpha) > 1e-9:
        assert (low > 0 or high < 0) == (found.p_value < alpha)


def test_differences_that_are_all_the_same_leave_no_doubt() -> None:
    assert paired([0.0] * 6).p_value == 1
    assert paired([0.5] * 6).p_value == 0
    assert paired([0.5] * 6).interval(0.05) == (0.5, 0.5)
    assert independent([1.0] * 6, [1.0] * 6).p_value == 1
