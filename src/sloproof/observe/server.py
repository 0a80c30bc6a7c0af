"""What the subject's own metrics say: exact counts from the gains of counters between two scrapes."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from sloproof.analysis.counts import Counts
from sloproof.observe.conventions import BUCKET_LABEL, METHOD_LABEL, ROUTE_LABEL, STATUS_LABEL
from sloproof.slo.definition import Availability, EventLatency, Latency, Ratio

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from decimal import Decimal

    from sloproof.observe.scrape import Scrape
    from sloproof.slo.definition import Indicator

Matchers = dict[str, "Callable[[str], bool] | str"]


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
        case Ratio():  # PromQL: only a Prometheus can evaluate it
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


def percentile_bounds_s(gain: Scrape, *, requests: str, endpoint: str, q: float) -> tuple[float, float] | None:
    """Return the two neighbouring bounds of the histogram, in seconds, between which a percentile lies.

    A histogram cannot say more than that. The upper bound is +inf when the percentile is beyond the last
    one; ``None`` when no request was counted.
    """
    method, _, route = endpoint.partition(" ")
    matchers: Matchers = {METHOD_LABEL: method, ROUTE_LABEL: route}
    total = gain.total(f"{requests}_count", **matchers)
    if total <= 0:
        return None
    lower = 0.0
    for bound, cumulative in sorted(_cumulative(gain, requests, matchers).items()):
        if cumulative >= q * total:
            return lower, bound
        lower = bound
    return lower, float("inf")


def _within(gain: Scrape, histogram: str, threshold_s: Decimal, matchers: Matchers) -> float | None:
    return _cumulative(gain, histogram, matchers).get(float(threshold_s))


def _cumulative(gain: Scrape, histogram: str, matchers: Matchers) -> Mapping[float, float]:
    """Return events per bucket bound; compared as numbers, since `le` is written as 2 or as 2.0."""
    buckets: dict[float, float] = {}
    for labels, value in gain.select(f"{histogram}_bucket", **matchers):
        bound = float(labels[BUCKET_LABEL])
        buckets[bound] = buckets.get(bound, 0.0) + value
    return buckets


def _served(status: str) -> bool:
    """Return whether a status is no failure of the service: below 500 and not 429."""
    return not status.startswith("5") and status != "429"


def _any(_: str) -> bool:
    return True
