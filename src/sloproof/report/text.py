"""Numbers as people read them: formatting happens here and nowhere else."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import TYPE_CHECKING

from sloproof.analysis.capacity.result import CAPACITY
from sloproof.analysis.verdicts import Verdict

if TYPE_CHECKING:
    from sloproof.analysis.comparison.outcome import Margin
    from sloproof.analysis.counts import Counts
    from sloproof.analysis.results import ObjectiveDefinition

MINUTE_S = 60.0
MANY_TIMES = 10
LEAST_PROBABLE = 0.001
# Source: Unicode Standard Annex #9, "Directional Formatting Characters"; Hebrew reads well without.
TURNS_TEXT = re.compile("[\u202a-\u202e\u2066-\u2069]")
SYMBOLS = {Verdict.MET.name: "✓", Verdict.VIOLATED.name: "✗", Verdict.INCONCLUSIVE.name: "?"}


def straight(text: str) -> str:
    """Return a text without what would turn the direction of everything after it.

    >>> straight("a\u202eb")
    'ab'
    """
    return TURNS_TEXT.sub("", text)


def percent(ratio: float) -> str:
    """Return a ratio as a percentage that shows two significant digits of what is missing to the whole.

    Rounded down, so that neither 100 % nor a target is ever shown as reached when it was not.

    >>> percent(0.99996), percent(0.9931), percent(0.42), percent(1)
    ('99.9960 %', '99.31 %', '42 %', '100 %')
    """
    if ratio >= 1:
        return "100 %"
    digits = max(0, -math.floor(math.log10(1 - ratio)) - 1)
    shown = math.floor(round(ratio * 100 * 10**digits, 6)) / 10**digits
    return f"{shown:.{digits}f} %"


def duration(seconds: float) -> str:
    """Return seconds in the unit that suits them, to three significant digits.

    >>> duration(0.0001234), duration(0.25), duration(1.5), duration(90)
    ('0.123 ms', '250 ms', '1.50 s', '1 min 30 s')
    """
    if not math.isfinite(seconds):
        return "never"
    if seconds < 0:
        return f"−{duration(-seconds)}"
    seconds = float(f"{seconds:.3g}") if seconds < MINUTE_S else seconds
    if seconds >= MINUTE_S:
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes} min {rest:02} s"
    value, unit = (seconds, "s") if seconds >= 1 else (seconds * 1e3, "ms")
    if value == 0:
        return f"0 {unit}"
    digits = max(0, 2 - math.floor(math.log10(value)))
    return f"{value:.{digits}f} {unit}"


def setting(seconds: float) -> str:
    """Return a duration that somebody chose as they would write it.

    >>> setting(0.25), setting(2.0), setting(1.5)
    ('250 ms', '2 s', '1.5 s')
    """
    return f"{seconds:g} s" if seconds >= 1 else f"{seconds * 1e3:g} ms"


def target(text: str) -> str:
    """Return an exact target as a percentage.

    >>> target("0.999")
    '99.9 %'
    """
    return f"{(Decimal(text) * 100).normalize():f} %"


def asks(objective: ObjectiveDefinition) -> str:
    """Return in a few words what an objective asks for."""
    if objective.indicator == CAPACITY:
        return "the highest rate within all objectives"
    if objective.target is None:
        return "nothing lost or doubled"
    wanted = target(objective.target)
    if objective.threshold_s is not None:
        return f"{wanted} within {setting(objective.threshold_s)}"
    return f"{wanted} {'served' if objective.indicator == 'Availability' else 'good'}"


def counted(counts: Counts | None) -> str:
    """Return how many of how many events were good."""
    return "–" if counts is None else f"{counts.good:,} of {counts.total:,}"


def sli(counts: Counts | None) -> str:
    """Return the share of good events."""
    return "–" if counts is None or counts.ratio is None else percent(counts.ratio)


def bounds(seconds: tuple[float, float | None]) -> str:
    """Return two bounds of a histogram between which a duration lies, the upper one perhaps endless.

    >>> bounds((0.1, 0.25)), bounds((2.5, None))
    ('100 ms – 250 ms', 'over 2.50 s')
    """
    low, high = seconds
    return f"over {duration(low)}" if high is None else f"{duration(low)} – {duration(high)}"


def times(ratio: float) -> str:
    """Return a ratio of latencies as a factor.

    >>> times(1.6), times(0.0424), times(12.34), times(math.inf)
    ('1.60', '0.042', '12.3', '∞')
    """
    if math.isinf(ratio):
        return "∞"
    if 1 / MANY_TIMES <= ratio < MANY_TIMES:
        return f"{ratio:.2f}"
    return f"{ratio:.3g}" if ratio > 1 else f"{ratio:.2g}"


def margins(margin: Margin) -> str:
    """Return the margins of a comparison as people set them.

    >>> from sloproof.analysis.comparison.outcome import Margin
    >>> margins(Margin(latency_ratio=0.05, budget_ratio=0.125))
    '±5 % of the latency, ±12.5 % of the error budget'
    """
    of_latency, of_budget = (f"±{100 * ratio:g} %" for ratio in (margin.latency_ratio, margin.budget_ratio))
    return f"{of_latency} of the latency, {of_budget} of the error budget"


def points(share: float) -> str:
    """Return a difference of shares in percentage points, with its sign, to two significant digits.

    >>> points(0.00123), points(-0.5), points(0)
    ('+0.12', '−50', '0')
    """
    if not share:
        return "0"
    digits = max(0, 1 - math.floor(math.log10(abs(100 * share))))
    return f"{100 * share:+.{digits}f}".replace("-", "−")


def probability(p: float | None) -> str:
    """Return a p-value to the digits that anybody needs.

    >>> probability(0.0423), probability(2e-5), probability(None)
    ('0.042', '< 0.001', '–')
    """
    if p is None:
        return "–"
    return f"{p:.3f}" if p >= LEAST_PROBABLE else f"< {LEAST_PROBABLE}"


def quantity(value: object, name: str) -> str:
    """Return a value in the unit that the ending of its name says.

    >>> quantity(0.25, "lag_s"), quantity(0.0312, "wait_ratio"), quantity(2100, "sent"), quantity(None, "x")
    ('250 ms', '3.1 %', '2,100', '–')
    """
    match value:
        case None:
            return "–"
        case bool() | str():
            return str(value)
        case int() | float() if name.endswith("_s"):
            return duration(value)
        case int() | float() if name.endswith("_ratio"):
            return f"{100 * value:.1f} %"
        case int() | float():
            return f"{value:,}"
        case _:
            return str(value)


def label(name: str) -> str:
    """Return a field's name as words, without the unit at its end.

    >>> label("dispatch_lag_p99_s"), label("cpu_ratio"), label("sent")
    ('dispatch lag p99', 'cpu', 'sent')
    """
    return name.removesuffix("_s").removesuffix("_ratio").replace("_", " ")
