"""What the clients saw: exact counts from every request's own times, latency from its intended start."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

import numpy as np

from sloproof.analysis.accounting import by_fate, by_outcome
from sloproof.analysis.counts import Counts
from sloproof.observe.conventions import JOB_COMPLETED
from sloproof.slo.definition import Availability, ErrorRatio, EventLatency, Latency, Ratio, Up

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from sloproof.analysis.samples import Samples
    from sloproof.analysis.scored import Scored
    from sloproof.slo.definition import Indicator


NO_EVENTS = Counts(good=0, total=0)


def count(indicator: Indicator, scored: Scored) -> Counts | None:
    """Return the good and total events of a load phase, or ``None`` where clients cannot see them.

    A request is good for a latency objective when it was answered, not with a server error, at most
    `threshold` after its intended start; compared on the measured times, never on histogram buckets.
    A job is good for an event's latency when it has succeeded at most `threshold` after the intended start
    of the request that submitted it.
    """
    match indicator:
        case Latency(method=method, route=route, threshold_s=threshold_s):
            limit_s = float(threshold_s)
            wanted = _wanted(scored, method, route)
            return _counts(each.served & (each.latency_s <= limit_s) for each in wanted)
        case EventLatency(event=event) if event != JOB_COMPLETED:
            return None
        case EventLatency(threshold_s=threshold_s):
            return _counts([scored.jobs.succeeded & (scored.jobs.latency_s <= float(threshold_s))])
        case Availability(method=method, route=route):
            return _counts(each.served for each in _wanted(scored, method, route))
        case Ratio() | ErrorRatio() | Up():  # PromQL: only a Prometheus can evaluate it
            return None
        case _:
            assert_never(indicator)


def fates(indicator: Indicator, scored: Scored) -> dict[str, int] | None:
    """Return what became of the events of a load phase, each in one way; ``None`` as for `count`."""
    match indicator:
        case Latency(method=method, route=route) | Availability(method=method, route=route):
            return by_outcome(*(each.outcome for each in _wanted(scored, method, route)))
        case EventLatency(event=event):
            return by_fate(scored.jobs) if event == JOB_COMPLETED else None
        case Ratio() | ErrorRatio() | Up():
            return None
        case _:
            assert_never(indicator)


def _wanted(scored: Scored, method: str | None, route: str | None) -> list[Samples]:
    return [each for name, each in scored.requests.items() if _is_wanted(name, method, route)]


def _is_wanted(endpoint: str, method: str | None, route: str | None) -> bool:
    its_method, _, its_route = endpoint.partition(" ")
    return method in (None, its_method) and route in (None, its_route)


def _counts(parts: Iterable[NDArray[np.bool_]]) -> Counts:
    """Return how many events of all parts there are, and how many of them are good."""
    return sum((Counts(good=int(np.count_nonzero(good)), total=len(good)) for good in parts), start=NO_EVENTS)
