"""Budget consumed is the bad share against the share allowed."""

from __future__ import annotations

from decimal import Decimal

import pytest

from sloproof.slo.budget import budget_consumed


@pytest.mark.parametrize(
    ("bad", "total", "budget", "consumed"),
    [
        pytest.param(0, 1_000, "0.001", 0.0, id="no bad event"),
        pytest.param(1, 1_000, "0.001", 1.0, id="all of it, exactly"),
        pytest.param(30, 1_000, "0.01", 3.0, id="three times over"),
        pytest.param(0, 0, "0.01", None, id="no event"),
    ],
)
def test_the_budget_consumed_is_the_bad_share_over_the_share_allowed(
    bad: int, total: int, budget: str, consumed: float | None
) -> None:
    assert budget_consumed(bad=bad, total=total, budget=Decimal(budget)) == consumed
