"""PromQL that dashboards ask, of recorded series and of events by any labels, with Grafana's variables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar, assert_never

from sloproof.compile import conventions as names
from sloproof.compile import promql
from sloproof.slo.definition import Availability, ErrorRatio, EventLatency, Latency, Ratio, Up

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping
    from decimal import Decimal

    from sloproof.slo.definition import Definition, Metrics, Objective

RATE = "$__rate_interval"
RANGE = "$__range"
"""The whole time that the dashboard shows."""
TARGETS = (f'{names.JOB}=~"$job"', f'{names.INSTANCE}=~"$instance"')
"""The targets that are chosen at the top of a dashboard."""
T = TypeVar("T", bound="Hashable")


@dataclass(frozen=True, slots=True)
class Shared(Generic[T]):
    """A value that some objectives have, and the matchers that pick these: none where all have it."""

    value: T
    matchers: tuple[str, ...]


def shared(definitions: Iterable[Definition], of: Callable[[Objective], Iterable[T]]) -> list[Shared[T]]:
    """Return the distinct values that objectives have, in order of appearance."""
    owners: dict[T, list[str]] = {}
    everyone = 0
    for definition in definitions:
        for objective in definition.objectives:
            everyone += 1
            for value in of(objective):
                owners.setdefault(value, []).append(names.slo_id(definition.service, objective.name))
    return [
        Shared(value, () if len(ids) == everyone else (f'{names.ID}=~"{"|".join(ids)}"',))
        for value, ids in owners.items()
    ]


def series(name: str, *matchers: str) -> str:
    """Return a selector.

    >>> series("up", 'job="jobs"')
    'up{job="jobs"}'
    """
    return f"{name}{promql.matchers({}, *matchers)}"


def firing(*matchers: str) -> str:
    """Return the firing alerts that are compiled from objectives."""
    ours = f'alertname=~"{names.BURN_ALERT}|{names.ABSENCE_ALERT}"'
    return series("ALERTS", ours, 'alertstate="firing"', *matchers)


def summed(expr: str, by: tuple[str, ...] = ()) -> str:
    """Return a sum by labels, of everything without any.

    >>> summed("rate(x_total[5m])", ("job",)), summed("up")
    ('sum by (job) (rate(x_total[5m]))', 'sum(up)')
    """
    return f"sum by ({', '.join(by)}) ({expr})" if by else f"sum({expr})"


def share(part: str, whole: str) -> str:
    """Return a part as a share of a whole: 0 where it was never seen, nothing where the whole is 0."""
    return f"(({part}) or 0 * ({whole})) / (({whole}) > 0)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Durations:
    """A histogram of durations, classic or native, of which only the series count that match."""

    histogram: str
    matchers: tuple[str, ...]
    native: bool

    def only(self, *matchers: str) -> Durations:
        """Return those that match these too."""
        return Durations(histogram=self.histogram, matchers=(*self.matchers, *matchers), native=self.native)

    def count(self, *by: str, over: str = RATE, function: str = "rate") -> str:
        """Return how many there were, a second or (by ``increase``) within a window."""
        if self.native:
            selected = series(self.histogram, *self.matchers)
            return f"histogram_count({summed(f'{function}({selected}[{over}])', by)})"
        return summed(f"{function}({series(f'{self.histogram}_count', *self.matchers)}[{over}])", by)

    def within(self, threshold_s: Decimal, *by: str, over: str) -> str:
        """Return how many lasted at most so long, within a window."""
        if self.native:
            grown = summed(f"increase({series(self.histogram, *self.matchers)}[{over}])", by)
            return f"histogram_fraction(0, {threshold_s.normalize():f}, {grown}) * histogram_count({grown})"
        bucket = series(f"{self.histogram}_bucket", *self.matchers, promql.bound(threshold_s))
        return summed(f"increase({bucket}[{over}])", by)

    def quantile(self, quantile: str, *by: str) -> str:
        """Return an estimate of a quantile: interpolated within the bucket that it falls into."""
        return f"histogram_quantile({quantile}, {self.buckets(*by)})"

    def buckets(self, *by: str) -> str:
        """Return the rate of all buckets."""
        if self.native:
            return summed(f"rate({series(self.histogram, *self.matchers)}[{RATE}])", by)
        return summed(
            f"rate({series(f'{self.histogram}_bucket', *self.matchers)}[{RATE}])", (promql.BUCKET, *by)
        )


def requests(metrics: Metrics, *matchers: str) -> Durations:
    """Return the durations of a service's requests."""
    return Durations(
        histogram=metrics.requests, matchers=(*_exactly(metrics.matchers), *matchers), native=metrics.native
    )


def timed(objective: Objective, metrics: Metrics, *matchers: str) -> tuple[Durations, Decimal] | None:
    """Return the durations that an objective is about and their limit, ``None`` where it is no latency."""
    match objective.indicator:
        case Latency(method=method, route=route, threshold_s=threshold_s):
            endpoint = _exactly({promql.METHOD: method, promql.ROUTE: route})
            return requests(metrics, *endpoint, *matchers), threshold_s
        case EventLatency(histogram=histogram, threshold_s=threshold_s):
            durations = Durations(
                histogram=histogram, matchers=(*_exactly(metrics.matchers), *matchers), native=metrics.native
            )
            return durations, threshold_s
        case Availability() | Ratio() | ErrorRatio() | Up():
            return None
        case unknown:
            assert_never(unknown)


def good_share(objective: Objective, metrics: Metrics, *matchers: str, by: tuple[str, ...]) -> str | None:
    """Return the share of good events by labels, over all the time shown.

    ``None`` where the file gives queries of its own: they can't be told apart by labels they don't name.
    """
    served = f"{promql.STATUS}!~{promql.quoted(promql.NOT_SERVED)}"
    found = timed(objective, metrics, *matchers)
    if found is not None:
        durations, threshold_s = found
        answered = durations.only(served) if isinstance(objective.indicator, Latency) else durations
        good = answered.within(threshold_s, *by, over=RANGE)
    elif isinstance(objective.indicator, Availability):
        method, route = objective.indicator.method, objective.indicator.route
        given = {name: value for name, value in ((promql.METHOD, method), (promql.ROUTE, route)) if value}
        durations = requests(metrics, *_exactly(given), *matchers)
        good = durations.only(served).count(*by, over=RANGE, function="increase")
    else:
        return None
    # Clamped: counters of one histogram are extrapolated each by itself, and differ by a hair.
    return f"clamp_max({share(good, durations.count(*by, over=RANGE, function='increase'))}, 1)"


def _exactly(labels: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(f"{name}={promql.quoted(value)}" for name, value in labels.items())
