"""The arithmetic of error budgets; it knows neither windows of alerts nor where counts come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from decimal import Decimal


def budget_consumed(*, bad: int, total: int, budget: Decimal) -> float | None:
    """Return the share of the error budget of `total` events that `bad` of them have consumed, as a ratio.

    1 is all of it, more is a violated objective. ``None``: no event was seen, so nothing can be said.
    Source: Google SRE Workbook, ch. 2 "Implementing SLOs".

    >>> from decimal import Decimal
    >>> budget_consumed(bad=3, total=1_000, budget=Decimal("0.01"))
    0.3
    """
    return float(bad / (total * budget)) if total else None
