"""Made-up metrics of a service under given traffic, in promtool's notation; it knows no rule and no alert."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from sloproof.compile.conventions import INSTANCE, JOB
from sloproof.compile.conventions import UP as UP_METRIC
from sloproof.compile.promql import BUCKET, METHOD, ROUTE, STATUS, matchers, spellings
from sloproof.compile.proofs import derivation
from sloproof.slo.definition import Availability, ErrorRatio, EventLatency, Latency, Ratio, Up

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from decimal import Decimal

    from sloproof.slo.definition import Indicator, Metrics

OTHER = "another"
A_ROUTE = "/proof"
GOOD_STATUS, FAILED, REFUSED = "200", "500", "429"
CLIENTS_MISTAKE = "404"

Series = dict[str, str]
"""Series by name and labels, and their values in promtool's notation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """So many scrapes, with as many requests (or instances of a gauge) before each, a share of them bad."""

    steps: int
    requests: int
    errors: float = 0.0

    @property
    def bad(self) -> int:
        """Bad requests before each scrape, a whole number of them."""
        return round(self.requests * self.errors)


class NotProvableError(ValueError):
    """Raised where no metrics can be made up for an indicator; says why not."""


def traffic(indicator: Indicator, metrics: Metrics, phases: Sequence[Phase], *, slow: bool = False) -> Series:
    """Return what an indicator's metrics show of phases of traffic, one after the other.

    Bad requests are of every kind that there is, in equal parts: too slow, failed, refused. With `slow`, a
    bad request of a latency is a slow one, so that nothing is wrong with availability. All series are there
    from the first scrape on.

    Raises:
        NotProvableError: where the metrics can't be made up.

    """
    match indicator:
        case Latency() | EventLatency() | Availability():
            return _of_histogram(indicator, metrics, phases, slow=slow)
        case Up(metric=metric, matchers=labels):
            return _gauges(metric, {**metrics.matchers, **labels}, phases)
        case Ratio() | ErrorRatio():
            return _of_query(indicator, phases)
        case _:
            assert_never(indicator)


def neighbours(indicator: Indicator, metrics: Metrics, phases: Sequence[Phase]) -> Series:
    """Return requests that all fail and are none of the indicator's: of another method, route or service."""
    if not isinstance(indicator, Latency | EventLatency | Availability):
        return {}
    own = labels_of(indicator, metrics)
    fixed = [name for name in own if name in (METHOD, ROUTE) or name in metrics.matchers]
    if isinstance(indicator, Availability):
        fixed = [name for name in fixed if name in metrics.matchers or getattr(indicator, _FIELDS[name])]
    lost = [(phase.steps, phase.requests) for phase in phases]
    none = [(phase.steps, 0) for phase in phases]
    series: Series = {}
    for name in fixed:
        labels = {**own, name: f"{own[name]}-{OTHER}"}
        if not isinstance(indicator, EventLatency):
            labels[STATUS] = FAILED
        series |= _histogram(indicator, metrics, labels, fast=none, slow=lost)
    return series


def births(indicator: Indicator, metrics: Metrics, labels: Mapping[str, str], values: str) -> Series:
    """Return series that count bad requests only, with their values as they are given."""
    own = {**labels_of(indicator, metrics), **labels}
    if not isinstance(indicator, EventLatency):
        own.setdefault(STATUS, "503")
    return {f"{histogram_of(indicator, metrics)}_count{matchers(own)}": values}


def target_up(metrics: Metrics, values: str, **labels: str) -> Series:
    """Return whether the target of the made-up metrics was scraped."""
    return {f"{UP_METRIC}{matchers({**_target(metrics), **labels})}": values}


def labels_of(indicator: Indicator, metrics: Metrics) -> dict[str, str]:
    """Return the labels of an indicator's own series, but for a status and a bound."""
    match indicator:
        case Latency(method=method, route=route):
            return {**_target(metrics), METHOD: method, ROUTE: route}
        case Availability(method=asked, route=wanted):
            return {**_target(metrics), METHOD: asked or "GET", ROUTE: wanted or A_ROUTE}
        case _:
            return _target(metrics)


