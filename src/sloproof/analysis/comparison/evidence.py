"""What the trials of two configurations tell of their difference in one metric; it gives no verdict."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from sloproof.analysis.comparison import means, ranks
from sloproof.analysis.comparison.outcome import Design
from sloproof.analysis.intervals import MIN_TRIALS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sloproof.analysis.comparison.means import MeanDifference
    from sloproof.analysis.comparison.ranks import Shift
    from sloproof.analysis.counts import Counts


Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The difference by means, and by ranks; of logarithms where `logarithmic`.

    Events are counted, so a difference of shares is never known better than `unseen` allows: how many events
    of the baseline, and of the current side, might have had none bad by chance. `trials` and `reason` as in
    a comparison.
    """

    trials: int
    mean: MeanDifference | None = None
    shift: Shift | None = None
    logarithmic: bool = False
    unseen: tuple[int, int] | None = None
    reason: str = ""

    @property
    def p_value(self) -> float | None:
        """The probability of so much of a difference, were there none; ``None`` where nothing can be said."""
        if self.mean is None:
            return None if self.shift is None else self.shift.p_value
        if self.unseen is None or not self.mean.value:
            return self.mean.p_value
        events = self.unseen[0] if self.mean.value > 0 else self.unseen[1]
        chance = 2 * (1 - min(1.0, abs(self.mean.value))) ** events
        return min(1.0, max(self.mean.p_value, chance))

    @property
    def without_bad_events(self) -> bool:
        """Whether events were counted, and not one of them was bad."""
        return self.unseen is not None and self.mean is not None and not (self.mean.value or self.mean.error)

    def interval(self, alpha: float) -> tuple[float, float, float] | None:
        """Return the estimate and what holds the true difference with probability 1 - alpha."""
        if self.mean is None:
            if self.shift is None or (bounds := self.shift.interval(alpha)) is None:
                return None
            return self.shift.value, *bounds
        low, high = self.mean.interval(alpha)
        if self.unseen is not None:
            below, above = (_unseen_share(events, alpha) for events in self.unseen)
            low, high = min(low, self.mean.value - below), max(high, self.mean.value + above)
        return self.mean.value, low, high

    def by_ranks(self) -> Evidence:
        """Return the same difference by ranks alone."""
        return replace(self, mean=None)


def of_latencies(baseline: Mapping[int, float], current: Mapping[int, float], *, design: Design) -> Evidence:
    """Return what a percentile of each trial, by block and in seconds, tells of the ratio of the two.

    A percentile is infinite where more requests than it leaves out were never answered. It has no logarithm
    to take a mean of, but it has a rank: the comparison is by ranks then, and by nothing where both sides
    have such trials, since how much slower one never is than another never nobody knows.
    """
    before, after = _matched(baseline, current, design)
    trials = min(len(before), len(after))
    if trials < MIN_TRIALS:
        return Evidence(trials=trials, reason=_too_few(trials, design))
    if any(value <= 0 for value in (*before, *after)):
        return Evidence(trials=trials, reason="a latency of 0 has no ratio to another")
    endless = [sum(map(math.isinf, side)) for side in (before, after)]
    if all(endless):
        reason = "both have trials with a percentile that was never answered: they have no ratio"
        return Evidence(trials=trials, reason=reason)
    log_before, log_after = ([math.log(value) for value in side] for side in (before, after))
    return Evidence(
        trials=trials,
        mean=None if any(endless) else _mean(log_before, log_after, design),
        shift=_shift(log_before, log_after, design),
        logarithmic=True,
        reason=f"by ranks alone: never answered in {max(endless)} trials" if any(endless) else "",
    )


def of_errors(baseline: Mapping[int, Counts], current: Mapping[int, Counts], *, design: Design) -> Evidence:
    """Return what the counts of each trial, by block, tell of the difference of their shares of bad events.

    A difference and not a ratio: most trials have no bad event, and a ratio to 0 is nothing, while any number
    added to make it something would decide the result. Where few events are bad, t takes their rarity for
    certainty: no interval is narrower than that of no bad event at all (`_unseen_share`).
    """
    before, after = _matched(
        {block: each for block, each in baseline.items() if each.total},
        {block: each for block, each in current.items() if each.total},
        design,
    )
    trials = min(len(before), len(after))
    if trials < MIN_TRIALS:
        return Evidence(trials=trials, reason=_too_few(trials, design))
    bad_before, bad_after = ([each.bad / each.total for each in side] for side in (before, after))
    return Evidence(
        trials=trials,
        mean=_mean(bad_before, bad_after, design),
        shift=_shift(bad_before, bad_after, design),
        unseen=(sum(each.total for each in before), sum(each.total for each in after)),
    )


def _unseen_share(events: int, alpha: float) -> float:
    """Return the greatest share of bad events of which `events` have none with probability alpha/2.

    That is if they were independent of each other; as they are not, it is the least that is not known.
    Source: Clopper and Pearson, "The Use of Confidence or Fiducial Limits Illustrated in the Case of the
    Binomial" (1934): the exact upper limit without an event.
    """
    return -math.expm1(math.log(alpha / 2) / events)


def _matched(
    baseline: Mapping[int, Value], current: Mapping[int, Value], design: Design
) -> tuple[list[Value], list[Value]]:
    """Return the values of both sides, those of a block side by side where the blocks are the same."""
    if design is Design.RUNS:
        return [*baseline.values()], [*current.values()]
    blocks = sorted(baseline.keys() & current.keys())
    return [baseline[block] for block in blocks], [current[block] for block in blocks]


def _mean(before: Sequence[float], after: Sequence[float], design: Design) -> MeanDifference:
    if design is Design.RUNS:
        return means.independent(before, after)
    return means.paired([b - a for a, b in zip(before, after, strict=True)])


def _shift(before: Sequence[float], after: Sequence[float], design: Design) -> Shift:
    if design is Design.RUNS:
        return ranks.independent(before, after)
    return ranks.paired([b - a for a, b in zip(before, after, strict=True)])


def _too_few(trials: int, design: Design) -> str:
    if design is Design.RUNS:
        return f"one side has {trials} valid trials, an interval takes {MIN_TRIALS} of each"
    return f"{trials} block{'' if trials == 1 else 's'} hold both, an interval takes {MIN_TRIALS}"
