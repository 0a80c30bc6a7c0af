from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloproof.analysis.capacity.observation import (
    Observation,
    count_margin,
    latency_margin,
    stability_margin,
)
from sloproof.analysis.counts import Counts

TARGETS = st.sampled_from([Decimal("0.9"), Decimal("0.99"), Decimal("0.999")])


@given(latencies=st.lists(st.integers(1, 200), min_size=1, max_size=300), target=TARGETS)
def test_a_latency_margin_has_the_sign_of_the_sli(latencies: list[int], target: Decimal) -> None:
    values = np.array(latencies, dtype=float)
    margin = latency_margin(values, target=target, threshold_s=Decimal(100))

    assert margin is not None
    assert (margin <= 0) is ((values <= 100).sum() >= target * len(values))


@given(good=st.integers(0, 5000), bad=st.integers(0, 50), target=TARGETS)
def test_a_count_margin_has_the_sign_of_the_sli_and_is_always_a_number(
    good: int, bad: int, target: Decimal
) -> None:
    margin = count_margin(Counts(good=good, total=good + bad), target=target)
    if not good + bad:
        assert margin is None
        return

    assert margin is not None
    assert math.isfinite(margin)
    assert (margin <= 0) is (good >= target * (good + bad))


def test_more_bad_events_are_always_further_from_the_target() -> None:
    margins = [
        count_margin(Counts(good=1000 - bad, total=1000), target=Decimal("0.999")) for bad in range(50)
    ]

    assert margins == sorted(margins, key=lambda margin: margin or 0)
    assert len(set(margins)) == 50


def test_requests_that_were_never_answered_are_infinitely_far() -> None:
    never = np.array([0.01] * 98 + [math.inf] * 2)

    assert latency_margin(never, target=Decimal("0.99"), threshold_s=Decimal("0.1")) == math.inf
    assert latency_margin(np.array([]), target=Decimal("0.99"), threshold_s=Decimal("0.1")) is None


@pytest.mark.parametrize(
    ("capacity_per_s", "grows"),
    [
        pytest.param(1000, False, id="half used"),
        pytest.param(520, False, id="nearly all used"),
        pytest.param(460, True, id="a little too much"),
        pytest.param(100, True, id="far too much"),
    ],
)
def test_a_backlog_that_grows_all_through_is_told(capacity_per_s: float, grows: bool) -> None:
    intended_s = np.sort(np.random.default_rng(1).uniform(0, 8, 4000))
    end_s, free_s = np.empty(4000), 0.0
    for at, start_s in enumerate(intended_s):
        free_s = max(free_s, start_s) + 1 / capacity_per_s
        end_s[at] = free_s

    assert stability_margin(intended_s, end_s) == (math.inf if grows else -math.inf)


def test_a_service_that_is_slow_and_keeps_up_is_stable_and_one_that_answers_nothing_is_not() -> None:
    intended_s = np.arange(4000) / 500

    assert stability_margin(intended_s, intended_s + 1.0) == -math.inf
    assert stability_margin(intended_s, np.full(4000, math.nan)) == math.inf


def test_the_worst_margin_decides() -> None:
    seen = Observation(rate_per_s=1, seconds=1, valid=True, margins={"a": -1.0, "b": 0.1})

    assert seen.worst == 0.1
    assert not seen.met
