"""Indicators as PromQL: how many events there were in a window, and which share of them was bad."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, assert_never

from sloproof.compile.conventions import INSTANCE, JOB
from sloproof.compile.conventions import UP as UP_METRIC
from sloproof.slo.definition import Availability, ErrorRatio, EventLatency, Latency, Ratio, Up
from sloproof.slo.fileformat import WINDOW_PLACEHOLDER
from sloproof.slo.quantities import in_units

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from sloproof.slo.definition import Indicator, Metrics

METHOD, ROUTE, STATUS, BUCKET = "http_request_method", "http_route", "http_response_status_code", "le"
NOT_SERVED = "5..|429"
"""The statuses, as a regular expression, of requests that a service failed to serve."""
PER_SECOND = re.compile(r"\b(?:i?rate)\s*\(")
LARGE = 1_000_000
"""From here on clients of Go write bounds with an exponent."""


@dataclass(frozen=True, slots=True)
class Events:
    """Events in a window, as expressions of one series without labels each, or none.

    `total` is absent where the metrics are, and 0 while the service is idle. `good` or `bad` is absent where
    no such event has ever been seen; exactly one of them is given.
    """

    total: str
    good: str | None = None
    bad: str | None = None

    def ratio(self) -> str:
        """Return the share of bad events, with no value where there were none at all.

        A kind of event that was never seen counts as zero; no division by zero makes a NaN that stays in
        every longer window.
        """
        if self.bad is not None:
            return f"(\n{indent(self.bad)}\n  or\n  vector(0)\n)\n/\n(\n{indent(self.total)}\n  > 0\n)"
        # Clamped: counters of one histogram are extrapolated each by itself, and differ by a hair.
        return (
            f"clamp_min(\n  1 -\n  (\n{indent(self.good or '', 4)}\n    or\n    vector(0)\n  )\n"
            f"  /\n  (\n{indent(self.total, 4)}\n    > 0\n  ),\n  0\n)"
        )


def events(indicator: Indicator, metrics: Metrics, window_s: int | Decimal) -> Events | None:
    """Return the events of an indicator within a window, or ``None`` where only their ratio is known."""
    window = in_units(window_s)
    within = _within_native if metrics.native else _within
    match indicator:
        case Latency(method=method, route=route, threshold_s=threshold_s):
            labels = {**metrics.matchers, METHOD: method, ROUTE: route}
            return within(metrics.requests, labels, threshold_s, window, f"{STATUS}!~{quoted(NOT_SERVED)}")
        case EventLatency(histogram=histogram, threshold_s=threshold_s):
            return within(histogram, metrics.matchers, threshold_s, window)
        case Availability():
            return _served(indicator, metrics, window)
        case Up(metric=metric, matchers=labels):
            selector = f"{metric}{matchers({**metrics.matchers, **labels})}[{window}]"
            return Events(total=f"sum(count_over_time({selector}))", good=f"sum(sum_over_time({selector}))")
        case Ratio(good=good, bad=bad, total=total):
            return Events(
                total=_counted(total, window_s),
                good=good and _counted(good, window_s),
                bad=bad and _counted(bad, window_s),
            )
        case ErrorRatio():
            return None
        case _:
            assert_never(indicator)


def error_ratio(indicator: Indicator, metrics: Metrics, window_s: int | Decimal) -> str:
    """Return the share of bad events within a window, with no value where there was none or it is unknown."""
    if isinstance(indicator, ErrorRatio):
        query = filled(indicator.query, window_s)
        # The worst one, where a query gives several; the comparison is true of every number, and not of NaN.
        return f"max(\n{indent(query)}\n) >= 0"
    found = events(indicator, metrics, window_s)
    if found is None:
        raise AssertionError("unreachable: only a ratio has no events")
    return found.ratio()


def gained(metric: str, labels: str, window: str) -> str:
    """Return by how much all series of a counter (or native histogram) grew within a window.

    ``increase()`` sees nothing of what a series counted before its first sample. So a series that was not
    there at the start of the window, though its target was scraped then, counts with all that it shows,
    unless it began anew since. Where the target was not scraped then (it is new itself, or Prometheus has a
    gap), what a series shows may be older than the window, and only its increase counts.
    """
    series = f"{metric}{labels}"
    return (
        "sum(\n"
        f"    {series}\n"
        f"      unless {series} offset {window}\n"
        f"      unless resets({series}[{window}]) > 0\n"
        f"      and on ({JOB}, {INSTANCE}) {UP_METRIC} offset {window} == 1\n"
        "  or\n"
        f"    increase({series}[{window}])\n"
        ")"
    )


def matchers(labels: Mapping[str, str], *others: str) -> str:
    """Return exact values of labels, and other matchers as they are written, as part of a selector."""
    exact = [f"{name}={quoted(value)}" for name, value in labels.items()]
    return f"{{{','.join([*exact, *others])}}}" if exact or others else ""


@lru_cache(maxsize=4_096)
def quoted(text: str) -> str:
    """Return a text as a string of PromQL, whose escapes are those of JSON but for the slash."""
    return json.dumps(text, ensure_ascii=False)


def bound(threshold_s: Decimal) -> str:
    r"""Return a matcher of the bucket with a bound, however it is written.

    Prometheus 3 writes `2.0` where some clients write `2`, and Go has `1e+06`.

    >>> from decimal import Decimal
    >>> bound(Decimal("0.250")), bound(Decimal(2))
    ('le="0.25"', 'le=~"2|2\\\\.0"')
    """
    written = spellings(threshold_s)
    if len(written) == 1:
        return f"{BUCKET}={quoted(written[0])}"
    return f"{BUCKET}=~{quoted('|'.join(re.escape(each) for each in written))}"


def spellings(bound_s: Decimal) -> list[str]:
    """Return the ways in which clients and Prometheus write a bound, the plainest first.

    >>> from decimal import Decimal
    >>> spellings(Decimal("0.250")), spellings(Decimal("0.00001")), spellings(Decimal(1_000_000))
    (['0.25'], ['0.00001', '1e-05'], ['1000000', '1000000.0', '1e+06'])
    """
    plain = f"{bound_s.normalize():f}"
    written = [plain]
    if "." not in plain:
        written.append(f"{plain}.0")
    if bound_s >= LARGE:
        digits, exponent = plain.replace(".", "").rstrip("0"), bound_s.adjusted()
        written.append(f"{digits[0]}{'.' if digits[1:] else ''}{digits[1:]}e+{exponent:02}")
    else:
        written.append(repr(float(bound_s)))  # has an exponent below 0.0001, as in Go
    return sorted(set(written), key=written.index)


def filled(query: str, window_s: int | Decimal) -> str:
    """Return a query with its placeholder replaced by a window."""
    return query.replace(WINDOW_PLACEHOLDER, in_units(window_s)).strip()


def indent(text: str, by: int = 2) -> str:
    """Return a text with each of its lines moved to the right."""
    margin = " " * by
    return margin + text.replace("\n", f"\n{margin}")


def _served(indicator: Availability, metrics: Metrics, window: str) -> Events:
    endpoint = {METHOD: indicator.method, ROUTE: indicator.route}
    labels = {**metrics.matchers, **{name: value for name, value in endpoint.items() if value}}
    every, not_served = matchers(labels), matchers(labels, f"{STATUS}=~{quoted(NOT_SERVED)}")
    if metrics.native:
        return Events(
            total=f"histogram_count({gained(metrics.requests, every, window)})",
            bad=f"histogram_count({gained(metrics.requests, not_served, window)})",
        )
    name = f"{metrics.requests}_count"
    return Events(total=gained(name, every, window), bad=gained(name, not_served, window))


def _within(
    histogram: str, labels: Mapping[str, str], threshold_s: Decimal, window: str, *good: str
) -> Events:
    """Return the events of a histogram; `good`: what labels those in time must have to be good."""
    return Events(
        total=gained(f"{histogram}_count", matchers(labels), window),
        good=gained(f"{histogram}_bucket", matchers(labels, bound(threshold_s), *good), window),
    )


def _within_native(
    histogram: str, labels: Mapping[str, str], threshold_s: Decimal, window: str, *good: str
) -> Events:
    chosen = gained(histogram, matchers(labels, *good), window)
    in_time = f"histogram_fraction(0, {threshold_s.normalize():f}, {chosen})"
    return Events(
        total=f"histogram_count({gained(histogram, matchers(labels), window)})",
        good=f"{in_time} * histogram_count({chosen})",
    )


def _counted(query: str, window_s: int | Decimal) -> str:
    """Return a user's query in events per window, though it may be written in events per second."""
    text = filled(query, window_s)
    scale = f" * {window_s}" if PER_SECOND.search(text) else ""
    return f"sum({text}){scale}"
