"""Tiers mean the same share of an error budget, whatever its window is."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloproof.slo.tiers import DAY, HOUR, MINUTE, WORKBOOK, Severity, Share, Tier, burn_factor, default_tiers

DAYS = st.integers(min_value=1, max_value=400)
BUDGETS = st.decimals(min_value="0.001", max_value="1", places=4)


@pytest.mark.parametrize(
    ("name", "severity", "factor", "long_s", "short_s"),
    [
        pytest.param("page-fast", "page", "14.4", HOUR, 5 * MINUTE, id="2 % in an hour"),
        pytest.param("page-slow", "page", "6", 6 * HOUR, 30 * MINUTE, id="5 % in six hours"),
        pytest.param("ticket-fast", "ticket", "3", DAY, 2 * HOUR, id="10 % in a day"),
        pytest.param("ticket-slow", "ticket", "1", 3 * DAY, 6 * HOUR, id="10 % in three days"),
    ],
)
def test_thirty_days_have_the_tiers_of_the_workbook(
    name: str, severity: str, factor: str, long_s: int, short_s: int
) -> None:
    expected = Tier(
        name=name, severity=Severity(severity), factor=Decimal(factor), long_s=long_s, short_s=short_s
    )

    assert expected in default_tiers(Decimal(30 * DAY))


@pytest.mark.parametrize(
    ("days", "longs_h", "factors"),
    [
        pytest.param(7, [0.25, 1.5, 6, 18], ["13.44", "5.6", "2.8", "1"], id="a week"),
        pytest.param(28, [1, 6, 24, 72], ["13.44", "5.6", "2.8", "1"], id="four weeks"),
        pytest.param(90, [3, 18, 72, 216], ["14.4", "6", "3", "1"], id="a quarter"),
    ],
)
def test_other_windows_have_tiers_of_round_durations(
    days: int, longs_h: list[float], factors: list[str]
) -> None:
    tiers = default_tiers(Decimal(days * DAY))

    assert [tier.long_s / HOUR for tier in tiers] == longs_h
    assert [tier.factor for tier in tiers] == [Decimal(factor) for factor in factors]


@given(budget=BUDGETS, long_s=st.integers(60, 10 * DAY), days=DAYS, scale=st.integers(1, 50))
def test_a_window_and_a_long_one_stretched_alike_keep_the_factor(
    budget: Decimal, long_s: int, days: int, scale: int
) -> None:
    window_s = Decimal(days * DAY)

    stretched = burn_factor(budget=budget, long_s=long_s * scale, window_s=window_s * scale)

    assert stretched == burn_factor(budget=budget, long_s=long_s, window_s=window_s)


@given(days=DAYS)
def test_default_tiers_spend_about_the_share_that_they_stand_for(days: int) -> None:
    window_s = Decimal(days * DAY)

    for tier, share in zip(default_tiers(window_s), WORKBOOK, strict=True):
        spent = tier.factor * tier.long_s / window_s
        assert share.budget * Decimal("0.999") <= spent <= share.budget * Decimal("1.5")


@given(days=DAYS)
def test_default_tiers_become_slower_from_one_to_the_next(days: int) -> None:
    tiers = default_tiers(Decimal(days * DAY))

    for one, other in pairwise(tiers):
        assert one.long_s < other.long_s
        assert one.factor > other.factor
    assert all(tier.long_s == 12 * tier.short_s for tier in tiers)


def test_no_factor_is_below_the_even_pace() -> None:
    assert burn_factor(budget=Decimal("0.01"), long_s=10 * DAY, window_s=Decimal(30 * DAY)) == 1


@pytest.mark.parametrize(
    ("budget", "can"),
    [
        pytest.param("0.0694", True, id="just enough budget left to burn"),
        pytest.param("0.0695", False, id="even a total outage is too slow"),
    ],
)
def test_a_tier_fires_only_where_its_threshold_is_below_one(budget: str, can: bool) -> None:
    page = default_tiers(Decimal(30 * DAY))[0]

    assert page.can_fire(Decimal(budget)) is can
    assert (page.threshold(Decimal(budget)) < 1) is can


def test_a_short_window_of_ones_own_replaces_the_twelfth() -> None:
    share = Share(
        name="own", severity=Severity.PAGE, budget=Decimal("0.05"), long_s=30 * MINUTE, short_s=2 * MINUTE
    )

    assert share.tier(Decimal(30 * DAY)).short_s == 2 * MINUTE


@pytest.mark.parametrize(
    ("factor", "long_s", "short_s", "complaint"),
    [
        pytest.param("1", 300, 300, "must be shorter", id="equal windows"),
        pytest.param("1", 300, 0, "must be shorter", id="no short window"),
        pytest.param("0", 3_600, 300, "must be above 0", id="no factor"),
    ],
)
def test_what_is_no_tier_is_refused(factor: str, long_s: int, short_s: int, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Tier(name="odd", severity=Severity.PAGE, factor=Decimal(factor), long_s=long_s, short_s=short_s)