def histogram_of(indicator: Indicator, metrics: Metrics) -> str:
    """Return the name of the histogram that an indicator reads."""
    return indicator.histogram if isinstance(indicator, EventLatency) else metrics.requests


def counter(runs: Sequence[tuple[int, int]], *, start: int = 0, missing: int = 0) -> str:
    """Return the values of a counter that grows by so much before each of so many scrapes.

    It begins at `start`, after as many scrapes at which it is `missing`.

    >>> counter([(3, 10), (2, 0), (1, 5)], start=7, missing=4)
    '_x4 7+10x3 37x1 42'
    """
    parts = [f"_x{missing}"] if missing else []
    value = start
    for index, (steps, growth) in enumerate(_joined(runs)):
        first, count = (value, steps) if index == 0 else (value + growth, steps - 1)
        parts.append(_run(first, growth, count))
        value += growth * steps
    return " ".join(parts)


def gauge(runs: Sequence[tuple[int, float]]) -> str:
    """Return the values of a gauge that is so high for as many scrapes; the very first scrape is one more.

    >>> gauge([(3, 1.0), (2, 0.25)])
    '1x3 0.25x1'
    """
    parts = [f"{value:.10g}x{steps - (index > 0)}" for index, (steps, value) in enumerate(runs)]
    return " ".join(part.removesuffix("x0") for part in parts)


_FIELDS = {METHOD: "method", ROUTE: "route"}


def _target(metrics: Metrics) -> dict[str, str]:
    return {JOB: "proof", INSTANCE: "a", **metrics.matchers}


def _run(first: int, growth: int, count: int) -> str:
    if not count:
        return str(first)
    return f"{first}+{growth}x{count}" if growth else f"{first}x{count}"


