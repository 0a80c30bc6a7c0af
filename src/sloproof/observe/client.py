"""What the clients saw: exact counts from every request's own times, latency from its intended start."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

import numpy as np

from sloproof.analysis.accounting import by_fate, by_outcome
from sloproof.analysis.counts import Counts
from sloproof.analysis.samples import Phase
from sloproof.observe.conventions import JOB_COMPLETED
from sloproof.slo.definition import Availability, ErrorRatio, EventLatency, Latency, Ratio, Up

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sloproof.analysis.jobs import Jobs
    from sloproof.analysis.samples import Samples
    from sloproof.slo.definition import Indicator


def count(indicator: Indicator, samples: Samples, jobs: Jobs) -> Counts | None:
    """Return the good and total events of the load phase, or ``None`` where clients cannot see them.

    A request is good for a latency objective when it was answered, not with a server error, at most
    `threshold` after its intended start; compared on the measured times, never on histogram buckets.
    A job is good for an event's latency when it has succeeded at most `threshold` after the intended start
    of the request that submitted it.
    """
    match indicator:
        case Latency(method=method, route=route, threshold_s=threshold_s):
            scored = samples.select(phase=Phase.LOAD)
            good = scored.served & (scored.latency_s <= float(threshold_s))
            return _counts(good[scored.endpoint == f"{method} {route}"])
        case EventLatency(event=event) if event != JOB_COMPLETED:
            return None
        case EventLatency(threshold_s=threshold_s):
            scored_jobs = jobs.select(phase=Phase.LOAD)
            return _counts(scored_jobs.succeeded & (scored_jobs.latency_s <= float(threshold_s)))
        case Availability(method=method, route=route):
            scored = samples.select(phase=Phase.LOAD)
            return _counts(scored.served[_wanted(scored, method, route)])
        case Ratio() | ErrorRatio() | Up():  # PromQL: only a Prometheus can evaluate it
            return None
        case _:
            assert_never(indicator)


def fates(indicator: Indicator, samples: Samples, jobs: Jobs) -> dict[str, int] | None:
    """Return what became of the events of the load phase, each in one way; ``None`` as for `count`."""
    match indicator:
        case Latency(method=method, route=route) | Availability(method=method, route=route):
            scored = samples.select(phase=Phase.LOAD)
            return by_outcome(scored.outcome[_wanted(scored, method, route)])
        case EventLatency(event=event):
            return by_fate(jobs.select(phase=Phase.LOAD)) if event == JOB_COMPLETED else None
        case Ratio() | ErrorRatio() | Up():
            return None
        case _:
            assert_never(indicator)


def _wanted(scored: Samples, method: str | None, route: str | None) -> NDArray[np.bool_]:
    names = [endpoint for endpoint in scored.endpoints if _is_wanted(endpoint, method, route)]
    return scored.endpoint.isin(names)


def _is_wanted(endpoint: str, method: str | None, route: str | None) -> bool:
    its_method, _, its_route = endpoint.partition(" ")
    return method in (None, its_method) and route in (None, its_route)


def _counts(good: np.typing.NDArray[np.bool_]) -> Counts:
    return Counts(good=int(np.count_nonzero(good)), total=len(good))
