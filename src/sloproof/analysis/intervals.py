"""The median of a few trials, and an interval for it that assumes no distribution; it judges nothing."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

CONFIDENCE_RATIO = 0.95
MIN_TRIALS = 6
"""With fewer, even the interval from the least to the greatest value holds the median too seldom."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A median with its interval; `confidence_ratio` is what the ranks achieve, never less than 95 %."""

    low: float
    median: float
    high: float
    confidence_ratio: float


def median_interval(values: Sequence[float]) -> Interval | None:
    """Return the median of one value a trial, with its order-statistic interval; ``None`` below 6 values.

    Nothing is assumed but that trials are alike and independent of each other: the number of them below the
    true median is binomial with p = 1/2. Values may be +inf (never answered); NaN raises ValueError.
    Source: Hahn and Meeker, Statistical Intervals (1991), section 5.2; David and Nagaraja, Order Statistics
    (2003), section 7.1.

    >>> median_interval([3, 1, 2, 6, 5, 4])
    Interval(low=1, median=3.5, high=6, confidence_ratio=0.96875)
    """
    if any(math.isnan(value) for value in values):
        raise ValueError("a trial without a value has no place among the values of trials: leave it out")
    if (rank := lower_rank(len(values))) is None:
        return None
    ordered = sorted(values)
    return Interval(
        low=ordered[rank - 1],
        median=statistics.median(ordered),
        high=ordered[-rank],
        confidence_ratio=_coverage_ratio(len(values), rank),
    )


@cache
def lower_rank(n: int) -> int | None:
    """Return the rank r for which the r-th least and the r-th greatest of n values hold the median in 95 %.

    It is the greatest such rank, so that the interval is the shortest; ``None`` where there is none.

    >>> [(n, lower_rank(n)) for n in (5, 6, 10, 20)]
    [(5, None), (6, 1), (10, 2), (20, 6)]
    """
    ranks = range(1, n // 2 + 1)
    return max((rank for rank in ranks if _coverage_ratio(n, rank) >= CONFIDENCE_RATIO), default=None)


def _coverage_ratio(n: int, rank: int) -> float:
    """Return the probability that at least `rank` of n values lie on either side of the median."""
    outside = 2 * sum(math.comb(n, below) for below in range(rank))
    return 1 - outside / (1 << n)
