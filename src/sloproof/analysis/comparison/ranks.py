"""The robust twins of the t intervals: Hodges and Lehmann's estimate with an interval by ranks."""

from __future__ import annotations

import itertools
import math
import statistics
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MOST_EXACT = 50
"""Trials a side up to which ranks are counted exactly; beyond, their sum is as good as normal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A difference by ranks: candidates for it in rising order, and how probable it is to find few below 0.

    ``at_most[w]`` is the probability, were there no difference, that at most w candidates are negative.
    """

    candidates: tuple[float, ...]
    at_most: tuple[float, ...]

    @property
    def value(self) -> float:
        """The estimate: the median of the candidates."""
        return statistics.median(self.candidates)

    @property
    def p_value(self) -> float:
        """The least alpha at which the interval excludes 0: two-sided, ties counted against a difference."""
        not_above = bisect_right(self.candidates, 0)
        not_below = len(self.candidates) - bisect_left(self.candidates, 0)
        return min(1.0, 2 * self.at_most[min(not_above, not_below)])

    def interval(self, alpha: float) -> tuple[float, float] | None:
        """Return what holds the true difference with probability of at least 1 - alpha.

        ``None`` where there are too few trials for that: even the least and the greatest candidate would not.
        """
        rank = bisect_right(self.at_most, alpha / 2)
        return (self.candidates[rank - 1], self.candidates[-rank]) if rank else None


def paired(differences: Sequence[float]) -> Shift:
    """Return the shift of differences within blocks, by Wilcoxon's signed ranks.

    Its candidates are the means of every two differences, each with itself too. Differences may be infinite,
    of one sign. Nothing is assumed but that the differences are symmetrical about the true one.
    Source: Hollander and Wolfe, Nonparametric Statistical Methods (1999), sections 3.1 to 3.3.

    >>> shift = paired([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    >>> shift.value, shift.interval(0.05), shift.p_value
    (3.5, (1.0, 6.0), 0.03125)
    """
    candidates = [(a + b) / 2 for a, b in itertools.combinations_with_replacement(differences, 2)]
    return Shift(candidates=tuple(sorted(candidates)), at_most=_signed_ranks(len(differences)))


def independent(baseline: Sequence[float], current: Sequence[float]) -> Shift:
    """Return the shift between two groups, by the ranks of Mann and Whitney.

    Its candidates are the differences of every value of one group to every value of the other.
    Source: Hollander and Wolfe, Nonparametric Statistical Methods (1999), sections 4.1 to 4.3.

    >>> shift = independent([1.0, 2.0, 3.0, 4.0], [11.0, 12.0, 13.0, 14.0])
    >>> shift.value, shift.interval(0.05), round(shift.p_value, 6)
    (10.0, (7.0, 13.0), 0.028571)
    """
    candidates = sorted(after - before for before in baseline for after in current)
    return Shift(candidates=tuple(candidates), at_most=_rank_sums(*sorted((len(baseline), len(current)))))


@cache
def _signed_ranks(n: int) -> tuple[float, ...]:
    """Return the distribution function of Wilcoxon's signed-rank sum of n differences."""
    most = n * (n + 1) // 2
    if n > MOST_EXACT:
        return _normal(most, mean=most / 2, variance=most * (2 * n + 1) / 12)
    ways = np.zeros(most + 1)
    ways[0] = 1.0
    for rank in range(1, n + 1):  # each rank is in the sum or not
        ways[rank:] += ways[:-rank].copy()
    return _distribution(ways)


@cache
def _rank_sums(fewer: int, more: int) -> tuple[float, ...]:
    """Return the distribution function of Mann and Whitney's count of two groups."""
    most = fewer * more
    if more > MOST_EXACT:
        return _normal(most, mean=most / 2, variance=most * (fewer + more + 1) / 12)
    # ways[chosen, count]: of the values so far, in rising order, `chosen` are of the smaller group, each of
    # which has as many of the larger before it as were not chosen.
    ways = np.zeros((fewer + 1, most + 1))
    ways[0, 0] = 1.0
    for seen in range(fewer + more):
        for chosen in range(min(seen, fewer - 1), -1, -1):
            if (before := seen - chosen) <= more:
                ways[chosen + 1, before:] += ways[chosen, : most + 1 - before]
    return _distribution(ways[fewer])


def _distribution(ways: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple((np.cumsum(ways) / ways.sum()).tolist())


def _normal(most: int, *, mean: float, variance: float) -> tuple[float, ...]:
    sd = math.sqrt(variance)
    return tuple(0.5 * math.erfc((mean - count - 0.5) / sd / math.sqrt(2)) for count in range(most + 1))
