"""What a trial at one rate says of each objective, as a distance from its limit; it opens no file."""

from __future__ import annotations

import math
from collections.abc import Mapping  # noqa: TC003 - resolved when results are read back
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from decimal import Decimal

    from numpy.typing import NDArray

    from sloproof.analysis.counts import Counts

STABILITY = "a bounded backlog"
"""Asked of every configuration: what no objective can be called, for its blanks."""
PARTS = 4
LEAST_SHARE = 0.03
LEAST_BACKLOG = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """A trial at one rate.

    ``seconds`` is all that it took. ``margins`` are by objective, as `latency_margin` and `count_margin`
    return them: met at 0 and below, missed above. A trial whose measurement was not sound says nothing of
    the subject, whatever its margins are.
    """

    rate_per_s: float
    seconds: float
    valid: bool
    margins: Mapping[str, float]

    @property
    def worst(self) -> float:
        """The margin of the objective that is the nearest to its limit, or the furthest beyond."""
        return max(self.margins.values())

    @property
    def met(self) -> bool:
        """Whether every objective was met."""
        return self.worst <= 0


def latency_margin(latency_s: NDArray[np.float64], *, target: Decimal, threshold_s: Decimal) -> float | None:
    """Return the logarithm of the latency at the target's rank over the threshold; ``None`` without events.

    It is at most 0 if and only if the share of events within the threshold is at least the target: both go by
    the nearest rank. +inf: more events than the budget holds had no good end, which is latency +inf here.

    >>> from decimal import Decimal
    >>> latency_margin(np.arange(1.0, 101.0), target=Decimal("0.99"), threshold_s=Decimal(99))
    0.0
    """
    if not len(latency_s):
        return None
    rank = math.ceil(len(latency_s) * Fraction(target))
    at_target_s = float(np.partition(latency_s, rank - 1)[rank - 1])
    if at_target_s == float(threshold_s):
        return 0.0
    return math.log(at_target_s / float(threshold_s)) if at_target_s > 0 else -math.inf


def count_margin(counts: Counts, *, target: Decimal) -> float | None:
    """Return the logarithm of the bad events over those that the budget allows; ``None`` without events.

    Half an event is added to both, so that no bad event at all is a number too, and the more certain the more
    events there were; the sign is the SLI's own: at most 0 if and only if the target is met.
    Source: the empirical logit, Cox, Analysis of Binary Data (1970), section 3.2.

    >>> from decimal import Decimal
    >>> from sloproof.analysis.counts import Counts
    >>> count_margin(Counts(good=999, total=1000), target=Decimal("0.999"))
    0.0
    """
    if not counts.total:
        return None
    allowed = float((1 - Fraction(target)) * counts.total)
    return math.log((counts.bad + 0.5) / (allowed + 0.5))


def stability_margin(intended_s: NDArray[np.float64], end_s: NDArray[np.float64]) -> float:
    """Return +inf where the requests under way grew in number through the whole of a load phase, else -inf.

    A rate that is too high shows itself so before any latency has had the time to. Of four equal parts of
    the phase each must add at least half an even share to the backlog, which ends at no less than 3 % of all
    requests, and 10. `end_s` is NaN for what was never answered.
    """
    began_s, over_s = float(intended_s.min()), float(intended_s.max())
    moments_s = np.linspace(began_s, over_s, PARTS + 1)[1:]
    started = np.searchsorted(np.sort(intended_s), moments_s, side="right")
    ended = np.searchsorted(np.sort(np.where(np.isnan(end_s), np.inf, end_s)), moments_s, side="right")
    backlog = started - ended
    added = np.diff(backlog, prepend=0)
    grows = bool((added >= backlog[-1] / PARTS / 2).all())
    return (
        math.inf if grows and backlog[-1] >= max(LEAST_BACKLOG, LEAST_SHARE * len(intended_s)) else -math.inf
    )