def _joined(runs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return runs without empty ones, and equal neighbours as one."""
    joined: list[tuple[int, int]] = []
    for steps, growth in runs:
        if joined and joined[-1][1] == growth:
            joined[-1] = (joined[-1][0] + steps, growth)
        elif steps:
            joined.append((steps, growth))
    return joined


def _of_histogram(
    indicator: Latency | EventLatency | Availability,
    metrics: Metrics,
    phases: Sequence[Phase],
    *,
    slow: bool,
) -> Series:
    if metrics.native:
        raise NotProvableError("promtool 2.42 takes no native histograms as the input of a test")
    labels = labels_of(indicator, metrics)
    series: Series = {}
    for status, fast, late in _by_status(indicator, phases, slow=slow):
        own = {**labels, STATUS: status} if status else labels
        series |= _histogram(indicator, metrics, own, fast=fast, slow=late)
    return series


def _by_status(
    indicator: Latency | EventLatency | Availability, phases: Sequence[Phase], *, slow: bool
) -> Iterator[tuple[str | None, list[tuple[int, int]], list[tuple[int, int]]]]:
    """Yield a status, and how many requests of each phase ended with it: within the threshold, and later."""
    good = [(phase.steps, phase.requests - phase.bad) for phase in phases]
    none = [(phase.steps, 0) for phase in phases]
    match indicator:
        case EventLatency():
            yield None, good, [(phase.steps, phase.bad) for phase in phases]
        case Latency() if slow:
            yield GOOD_STATUS, good, [(phase.steps, phase.bad) for phase in phases]
        case Latency():
            late, failed, refused = _in_parts(phases, 3)
            yield GOOD_STATUS, good, late
            yield FAILED, failed, none  # soon, but in vain
            yield REFUSED, refused, none
        case Availability():
            half = [(steps, count // 2) for steps, count in good]
            rest = [(steps, count - count // 2) for steps, count in good]
            failed, refused = _in_parts(phases, 2)
            yield GOOD_STATUS, rest, none
            yield CLIENTS_MISTAKE, half, none
            yield FAILED, failed, none
            yield REFUSED, refused, none


def _in_parts(phases: Sequence[Phase], parts: int) -> list[list[tuple[int, int]]]:
    """Return the bad requests of each phase in equal parts; what is left over goes to the first."""
    split = [[(phase.steps, phase.bad // parts) for phase in phases] for _ in range(parts)]
    split[0] = [(phase.steps, phase.bad - phase.bad // parts * (parts - 1)) for phase in phases]
    return split


def _histogram(
    indicator: Latency | EventLatency | Availability,
    metrics: Metrics,
    labels: Mapping[str, str],
    *,
    fast: Sequence[tuple[int, int]],
    slow: Sequence[tuple[int, int]],
) -> Series:
    """Return a count and the buckets around the threshold: fast ones are above the one below it."""
    name = histogram_of(indicator, metrics)
    both = [(steps, one + other) for (steps, one), (_, other) in zip(fast, slow, strict=True)]
    series = {f"{name}_count{matchers(labels)}": counter(both)}
    if isinstance(indicator, Availability):
        return series
    below, above = indicator.threshold_s / 2, indicator.threshold_s * 2
    for bound_s, counted in (
        (below, [(steps, 0) for steps, _ in both]),
        (indicator.threshold_s, fast),
        (above, both),
    ):
        series |= bucket(name, labels, bound_s, counter(counted))
    return series


def bucket(
    name: str, labels: Mapping[str, str], bound_s: Decimal, values: str, *, spelling: int = 0
) -> Series:
    """Return a bucket of a histogram, whose bound is written in the usual way or another one."""
    return {f"{name}_bucket{matchers({**labels, BUCKET: spellings(bound_s)[spelling]})}": values}


def _gauges(metric: str, labels: Mapping[str, str], phases: Sequence[Phase]) -> Series:
    """Return instances of which as many are down as it takes.

    One of them is between up and down, as an average over a machine's processes is, where no whole number
    of instances gives the share exactly.
    """
    count = phases[0].requests
    shares = [
        [min(1.0, max(0.0, phase.errors * count - index)) for phase in phases] for index in range(count)
    ]
    return {
        f"{metric}{matchers({JOB: 'proof', **labels, 'replica': str(index)})}": gauge(
            [(phase.steps, 1 - down) for phase, down in zip(phases, each, strict=True)]
        )
        for index, each in enumerate(shares)
    }


def _of_query(indicator: Ratio | ErrorRatio, phases: Sequence[Phase]) -> Series:
    try:
        if isinstance(indicator, Ratio):
            part = derivation.counter(indicator.good or indicator.bad or "")
            of = derivation.Fraction(part, derivation.counter(indicator.total), indicator.good is not None)
            return _quotient(of, phases)
        found = derivation.error_ratio(indicator.query)
        if isinstance(found, derivation.Fraction):
            return _quotient(found, phases)
        runs = [(phase.steps, 1 - phase.errors if found.good else phase.errors) for phase in phases]
        return {f"{found.gauge.metric}{matchers(derivation.exact(found.gauge))}": gauge(runs)}
    except derivation.NotDerivableError as error:
        raise NotProvableError(f"its input can't be made up: {error}") from error


def _quotient(of: derivation.Fraction, phases: Sequence[Phase]) -> Series:
    part, total = derivation.exact(of.part), derivation.exact(of.total)
    bad = [(phase.steps, phase.bad) for phase in phases]
    good = [(phase.steps, phase.requests - phase.bad) for phase in phases]
    counted, rest = (good, bad) if of.good else (bad, good)
    own = f"{of.part.metric}{matchers(part)}"
    if of.part.metric != of.total.metric:
        both = [(steps, one + other) for (steps, one), (_, other) in zip(good, bad, strict=True)]
        return {own: counter(counted), f"{of.total.metric}{matchers(total)}": counter(both)}
    told = {name: value for name, value in part.items() if total.get(name) != value}
    if not told or not total.items() <= part.items():
        raise NotProvableError(
            f"its input can't be made up: what {own} counts is no part of what "
            f"{of.total.metric}{matchers(total)} counts"
        )
    others = {**total, **{name: f"{value}-{OTHER}" for name, value in told.items()}}
    return {own: counter(counted), f"{of.total.metric}{matchers(others)}": counter(rest)}
