"""Verdicts on pairs of configurations: how they differ, and whether by more than a margin."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sloproof.analysis.comparison import evidence, measured
from sloproof.analysis.comparison.holm import holm
from sloproof.analysis.comparison.outcome import Comparison, Design, Effect, Kind, Margin, Metric, Relation
from sloproof.analysis.intervals import CONFIDENCE_RATIO

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sloproof.analysis.comparison.evidence import Evidence
    from sloproof.analysis.comparison.measured import Objective, Trial

ALPHA = 1 - CONFIDENCE_RATIO


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two configurations to compare, with all trials of each."""

    baseline: str
    current: str
    before: Sequence[Trial]
    after: Sequence[Trial]


def compare(
    pairs: Sequence[Pair], objectives: Sequence[Objective], *, design: Design, margin: Margin
) -> Iterator[Comparison]:
    """Yield how every pair compares in every metric; the pairs of one metric are a family for Holm."""
    trials = [trial for pair in pairs for trial in (*pair.before, *pair.after)]
    budgets = {each.name: 1 - float(each.target) for each in objectives if each.target is not None}
    for metric in measured.metrics(objectives, trials):
        match metric.kind:
            case Kind.LATENCY:
                allowed = margin.latency_ratio
                yield from judge(metric, _latencies(metric, pairs, design), design=design, margin=allowed)
            case Kind.ERRORS:
                allowed = margin.budget_ratio * budgets[metric.about]
                yield from judge(metric, _errors(metric, pairs, design), design=design, margin=allowed)
            case Kind.INTEGRITY:
                yield from (_integrity(metric, pair, design) for pair in pairs)


def _latencies(metric: Metric, pairs: Sequence[Pair], design: Design) -> dict[tuple[str, str], Evidence]:
    return {
        (pair.baseline, pair.current): evidence.of_latencies(
            measured.latencies_s(metric, pair.before),
            measured.latencies_s(metric, pair.after),
            design=design,
        )
        for pair in pairs
    }


def _errors(metric: Metric, pairs: Sequence[Pair], design: Design) -> dict[tuple[str, str], Evidence]:
    return {
        (pair.baseline, pair.current): evidence.of_errors(
            measured.counts(metric, pair.before), measured.counts(metric, pair.after), design=design
        )
        for pair in pairs
    }


def judge(
    metric: Metric, family: Mapping[tuple[str, str], Evidence], *, design: Design, margin: float
) -> Iterator[Comparison]:
    """Yield the verdict on each pair of a family in one metric, by its interval at its step of Holm's.

    Worse only where the whole interval lies beyond the margin, better likewise; equivalent only where all of
    it lies within: two one-sided tests, each at half the interval's alpha.
    Source: Schuirmann, "A Comparison of the Two One-Sided Tests Procedure and the Power Approach" (1987).
    """
    p_values = {pair: each.p_value for pair, each in family.items()}
    tested = {pair: p_value for pair, p_value in p_values.items() if p_value is not None}
    steps = dict(zip(tested, holm([*tested.values()], alpha=ALPHA), strict=True))
    for pair, found in family.items():
        step = steps.get(pair)
        effect = None if step is None else _effect(found, alpha=step.alpha)
        relation = _relation(metric.kind, effect, margin)
        yield Comparison(
            baseline=pair[0],
            current=pair[1],
            metric=metric,
            design=design,
            trials=found.trials,
            effect=effect,
            robust=_effect(found.by_ranks(), alpha=ALPHA),
            p_value=p_values[pair],
            p_holm=None if step is None else step.p_adjusted,
            family=len(tested),
            margin=margin,
            relation=relation,
            reason=_reason(found, effect, relation, pairs=len(tested)),
        )


def _reason(found: Evidence, effect: Effect | None, relation: Relation, *, pairs: int) -> str:
    if effect is None and found.shift is not None:
        return f"{found.reason}; {found.trials} trials are too few for ranks to decide among {pairs} pairs"
    if relation is Relation.INCONCLUSIVE and found.without_bad_events:
        return "no event was bad, and they are too few to show so small a difference"
    return found.reason


def _effect(found: Evidence, *, alpha: float) -> Effect | None:
    if (bounds := found.interval(alpha)) is None:
        return None
    estimate, low, high = map(math.exp, bounds) if found.logarithmic else bounds
    return Effect(estimate=estimate, low=low, high=high, confidence_ratio=1 - alpha)


def _relation(kind: Kind, effect: Effect | None, margin: float) -> Relation:
    """Return where an interval lies; a ratio's margin is as wide seen from either side."""
    if effect is None:
        return Relation.INCONCLUSIVE
    ratio = kind is Kind.LATENCY
    least, most = (1 / (1 + margin), 1 + margin) if ratio else (-margin, margin)
    if effect.low > most:
        return Relation.SLOWER if ratio else Relation.WORSE
    if effect.high < least:
        return Relation.FASTER if ratio else Relation.BETTER
    return Relation.EQUIVALENT if least <= effect.low <= effect.high <= most else Relation.INCONCLUSIVE


def _integrity(metric: Metric, pair: Pair, design: Design) -> Comparison:
    """Compare integrity, of which a single breach is one too many: there is nothing to estimate."""
    broken = [sum(bool(trial.integrity.violations) for trial in side) for side in (pair.before, pair.after)]
    match [bool(count) for count in broken]:
        case [False, True]:
            relation = Relation.WORSE
        case [True, False]:
            relation = Relation.BETTER
        case [False, False]:
            relation = Relation.EQUIVALENT
        case _:
            relation = Relation.INCONCLUSIVE
    if not (pair.before and pair.after):
        relation = Relation.INCONCLUSIVE
    before, after = (f"{n} of {len(side)}" for n, side in zip(broken, (pair.before, pair.after), strict=True))
    return Comparison(
        baseline=pair.baseline,
        current=pair.current,
        metric=metric,
        design=design,
        trials=min(len(pair.before), len(pair.after)),
        effect=None,
        robust=None,
        p_value=None,
        p_holm=None,
        family=0,
        margin=0.0,
        relation=relation,
        reason=f"violated in {after} trials, against {before}",
    )
