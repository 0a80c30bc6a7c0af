"""A forecast of further trials comes true as often as it says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloproof.analysis.foresight import MAX_MORE_TRIALS, PROBABLE_RATIO, chance_of_verdict, more_trials
from sloproof.analysis.intervals import lower_rank


@pytest.mark.parametrize(
    ("meets", "misses", "more"),
    [
        pytest.param(5, 0, 1, id="five alike need a sixth"),
        pytest.param(0, 5, 1, id="as much for misses"),
        pytest.param(3, 0, 6, id="three alike may yet differ"),
        pytest.param(5, 1, 24, id="one that differs"),
        pytest.param(3, 3, None, id="a draw"),
    ],
)
def test_the_trials_needed_depend_on_how_clear_the_case_is(meets: int, misses: int, more: int | None) -> None:
    assert more_trials(meets=meets, misses=misses) == more


def test_another_reason_can_ask_for_more_trials_but_not_for_too_many() -> None:
    assert more_trials(meets=6, misses=0, at_least=40) == 40
    assert more_trials(meets=6, misses=0, at_least=MAX_MORE_TRIALS + 1) is None


@given(st.integers(0, 20), st.integers(0, 20), st.integers(0, 60))
def test_the_chance_of_a_verdict_is_the_same_for_meets_and_misses(meets: int, misses: int, more: int) -> None:
    chance = chance_of_verdict(meets, misses, more)

    assert chance == pytest.approx(chance_of_verdict(misses, meets, more), abs=1e-9)
    assert -1e-9 <= chance <= 1


@given(st.integers(0, 30), st.integers(0, 30))
def test_no_further_trial_leaves_what_is_known(meets: int, misses: int) -> None:
    decided = min(meets, misses) < (lower_rank(meets + misses) or 0)

    assert chance_of_verdict(meets, misses, 0) == pytest.approx(float(decided), abs=1e-9)


def test_forecasts_come_true_as_often_as_they_say() -> None:
    """Draw services from the prior, forecast after eight trials, and run the trials that were asked for."""
    random = np.random.default_rng(7)
    forecasts = {meets: more_trials(meets=meets, misses=8 - meets) for meets in range(9)}
    came_true = []
    for share in random.beta(0.5, 0.5, size=4_000):
        meets = int(random.binomial(8, share))
        if min(meets, 8 - meets) < (lower_rank(8) or 0) or not (more := forecasts[meets]):
            continue
        meets += int(random.binomial(more, share))
        came_true.append(min(meets, 8 + more - meets) < (lower_rank(8 + more) or 0))

    assert len(came_true) > 300
    assert np.mean(came_true) == pytest.approx(PROBABLE_RATIO, abs=0.05)
