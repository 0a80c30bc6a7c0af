"""What a Prometheus says of an objective: counts that it extrapolates, or a ratio alone; it asks none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Good of total events, as floats because ``increase()`` extrapolates, and the share of good ones.

    Counts are ``None`` where only the ratio is known, the ratio where there was no event.

    >>> Estimate.of(good=99.5, total=100.5).ratio
    0.9900497512437811
    """

    good: float | None
    total: float | None
    ratio: float | None

    @classmethod
    def of(cls, *, good: float, total: float) -> Estimate:
        """Return the estimate that counts make; good events beyond the total are a rounding of the two."""
        return cls(good=good, total=total, ratio=min(1.0, good / total) if total > 0 else None)


def pooled(estimates: Iterable[Estimate]) -> Estimate | None:
    """Return the counts of several trials together; ``None`` where one of them has none, or there is none.

    Ratios without counts have no sum, and are never averaged.
    """
    good = total = 0.0
    each = None
    for each in estimates:
        if each.good is None or each.total is None:
            return None
        good, total = good + each.good, total + each.total
    return None if each is None else Estimate.of(good=good, total=total)
