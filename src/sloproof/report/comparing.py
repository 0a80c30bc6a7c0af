"""Comparisons in words: a plain sentence each, and those that matter first; it knows no markup."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sloproof.analysis.comparison.outcome import IMPROVEMENTS, REGRESSIONS, Design, Kind, Relation
from sloproof.report.text import percent, points, times

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sloproof.analysis.comparison.outcome import Comparison, Effect

BASELINE = "the baseline"
NOTHING = "–"


def sentence(comparison: Comparison) -> str:
    """Return what a comparison says, such as: b submit p99 is 1.60× a, 95 % interval 1.30–2.00: slower."""
    effect, metric, current = comparison.effect, comparison.metric, comparison.current
    baseline = baseline_of(comparison)
    if effect is None:
        of_both = f"{current} {metric.name} beside {baseline}"
        return f"{of_both}: {comparison.relation}, {comparison.reason}"
    within = f"{confidence(effect)} interval {interval(comparison)}"
    said = f"{within}: {comparison.relation}{f' ({comparison.reason})' if comparison.reason else ''}"
    if metric.kind is Kind.LATENCY:
        return f"{current} {metric.name} is {times(effect.estimate)}× {baseline}, {said}"
    return f"{current} has {points(effect.estimate)} points of {metric.name} beside {baseline}, {said}"


def baseline_of(comparison: Comparison) -> str:
    """Return what the second is compared with: another configuration, or itself in another run."""
    return BASELINE if comparison.design is Design.RUNS else comparison.baseline


def pair(comparison: Comparison) -> str:
    """Return what is compared with what."""
    if comparison.design is Design.RUNS:
        return comparison.current
    return f"{comparison.current} / {comparison.baseline}"


def estimate(comparison: Comparison) -> str:
    """Return a ratio as a factor, a difference in percentage points."""
    if (effect := comparison.effect) is None:
        return NOTHING
    if comparison.metric.kind is Kind.LATENCY:
        return f"{times(effect.estimate)}×"
    return f"{points(effect.estimate)} points"


def interval(comparison: Comparison) -> str:
    """Return the ends of the interval in the unit of its estimate."""
    return _ends(comparison.metric.kind, comparison.effect)


def confidence(effect: Effect) -> str:
    """Return the confidence of an interval.

    >>> from sloproof.analysis.comparison.outcome import Effect
    >>> [confidence(Effect(estimate=1, low=1, high=1, confidence_ratio=ratio)) for ratio in (0.95, 0.99167)]
    ['95 %', '99.16 %']
    """
    return percent(effect.confidence_ratio).replace(".0 %", " %")


def robust(comparison: Comparison) -> str:
    """Return the ends of the interval by ranks."""
    return _ends(comparison.metric.kind, comparison.robust)


def _ends(kind: Kind, effect: Effect | None) -> str:
    if effect is None:
        return NOTHING
    if kind is Kind.LATENCY:
        return f"{times(effect.low)}–{times(effect.high)}"
    return f"{points(effect.low)} to {points(effect.high)}"


def notable(comparisons: Iterable[Comparison]) -> list[Comparison]:
    """Return those that found a difference: broken integrity first, then tails, then the rest."""
    found = [each for each in comparisons if each.relation in REGRESSIONS | IMPROVEMENTS]
    return sorted(found, key=_weight)


def tally(comparisons: Sequence[Comparison]) -> str:
    """Return how many comparisons ended how."""
    counts = Counter(each.relation for each in comparisons)
    return ", ".join(f"{counts[each]} {each}" for each in Relation if counts[each])


def _weight(comparison: Comparison) -> tuple[int, float, float]:
    """Return the place of a comparison among the notable ones: by kind, from the top percentile, by size."""
    kinds = (Kind.INTEGRITY, Kind.LATENCY, Kind.ERRORS)
    effect = comparison.effect
    size = 0.0 if effect is None else abs(effect.estimate)
    if comparison.metric.kind is Kind.LATENCY and size:
        size = max(size, 1 / size)  # half is as far from the same as twice
    return kinds.index(comparison.metric.kind), -(comparison.metric.q or 0), -size
