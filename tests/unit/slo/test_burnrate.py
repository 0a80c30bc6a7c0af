"""The closed forms agree with each other and with a count of bad events, second by second."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloproof.slo.burnrate import burn_rate, detection_s, reset_s
from sloproof.slo.tiers import DAY, Severity, Tier, default_tiers

PAGE, PAGE_SLOW, TICKET, TICKET_SLOW = default_tiers(Decimal(30 * DAY))
RATIOS = st.floats(min_value=0.01, max_value=1.0)
TIERS = st.builds(
    lambda factor, short_s, times: Tier(
        name="any", severity=Severity.PAGE, factor=factor, long_s=short_s * times, short_s=short_s
    ),
    st.decimals(min_value="1", max_value="20", places=2),
    st.integers(60, 3_600),
    st.integers(2, 20),
)
BUDGETS = st.decimals(min_value="0.0001", max_value="0.2", places=4)


@pytest.mark.parametrize(
    ("tier", "budget", "error_ratio", "expected_s"),
    [
        pytest.param(PAGE, "0.001", 1.0, 51.84, id="total outage of three nines"),
        pytest.param(PAGE, "0.001", 0.02, 2_592, id="2 % of three nines"),
        pytest.param(PAGE, "0.01", 0.5, 1_036.8, id="half of two nines"),
        pytest.param(PAGE_SLOW, "0.1", 1.0, 12_960, id="total outage of one nine takes hours"),
        pytest.param(TICKET, "0.001", 0.0035, 86_400 * 3 / 3.5, id="a little above a ticket's threshold"),
    ],
)
def test_a_tier_is_found_when_the_long_window_holds_enough(
    tier: Tier, budget: str, error_ratio: float, expected_s: float
) -> None:
    found_s = detection_s(tier, budget=Decimal(budget), error_ratio=error_ratio)

    assert found_s == pytest.approx(expected_s)


@pytest.mark.parametrize(
    ("history_s", "expected_s"),
    [
        pytest.param(900, 364.0, id="a quarter of an hour"),
        pytest.param(0, 0, id="none at all"),
        pytest.param(3_600, 1_036.8, id="the whole window"),
        pytest.param(86_400, 1_036.8, id="far more than the window"),
    ],
)
def test_a_young_prometheus_sees_a_shorter_window(history_s: float, expected_s: float) -> None:
    found_s = detection_s(PAGE, budget=Decimal("0.01"), error_ratio=0.5, history_s=history_s)

    assert found_s == pytest.approx(expected_s, abs=0.1)


@given(tier=TIERS, budget=BUDGETS, error_ratio=RATIOS)
def test_detection_is_continuous_where_the_history_fills_the_window(
    tier: Tier, budget: Decimal, error_ratio: float
) -> None:
    whole_s = detection_s(tier, budget=budget, error_ratio=error_ratio)
    if whole_s is None:
        return
    just_enough_s = tier.long_s - whole_s

    truncated_s = detection_s(
        tier, budget=budget, error_ratio=error_ratio, history_s=just_enough_s * (1 - 1e-9)
    )

    assert truncated_s == pytest.approx(whole_s, rel=1e-6, abs=1e-3)


@given(tier=TIERS, budget=BUDGETS, error_ratio=RATIOS, history_s=st.floats(0, 1e6))
def test_less_history_never_finds_later(
    tier: Tier, budget: Decimal, error_ratio: float, history_s: float
) -> None:
    whole_s = detection_s(tier, budget=budget, error_ratio=error_ratio)
    young_s = detection_s(tier, budget=budget, error_ratio=error_ratio, history_s=history_s)

    assert (whole_s is None) == (young_s is None)
    if whole_s is not None and young_s is not None:
        assert young_s <= whole_s * (1 + 1e-9)


@given(tier=TIERS, budget=BUDGETS, error_ratio=RATIOS, history_s=st.floats(0, 1e5))
def test_at_its_time_the_share_of_bad_events_is_the_threshold(
    tier: Tier, budget: Decimal, error_ratio: float, history_s: float
) -> None:
    found_s = detection_s(tier, budget=budget, error_ratio=error_ratio, history_s=history_s)
    if not found_s:
        return

    seen_s = min(tier.long_s, history_s + found_s)

    assert error_ratio * found_s / seen_s == pytest.approx(float(tier.threshold(budget)), rel=1e-6)


@given(tier=TIERS, budget=BUDGETS, error_ratio=RATIOS)
def test_a_tier_ends_within_its_short_window(tier: Tier, budget: Decimal, error_ratio: float) -> None:
    goes_on_s = reset_s(tier, budget=budget, error_ratio=error_ratio)

    if error_ratio <= tier.threshold(budget):
        assert goes_on_s is None
    else:
        assert goes_on_s is not None
        assert 0 <= goes_on_s <= tier.short_s
        left = error_ratio * (tier.short_s - goes_on_s) / tier.short_s
        assert left == pytest.approx(float(tier.threshold(budget)), rel=1e-6)


@pytest.mark.parametrize(
    "error_ratio", [pytest.param(0.144, id="at the threshold"), pytest.param(0.1, id="below it")]
)
def test_what_is_not_above_the_threshold_is_never_found(error_ratio: float) -> None:
    assert detection_s(PAGE, budget=Decimal("0.01"), error_ratio=error_ratio) is None
    assert reset_s(PAGE, budget=Decimal("0.01"), error_ratio=error_ratio) is None


def test_no_events_have_no_burn_rate() -> None:
    assert burn_rate(bad=0, total=0, budget=Decimal("0.01")) is None
    assert burn_rate(bad=0, total=10, budget=Decimal("0.01")) == 0
