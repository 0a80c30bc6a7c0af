from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloproof.analysis.comparison.holm import holm

P_VALUES = st.lists(st.floats(0, 1), max_size=12)


def test_the_adjusted_values_are_the_published_ones() -> None:
    """Source: Wright, "Adjusted P-Values for Simultaneous Inference" (1992), as R's p.adjust has it."""
    steps = holm([0.01, 0.02, 0.03, 0.04, 0.05], alpha=0.05)

    assert [step.p_adjusted for step in steps] == pytest.approx([0.05, 0.08, 0.09, 0.09, 0.09])
    assert [step.alpha for step in steps] == pytest.approx([0.01, 0.0125, 0.0125, 0.0125, 0.0125])


@given(P_VALUES)
def test_a_value_is_significant_at_its_own_level_exactly_when_its_adjusted_one_is(
    p_values: list[float],
) -> None:
    for p_value, step in zip(p_values, holm(p_values, alpha=0.05), strict=True):
        if abs(p_value - step.alpha) > 1e-12:
            assert (p_value < step.alpha) == (step.p_adjusted <= 0.05)


@given(P_VALUES)
def test_adjusting_never_helps_and_keeps_the_order(p_values: list[float]) -> None:
    steps = holm(p_values, alpha=0.05)

    assert all(step.p_adjusted >= min(1, p) for p, step in zip(p_values, steps, strict=True))
    by_p = sorted(zip(p_values, steps, strict=True), key=lambda each: each[0])
    adjusted = [step.p_adjusted for _, step in by_p]
    assert adjusted == sorted(adjusted)


def test_one_alone_is_not_adjusted() -> None:
    (step,) = holm([0.03], alpha=0.05)

    assert (step.p_adjusted, step.alpha) == (0.03, 0.05)
