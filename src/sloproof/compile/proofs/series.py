"""Tests of which series count: those never seen, new ones, new targets, other spellings, neighbours."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sloproof.compile import conventions as names
from sloproof.compile import promql
from sloproof.compile.proofs import traffic
from sloproof.compile.proofs.case import between
from sloproof.compile.proofs.timeline import MANY, Timeline
from sloproof.slo.definition import Availability, ErrorRatio, EventLatency, Latency
from sloproof.slo.quantities import in_units
from sloproof.slo.tiers import MINUTE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sloproof.compile.proofs.case import Case, Subject
    from sloproof.compile.proofs.traffic import Series

OUTAGE = 1.0
NEVER_GREW = re.compile(r"0(x[0-9]+)?")


def unseen(subject: Subject) -> Iterator[Case]:
    """Yield tests that a kind of event that was never seen, and has no series, counts as none."""
    if subject.is_gauge:
        return
    for errors, what in ((0.0, "failure"), (OUTAGE, "success")):
        line = Timeline(subject)
        end = line.go(5 * MINUTE, MANY, errors)
        series = subject.traffic(line.phases)
        seen = {name: values for name, values in series.items() if not NEVER_GREW.fullmatch(values)}
        if seen and not (isinstance(subject.objective.indicator, ErrorRatio) and seen != series):
            yield line.case(
                f"No {what} was ever seen",
                between(subject.ratio(names.COUNTED_S), errors - 0.01, errors + 0.01, end),
                between(subject.ratio(int(subject.objective.window_s)), errors - 0.01, errors + 0.01, end),
                series=seen,
            )


def birth(subject: Subject) -> Case | None:
    """Return a test that a series loses no event by being new, and gains none by beginning anew."""
    indicator, metrics = subject.objective.indicator, subject.definition.metrics
    if not isinstance(indicator, Latency | EventLatency | Availability):
        return None
    line = Timeline(subject)
    line.go(names.COUNTED_S + MINUTE, MANY)
    born = line.now_s // line.step
    seen_s = line.go(MINUTE, MANY)
    again = line.now_s // line.step
    restarted_s = line.go(MINUTE, MANY)
    over_s = line.go(2 * names.COUNTED_S, MANY)
    kinds = [{"kind": kind} for kind in ("rare", "rarer")]
    series = {
        **subject.traffic(line.phases),
        **traffic.target_up(metrics, traffic.gauge([(over_s // line.step, 1)])),
        **traffic.births(indicator, metrics, kinds[0], f"_x{born} 5x{over_s // line.step - born}"),
        **traffic.births(
            indicator, metrics, kinds[1], f"_x{again + 1} 5 55 105 2x{over_s // line.step - again - 4}"
        ),
    }
    bad = subject.series(names.BAD)
    return line.case(
        "A new series loses no event",
        between(bad, 4.5, 5.5, seen_s),
        between(bad, 5 + 100 * 0.9, 5 + 105 * 1.1, restarted_s),
        between(bad, -0.5, 0.5, over_s),
        series=series,
    )


def newcomer(subject: Subject) -> Case | None:
    """Return a test that what a target counted before it was first scraped is not counted again.

    One target was not there before, another was down.
    """
    indicator, metrics = subject.objective.indicator, subject.definition.metrics
    if not isinstance(indicator, Latency | EventLatency | Availability):
        return None
    line = Timeline(subject)
    line.go(names.COUNTED_S + MINUTE, MANY)
    come = line.now_s // line.step
    end = line.go(names.COUNTED_S + MINUTE, MANY)
    last = end // line.step
    series = {
        **subject.traffic(line.phases),
        **traffic.target_up(metrics, traffic.gauge([(last, 1)])),
    }
    for instance, was in (("b", f"_x{come}"), ("c", f"0x{come - 1}")):
        other = {names.INSTANCE: instance}
        series |= traffic.target_up(metrics, f"{was} 1x{last - come}", **other)
        series |= traffic.births(indicator, metrics, other, f"_x{come} 1000x{last - come}")
    worst = f"max_over_time({subject.series(names.BAD)}[{in_units(end)}])"
    return line.case("A new target's old events do not count", between(worst, -0.5, 0.5, end), series=series)


def spelt(subject: Subject) -> Case | None:
    """Return a test that a bucket counts, whichever way its bound is written."""
    indicator, metrics = subject.objective.indicator, subject.definition.metrics
    if not isinstance(indicator, Latency | EventLatency):
        return None
    ways = promql.spellings(indicator.threshold_s)
    if len(ways) == 1:
        return None
    line = Timeline(subject)
    end = line.go(5 * MINUTE, MANY)
    steps, name = end // line.step, traffic.histogram_of(indicator, metrics)
    series: Series = {}
    for index in range(len(ways)):
        labels = {**traffic.labels_of(indicator, metrics), "replica": str(index)}
        if isinstance(indicator, Latency):
            labels[promql.STATUS] = traffic.GOOD_STATUS
        series[f"{name}_count{promql.matchers(labels)}"] = traffic.counter([(steps, MANY)])
        in_time = traffic.counter([(steps, MANY * 3 // 4)])
        series |= traffic.bucket(name, labels, indicator.threshold_s, in_time, spelling=index)
    return line.case(
        f"The bound {' is '.join(ways)}",
        between(subject.ratio(names.COUNTED_S), 0.24, 0.26, end),
        series=series,
    )


def others(subject: Subject) -> Case | None:
    """Return a test that failures of other methods, routes and services are not one's own."""
    line = Timeline(subject)
    end = line.go(5 * MINUTE, MANY)
    near = traffic.neighbours(subject.objective.indicator, subject.definition.metrics, line.phases)
    if not near:
        return None
    expected = MANY * names.COUNTED_S / line.step
    return line.case(
        "Others' failures do not count",
        between(subject.ratio(names.COUNTED_S), -0.001, 0.001, end),
        between(subject.series(names.TOTAL), expected * 0.9, expected * 1.1, end),
        series={**subject.traffic(line.phases), **near},
    )
