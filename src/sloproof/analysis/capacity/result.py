"""The capacity of a configuration as results hold it and reports show it; it computes nothing but words."""

from __future__ import annotations

import math
from collections.abc import Mapping  # noqa: TC003 - resolved when results are read back
from dataclasses import dataclass
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING

from sloproof.analysis.capacity.fit import CONFIDENCE_RATIO
from sloproof.analysis.capacity.limits import Limit, Limiter
from sloproof.analysis.capacity.search import Ending, Step
from sloproof.analysis.verdicts import Verdict  # noqa: TC001 - resolved when results are read back

if TYPE_CHECKING:
    from sloproof.analysis.capacity.conclusion import Conclusion
    from sloproof.analysis.capacity.search import Finding

CAPACITY = "capacity at SLO"
"""The objective under which all that reads verdicts finds it; for its blanks, none in a file is called so."""
CONFIDENT = f"{CONFIDENCE_RATIO * 100:.3g} % one-sided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What was asked of a search: rates per second, and the time for all configurations together."""

    from_per_s: float
    to_per_s: float
    at_least_per_s: float | None
    budget_s: float
    trials: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One trial on the curve of a configuration.

    ``met``: all objectives were; ``None`` for a trial that was not valid. ``latencies_s`` are, by endpoint or
    event, its p50 and p99, each ``None`` where the trial holds too few requests for it. ``at_target_s`` is
    the latency at the rank that the objective's target names, whatever the number of requests: where it is
    above the threshold the objective is missed; ``None``: never answered. ``subject_cpu`` is a number of
    processors.
    """

    trial: str
    rate_per_s: float
    step: Step
    valid: bool
    met: bool | None
    latencies_s: Mapping[str, tuple[float | None, float | None]]
    at_target_s: Mapping[str, float | None]
    subject_cpu: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """The latency of an endpoint or event over the rate, and the line that was fitted to one objective.

    The fitted latency is ``threshold_s / (1 + intercept + slope_s · rate_per_s)``; ``None`` where no line was
    fitted. ``knee_per_s`` is where the latency at the target begins to rise: a mark in the chart.
    """

    endpoint: str
    objective: str | None
    threshold_s: float | None
    intercept: float | None
    slope_s: float | None
    knee_per_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """The highest rate at which a configuration meets all objectives.

    It is at least, and at most, so many requests per second, each with ``confidence_ratio``; what could not
    be shown is ``None``. ``trials`` are those that this rests on, ``seconds`` all that the search took.
    """

    configuration: str
    verdict: Verdict
    sentence: str
    ending: Ending
    confidence_ratio: float
    at_least_per_s: float | None
    estimate_per_s: float | None
    at_most_per_s: float | None
    binding: str | None
    limit: Limit
    trials: int
    seconds: float
    complete: bool
    curves: tuple[Curve, ...]
    points: tuple[Point, ...]


def sentence(
    conclusion: Conclusion, finding: Finding, limit: Limit, search: Search, *, complete: bool
) -> str:
    """Return what can be said of a configuration, in one sentence."""
    match conclusion.ending:
        case Ending.BUDGET if not complete:
            return f"nothing shown yet, the search has not ended: {_bracket(finding)}"
        case Ending.UNMEASURED:
            return f"no valid measurement, not even at {_rate(search.from_per_s)}: {limit.why}"
        case Ending.BUDGET:
            return f"nothing shown, the time was over: {_bracket(finding)}"
        case Ending.BOTTOM:
            return _below(conclusion, search)
        case Ending.TOP | Ending.GENERATOR:
            return f"{_at_least(conclusion)}; {_limited(limit)}"
    estimate = "" if conclusion.estimate_per_s is None else f", estimate {_number(conclusion.estimate_per_s)}"
    first = "" if conclusion.binding is None else f"; {conclusion.binding} is missed first"
    return f"{_at_least(conclusion)}{estimate}{first}; {_limited(limit)}"


def _at_least(conclusion: Conclusion) -> str:
    if conclusion.at_least_per_s is None:
        return "no lower bound was shown"
    return f"≥ {_rate(conclusion.at_least_per_s, down=True)} ({CONFIDENT})"


def _below(conclusion: Conclusion, search: Search) -> str:
    at_most, lowest = conclusion.at_most_per_s, _rate(search.from_per_s)
    if at_most is None:
        return f"no lower bound was shown: around {lowest}, the lowest of the search, trials disagree"
    missed = f"{conclusion.binding} is missed" if conclusion.binding else "objectives are missed"
    return f"< {lowest} ({CONFIDENT}): {missed} at the lowest rate of the search"


def _bracket(finding: Finding) -> str:
    known = {
        "met": finding.met_per_s,
        "missed": finding.missed_per_s,
        "not measurable": finding.invalid_per_s,
    }
    said = [f"{what} at {_rate(rate)}" for what, rate in known.items() if rate is not None]
    return ", ".join(said) or "no rate was judged"


def _limited(limit: Limit) -> str:
    if limit.by is Limiter.UNKNOWN:
        return f"what limits it is unknown: {limit.why}"
    if limit.by is Limiter.NOTHING:
        return f"it may carry more: {limit.why}"
    return f"limited by {limit.by}: {limit.why}"


def _rate(rate_per_s: float, *, down: bool = False) -> str:
    return f"{_number(rate_per_s, down=down)} requests/s"


def _number(rate_per_s: float, *, down: bool = False) -> str:
    """Return a rate to three digits, a bound never rounded up.

    >>> _number(463.7), _number(463.7, down=True), _number(1234.5), _number(50.0)
    ('464', '463', '1,230', '50')
    """
    step = Decimal(10) ** (math.floor(math.log10(rate_per_s)) - 2)
    steps = (Decimal(str(rate_per_s)) / step).to_integral_value(ROUND_FLOOR if down else ROUND_HALF_EVEN)
    return f"{(steps * step).normalize():,f}"
