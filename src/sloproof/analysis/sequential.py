"""Looking at an experiment several times without promising more than once; it knows no objective.

The number of trials that meet a target is binomial; where the typical trial lies exactly on the target, with
p = 1/2. Who stops as soon as a verdict is there has several chances to be wrong. So the looks, and how much
of the chance of error may be spent by each, are fixed before the first trial: a group-sequential sign test.
Source: Armitage, "Sequential Medical Trials" (1975); Lan and DeMets, "Discrete sequential boundaries for
clinical trials" (1983); for the intervals Jennison and Turnbull, "Interim analyses: the repeated confidence
interval approach" (1989).
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING

from sloproof.analysis.intervals import Interval

if TYPE_CHECKING:
    from collections.abc import Sequence

ERROR_RATIO = Fraction(1, 40)
"""The chance to err on either side, so that both sides together leave 95 %."""
MOST_LOOKS = 5
"""More of them buy little: each costs trials at the end."""


@dataclass(frozen=True, slots=True)
class Boundary:
    """What decides at a look: fewer than `rank` trials on one side of the target; 0 cannot decide.

    `error_ratio` is the chance, up to and with this look, to err on one given side.
    """

    rank: int
    error_ratio: Fraction


def looks(first: int, most: int) -> tuple[int, ...]:
    """Return after how many blocks to look: at most five times, evenly from `first` to `most`.

    The first look is put off to where trials that are all alike can decide.

    >>> looks(6, 30), looks(8, 30), looks(6, 6)
    ((7, 13, 19, 24, 30), (8, 14, 19, 25, 30), (6,))
    """
    able = next((n for n in range(first, most) if Fraction(1, 2**n) <= spent_ratio(Fraction(n, most))), most)
    count = min(MOST_LOOKS, most - able + 1)
    step = Fraction(most - able, max(1, count - 1))
    return tuple(dict.fromkeys(math.floor(able + each * step + Fraction(1, 2)) for each in range(count)))


def spent_ratio(share: Fraction) -> Fraction:
    """Return how much of the chance of error may be spent when this share of all blocks has run.

    Source: Lan and DeMets (1983), the function that resembles Pocock's boundaries, which decide early.

    >>> [float(round(spent_ratio(Fraction(each, 4)), 4)) for each in range(5)]
    [0.0, 0.0089, 0.0155, 0.0207, 0.025]
    """
    if share >= 1:
        return ERROR_RATIO
    return ERROR_RATIO * Fraction(math.log1p((math.e - 1) * float(share)))


@cache
def boundaries(sizes: tuple[int, ...], planned: tuple[int, ...]) -> tuple[Boundary, ...]:
    """Return what decides at each look so far, at which an objective had so many trials.

    `planned` are all looks, in blocks. A trial that was invalid is in no size, so sizes may fall behind the
    blocks: what a look may spend depends on its block alone, and is spent exactly, by counting the orders
    of outcomes that reach it.

    >>> [each.rank for each in boundaries((7, 13, 18, 24, 30), (7, 13, 18, 24, 30))]
    [1, 2, 4, 7, 9]
    >>> boundaries((10,), (10,))
    (Boundary(rank=2, error_ratio=Fraction(11, 1024)),)
    """
    orders = [1]  # of n outcomes, by how many of them are on one side, that have not crossed yet
    spent, found = Fraction(0), []
    for size, block in zip(sizes, planned[: len(sizes)], strict=True):
        while len(orders) <= size:
            orders = [some + one for some, one in zip([*orders, 0], [0, *orders], strict=True)]
        may_spend, rank = spent_ratio(Fraction(block, planned[-1])), 0
        while rank <= size // 2 and spent + Fraction(orders[rank], 2**size) <= may_spend:
            spent += Fraction(orders[rank], 2**size)
            orders[rank] = 0
            rank += 1
        found.append(Boundary(rank=rank, error_ratio=spent))
    return tuple(found)


def interval_at(values: Sequence[float], boundary: Boundary) -> Interval | None:
    """Return the interval for the median that belongs to a look; ``None`` where it cannot decide.

    All intervals up to and with this look hold the median together with the confidence stated, and a verdict
    of the boundary is one of the interval: all of it lies on one side of the target.
    """
    if not 0 < boundary.rank <= len(values) // 2:
        return None
    ordered = sorted(values)
    return Interval(
        low=ordered[boundary.rank - 1],
        median=statistics.median(ordered),
        high=ordered[-boundary.rank],
        confidence_ratio=float(1 - 2 * boundary.error_ratio),
    )
