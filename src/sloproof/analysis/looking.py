"""Verdicts of a run that is looked at several times, each kept from the look that first gave it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from sloproof.analysis.foresight import chance_of_verdict, more_trials
from sloproof.analysis.sequential import boundaries, interval_at
from sloproof.analysis.verdicts import Judgement, Verdict, floor_events, judge

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from sloproof.analysis.counts import Counts
    from sloproof.analysis.intervals import Interval
    from sloproof.analysis.sequential import Boundary

WORTH_GOING_ON_RATIO = 0.2
"""With less chance than this to decide by the last block, further ones would be spent for nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looking:
    """After how many blocks a run is looked at, and how many of them are done."""

    planned: tuple[int, ...]
    done: int

    @property
    def reached(self) -> tuple[int, ...]:
        """The looks that have been taken."""
        return tuple(block for block in self.planned if block <= self.done)

    def boundaries(self, blocks: Sequence[int]) -> tuple[Boundary, ...]:
        """Return what decides at each look taken, for trials that ran in these blocks."""
        sizes = tuple(sum(block <= look for block in blocks) for look in self.reached)
        return boundaries(sizes, self.planned)

    def interval(self, values: Sequence[tuple[int, float]]) -> Interval | None:
        """Return the interval for the median of values, each with its block, at the last look taken."""
        if not (reached := self.reached):
            return None
        *_, boundary = self.boundaries([block for block, _ in values])
        return interval_at([value for block, value in values if block <= reached[-1]], boundary)


def judge_looked(target: Decimal, trials: Sequence[tuple[int, Counts]], looking: Looking) -> Judgement:
    """Return whether the typical trial meets a target, from the counts of valid trials, each with its block.

    As `judge`, but by the boundaries of the looks: the first that decides is final, and the interval is that
    of its moment. What ran since the last look waits for the next.
    """
    seen = [(block, trial) for block, trial in trials if trial.total]
    judgement = judge(target, [trial for _, trial in trials])
    corrected = f"of at most {looking.planned[-1]} blocks, corrected for {len(looking.planned)} looks"
    interval = None
    for look, boundary in zip(looking.reached, looking.boundaries([block for block, _ in seen]), strict=True):
        then = [trial for block, trial in seen if block <= look]
        verdict, share = _at_look(target, then, boundary)
        interval = interval_at([trial.good / trial.total for trial in then], boundary)
        if verdict is not Verdict.INCONCLUSIVE:
            reason = f"{share}; decided after {look} {corrected}"
            return replace(judgement, verdict=verdict, interval=interval, reason=reason, more_trials=None)
    meets = _meets(target, [trial for _, trial in seen])
    more = more_trials(meets=meets, misses=len(seen) - meets) if seen else None
    return replace(
        judgement,
        verdict=Verdict.INCONCLUSIVE,
        interval=interval,
        reason=f"{_undecided(target, seen, looking)} {corrected}{_outlook(more)}",
        more_trials=more,
    )


def worth_going_on(target: Decimal, trials: Sequence[tuple[int, Counts]], looking: Looking) -> bool:
    """Return whether an objective is undecided, and further blocks may well decide it.

    That no trial saw an event says that none will; and where even all events to come would be too few to show
    the target, a service that meets it stays undecided.
    """
    seen = [(block, trial) for block, trial in trials if trial.total]
    if not seen or judge_looked(target, trials, looking).verdict is not Verdict.INCONCLUSIVE:
        return False
    left = looking.planned[-1] - looking.done
    sizes = [block for block, _ in seen] + [looking.planned[-1]] * left
    *_, last = replace(looking, done=looking.planned[-1]).boundaries(sizes)
    meets = _meets(target, [trial for _, trial in seen])
    events = sum(trial.total for _, trial in seen) * Fraction(looking.planned[-1], looking.done)
    if events < floor_events(target) and 2 * meets >= len(seen):
        return False
    chance = chance_of_verdict(meets, len(seen) - meets, left, rank=last.rank)
    return left > 0 and chance >= WORTH_GOING_ON_RATIO


def _at_look(target: Decimal, trials: Sequence[Counts], boundary: Boundary) -> tuple[Verdict, str]:
    meets, events = _meets(target, trials), sum(trial.total for trial in trials)
    share = f"{meets} of {len(trials)} trials met {_percent(target)}"
    if meets < boundary.rank:
        return Verdict.VIOLATED, f"{share}: the whole interval misses it"
    if len(trials) - meets < boundary.rank and events >= floor_events(target):
        return Verdict.MET, f"{share}: the whole interval meets it"
    return Verdict.INCONCLUSIVE, share


def _undecided(target: Decimal, seen: Sequence[tuple[int, Counts]], looking: Looking) -> str:
    meets = _meets(target, [trial for _, trial in seen])
    share = f"{meets} of {len(seen)} trials met {_percent(target)}" if seen else "no trial saw an event"
    if not (reached := looking.reached):
        return f"{share}; the first look is after {looking.planned[0]}"
    return f"{share}: undecided after {reached[-1]}"


def _outlook(more: int | None) -> str:
    return "" if more is None else f"; about {more} further trials would probably decide"


def _meets(target: Decimal, trials: Sequence[Counts]) -> int:
    return sum(Fraction(trial.good, trial.total) >= Fraction(target) for trial in trials)


def _percent(target: Decimal) -> str:
    return f"{(target * 100).normalize():f} %"
