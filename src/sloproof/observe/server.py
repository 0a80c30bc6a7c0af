"""What the subject's own metrics say: exact counts from the gains of counters between two scrapes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, assert_never

from sloproof.analysis.counts import Counts
from sloproof.observe.conventions import BUCKET_LABEL, METHOD_LABEL, ROUTE_LABEL, STATUS_LABEL
from sloproof.slo.definition import Availability, ErrorRatio, EventLatency, Latency, Ratio, Up

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from decimal import Decimal

    from sloproof.observe.scrape import Scrape
    from sloproof.slo.definition import Indicator

    Matchers = dict[str, Callable[[str], bool] | str]


def count(indicator: Indicator, gain: Scrape, *, requests: str) -> Counts | None:
    """Return the good and total events that the subject counted, or ``None`` where it cannot say.

    It cannot where the histogram is absent, or has no bound equal to the threshold: between two bounds the
    share of good events is unknown. `requests` names the histogram of HTTP requests.
    """
    match indicator:
        case Latency(method=method, route=route, threshold_s=threshold_s):
            matchers: Matchers = {METHOD_LABEL: method, ROUTE_LABEL: route}
            total = gain.total(f"{requests}_count", **matchers)
            good = _within(gain, requests, threshold_s, {**matchers, STATUS_LABEL: _served})
        case EventLatency(histogram=histogram, threshold_s=threshold_s):
            total = gain.total(f"{histogram}_count")
            good = _within(gain, histogram, threshold_s, {})
        case Availability(method=method, route=route):
            matchers = {METHOD_LABEL: method or _any, ROUTE_LABEL: route or _any}
            if not gain.has(f"{requests}_count"):
                return None
            total = gain.total(f"{requests}_count", **matchers)
            good = gain.total(f"{requests}_count", **{**matchers, STATUS_LABEL: _served})
        case Ratio() | ErrorRatio() | Up():  # PromQL: only a Prometheus can evaluate it
            return None
        case _:
            assert_never(indicator)
    return None if good is None else Counts(good=round(good), total=round(total))


def endpoint_counts(gain: Scrape, *, requests: str) -> dict[str, int]:
    """Return the requests that the subject counted per endpoint (``POST /jobs``)."""
    counts: dict[str, int] = {}
    for labels, value in gain.select(f"{requests}_count"):
        endpoint = f"{labels.get(METHOD_LABEL, '')} {labels.get(ROUTE_LABEL, '')}"
        counts[endpoint] = counts.get(endpoint, 0) + round(value)
    return {endpoint: n for endpoint, n in sorted(counts.items()) if n}


def late(indicator: Latency, gain: Scrape, *, requests: str) -> int | None:
    """Return how many requests the subject served later than the threshold by its own clock.

    ``None`` where its histogram has no bound equal to the threshold.
    """
    matchers: Matchers = {METHOD_LABEL: indicator.method, ROUTE_LABEL: indicator.route, STATUS_LABEL: _served}
    within = _within(gain, requests, indicator.threshold_s, matchers)
    return None if within is None else round(gain.total(f"{requests}_count", **matchers) - within)


def seconds(gain: Scrape, *, requests: str, endpoint: str) -> tuple[float, int] | None:
    """Return the sum of the durations that the subject measured of an endpoint, and of how many requests.

    ``None`` where it exports no such sum.
    """
    if not gain.has(f"{requests}_sum"):
        return None
    method, _, route = endpoint.partition(" ")
    matchers: Matchers = {METHOD_LABEL: method, ROUTE_LABEL: route}
    return gain.total(f"{requests}_sum", **matchers), round(gain.total(f"{requests}_count", **matchers))


def endpoint_histogram(gains: Iterable[Scrape], *, requests: str, endpoint: str) -> dict[float, float]:
    """Return how many requests of an endpoint took at most so many seconds, per bound, over all gains."""
    method, _, route = endpoint.partition(" ")
    return histogram(gains, requests, {METHOD_LABEL: method, ROUTE_LABEL: route})


def histogram(gains: Iterable[Scrape], name: str, matchers: Matchers | None = None) -> dict[float, float]:
    """Return how many events took at most so many seconds, per bound of the histogram, over all gains.

    Bounds are compared as numbers, since one client writes 2 and another 2.0.
    """
    cumulative: dict[float, float] = {}
    for gain in gains:
        for labels, value in gain.select(f"{name}_bucket", **(matchers or {})):
            bound = float(labels[BUCKET_LABEL])
            cumulative[bound] = cumulative.get(bound, 0.0) + value
    return cumulative


def percentile_bounds_s(cumulative: Mapping[float, float], q: float) -> tuple[float, float | None] | None:
    """Return the two neighbouring bounds, in seconds, between which the q-th quantile lies.

    A histogram cannot say more. The upper bound is ``None`` beyond the last finite one; the whole is ``None``
    when nothing was counted.

    >>> percentile_bounds_s({0.1: 90, 0.25: 99, float("inf"): 100}, 0.99)
    (0.1, 0.25)
    """
    total = cumulative.get(math.inf, 0.0)
    if total <= 0:
        return None
    lower = 0.0
    for bound, below in sorted(cumulative.items()):
        if below >= q * total:
            return lower, (bound if math.isfinite(bound) else None)
        lower = bound
    raise AssertionError("unreachable: the bound of +inf holds every event")


def _within(gain: Scrape, name: str, threshold_s: Decimal, matchers: Matchers) -> float | None:
    return histogram([gain], name, matchers).get(float(threshold_s))


def _served(status: str) -> bool:
    """Return whether a status is no failure of the service: below 500 and not 429."""
    return not status.startswith("5") and status != "429"


def _any(_: str) -> bool:
    return True
