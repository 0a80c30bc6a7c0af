"""How fast an error budget burns, and when an alert on it begins and ends; closed forms, no data."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from decimal import Decimal

    from sloproof.slo.tiers import Tier


def burn_rate(*, bad: float, total: float, budget: Decimal) -> float | None:
    """Return how many times faster than sustainable the error budget is spent.

    At 1 the budget lasts exactly one window. ``None``: no event was seen, so nothing can be said.
    Counts are floats because Prometheus extrapolates ``increase()``.
    Source: Google SRE Workbook, ch. 5 "Alerting on SLOs".

    >>> from decimal import Decimal
    >>> burn_rate(bad=1, total=100, budget=Decimal("0.001"))
    10.0
    """
    return bad / total / float(budget) if total > 0 else None


def detection_s(
    tier: Tier, *, budget: Decimal, error_ratio: float, history_s: float | None = None
) -> float | None:
    """Return how long after a step to `error_ratio` a tier begins to fire, at steady traffic.

    ``None``: never, the ratio is not above the threshold. `history_s` is how long there has been (healthy)
    traffic before the step; where that is shorter than the long window, Prometheus sees a shorter window.

    Source: with k the factor, B the budget, L the long window and H the history, the share of bad events in
    the window t after the step is e·t/min(L, H + t), which reaches k·B at t = k·B·L/e, and at
    t = k·B·H/(e − k·B) where H + t < L. The short window is past the threshold before.

    >>> from decimal import Decimal
    >>> from sloproof.slo.tiers import default_tiers
    >>> page, *_ = default_tiers(Decimal(30 * 86_400))
    >>> detection_s(page, budget=Decimal("0.001"), error_ratio=0.1)
    518.4
    """
    threshold = float(tier.threshold(budget))
    if error_ratio <= threshold:
        return None
    whole_s = threshold * tier.long_s / error_ratio
    if history_s is None or history_s + whole_s >= tier.long_s:
        return whole_s
    return threshold * history_s / (error_ratio - threshold)


def reset_s(tier: Tier, *, budget: Decimal, error_ratio: float) -> float | None:
    """Return how long after the end of a fault a firing tier goes on, at steady traffic.

    ``None``: it never fired. The fault must have lasted the short window or longer.
    Source: with S the short window, its share of bad events t after the end is e·(S − t)/S, which falls to
    k·B at t = S·(1 − k·B/e).

    >>> from decimal import Decimal
    >>> from sloproof.slo.tiers import default_tiers
    >>> page, *_ = default_tiers(Decimal(30 * 86_400))
    >>> round(reset_s(page, budget=Decimal("0.001"), error_ratio=1.0), 2)
    295.68
    """
    threshold = float(tier.threshold(budget))
    return tier.short_s * (1 - threshold / error_ratio) if error_ratio > threshold else None
