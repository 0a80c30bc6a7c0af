"""What the clients saw: exact counts from every request's own times, latency from its intended start."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

import numpy as np

from sloproof.analysis.counts import Counts
from sloproof.analysis.samples import Phase
from sloproof.observe.conventions import JOB_COMPLETED
from sloproof.slo.definition import Availability, ErrorRatio, EventLatency, Latency, Ratio, Up

if TYPE_CHECKING:
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
            wanted = [endpoint for endpoint in scored.endpoints if _is_wanted(endpoint, method, route)]
            return _counts(scored.served[scored.endpoint.isin(wanted)])
        case Ratio() | ErrorRatio() | Up():  # PromQL: only a Prometheus can evaluate it
            return None
        case _:
            assert_never(indicator)


def _is_wanted(endpoint: str, method: str | None, route: str | None) -> bool:
    its_method, _, its_route = endpoint.partition(" ")
    return method in (None, its_method) and route in (None, its_route)


def _counts(good: np.typing.NDArray[np.bool_]) -> Counts:
    return Counts(good=int(np.count_nonzero(good)), total=len(good))
