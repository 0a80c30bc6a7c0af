"""Whether trials show that an objective is met, violated, or neither; it knows no metric and no report."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING

from sloproof.analysis.counts import Counts
from sloproof.analysis.estimates import pooled
from sloproof.analysis.foresight import MAX_MORE_TRIALS, more_trials
from sloproof.analysis.intervals import CONFIDENCE_RATIO, MIN_TRIALS, Interval, lower_rank, median_interval

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from sloproof.analysis.estimates import Estimate


# Counters that are extrapolated by one factor differ from exact ones by rounding only.
ROUNDING = 1e-9


class Verdict(StrEnum):
    """What the measurements say about an objective."""

    MET = "MET"
    VIOLATED = "VIOLATED"
    INCONCLUSIVE = "INCONCLUSIVE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A verdict with what it rests on.

    `interval` is that of the typical trial's SLI, as ratios, and ``None`` below 6 trials. `total` are the
    events of all trials together. `more_trials` would probably decide; it is ``None`` where nothing is left
    to decide, and where more than 200 would be needed: `reason` says which, in a sentence.
    """

    verdict: Verdict
    interval: Interval | None
    total: Counts
    reason: str
    more_trials: int | None = None


def judge(target: Decimal, trials: Sequence[Counts]) -> Judgement:
    """Return whether the typical trial meets a target, from the counts of the valid trials.

    MET needs the whole interval at or above the target, VIOLATED the whole of it below; compared as exact
    fractions. A trial without an event is no evidence. Fewer events than could show the target even if all
    were good are never MET; they may be VIOLATED, since few events suffice to see that most trials miss: at a
    service exactly on target the chance of that is below 0.5 %.
    """
    seen = [trial for trial in trials if trial.total]
    total = sum(seen, start=Counts(good=0, total=0))
    meets = sum(Fraction(trial.good, trial.total) >= Fraction(target) for trial in seen)
    slis = [trial.good / trial.total for trial in seen]
    return _judged(target, slis, meets=meets, total=total, events=total.total)


def judge_estimates(target: Decimal, trials: Sequence[Estimate]) -> Judgement:
    """Return whether the typical trial meets a target, from what a Prometheus says of the valid trials.

    As `judge`, but a SLI meets the target where it falls short by rounding alone. Where a ratio comes without
    counts nobody knows how many events it rests on: the reason says so; the verdict rests on trials alone.
    `total` are the counts rounded, none where they are not known.
    """
    seen = [(trial, trial.ratio) for trial in trials if trial.ratio is not None]
    slis = [ratio for _, ratio in seen]
    meets = sum(ratio >= float(target) - ROUNDING for ratio in slis)
    together = pooled(trial for trial, _ in seen)
    if together is None or together.good is None or together.total is None:
        return _judged(target, slis, meets=meets, total=Counts(good=0, total=0), events=None)
    events = round(together.total)
    total = Counts(good=min(round(together.good), events), total=events)
    return _judged(target, slis, meets=meets, total=total, events=events)


def _judged(
    target: Decimal, slis: Sequence[float], *, meets: int, total: Counts, events: int | None
) -> Judgement:
    verdict, reason = _decide(target, meets=meets, trials=len(slis), events=events)
    more = None
    if verdict is Verdict.INCONCLUSIVE:
        more = _more_trials(target, meets=meets, trials=len(slis), events=events)
        reason += f"; {_outlook(more)}"
    return Judgement(
        verdict=verdict, interval=median_interval(slis), total=total, reason=reason, more_trials=more
    )


def judge_integrity(violations: Sequence[Sequence[str]]) -> Judgement:
    """Return whether the subject kept its integrity in every trial, from each trial's violations in words.

    Valid or not, every trial counts: a generator that was late excuses no lost job. One violation is enough,
    and no number of clean trials outweighs it. `total` counts trials.
    """
    total = Counts(good=sum(not broken for broken in violations), total=len(violations))
    if not violations:
        verdict, reason = Verdict.INCONCLUSIVE, f"no trial has ended; {_outlook(1)}"
    elif total.bad:
        first = next(broken[0] for broken in violations if broken)
        share = f"{total.bad} of {_trials(total.total)}"
        verdict, reason = Verdict.VIOLATED, f"violated in {share}, first: {first}"
    else:
        verdict, reason = Verdict.MET, f"kept in {total.good} of {_trials(total.total)}"
    return Judgement(
        verdict=verdict, interval=None, total=total, reason=reason, more_trials=None if violations else 1
    )


def floor_events(target: Decimal) -> int:
    """Return the least number of events that could show a target, were all of them good.

    It is the smallest n with target^n <= 5 %: at a service just below the target, n good events in a row
    would be that improbable. Source: Clopper and Pearson, "The Use of Confidence or Fiducial Limits
    Illustrated in the Case of the Binomial" (1934): the exact lower limit without a bad event.

    >>> from decimal import Decimal
    >>> floor_events(Decimal("0.99")), floor_events(Decimal("0.999"))
    (299, 2995)
    """
    return math.ceil(math.log(1 - CONFIDENCE_RATIO) / math.log1p(-float(1 - target)))


def _decide(target: Decimal, *, meets: int, trials: int, events: int | None) -> tuple[Verdict, str]:
    share = f"{meets} of {_trials(trials)} met {_percent(target)}"
    if trials and events is None:
        share += " (how many events each saw is not known)"
    if (rank := lower_rank(trials)) is None:
        seen = f"{_trials(trials)} saw events" if trials else "no trial saw an event"
        return Verdict.INCONCLUSIVE, f"{seen}, an interval takes {MIN_TRIALS}"
    if meets < rank:
        return Verdict.VIOLATED, f"{share}: the whole interval misses it"
    if events is not None and events < (floor := floor_events(target)):
        few = f"{events:,} events cannot show {_percent(target)} even with none bad"
        return Verdict.INCONCLUSIVE, f"{share}, but {few}: it takes {floor:,}"
    if trials - meets < rank:
        return Verdict.MET, f"{share}: the whole interval meets it"
    return Verdict.INCONCLUSIVE, f"{share}: the interval holds values on both sides of it"


def _more_trials(target: Decimal, *, meets: int, trials: int, events: int | None) -> int | None:
    if not trials:
        return MIN_TRIALS  # nothing to foresee from: the least that can decide
    for_floor = math.ceil(Fraction(floor_events(target) * trials, events)) - trials if events else 0
    return more_trials(meets=meets, misses=trials - meets, at_least=for_floor)


def _outlook(more: int | None) -> str:
    if more is None:
        return f"more than {MAX_MORE_TRIALS} further trials would be needed to decide"
    return f"{more} further trial{'' if more == 1 else 's'} would probably decide"


def _trials(n: int) -> str:
    return f"{n} trial{'' if n == 1 else 's'}"


def _percent(target: Decimal) -> str:
    return f"{(target * 100).normalize():f} %"
