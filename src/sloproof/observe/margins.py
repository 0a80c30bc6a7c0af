"""How far from its limit each objective was in a trial, as the clients saw it; it judges nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sloproof.analysis.capacity.observation import (
    STABILITY,
    count_margin,
    latency_margin,
    stability_margin,
)
from sloproof.observe import client
from sloproof.observe.conventions import JOB_COMPLETED
from sloproof.slo.definition import EventLatency, Latency

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sloproof.analysis.scored import Scored
    from sloproof.slo.definition import Objective


def margins(objectives: Sequence[Objective], scored: Scored) -> dict[str, float]:
    """Return the margin of every objective that clients can see, and that of the backlog; none without load.

    The events are those that `client.count` scores: what it calls good is within the margin, exactly.
    """
    if not scored.requests:
        return {}
    found = {each.name: _margin(each, scored) for each in objectives}
    seen = {name: margin for name, margin in found.items() if margin is not None}
    requests = scored.requests.values()
    intended_s = np.concatenate([each.intended_s for each in requests])
    return {
        **seen,
        STABILITY: stability_margin(intended_s, np.concatenate([each.end_s for each in requests])),
    }


def _margin(objective: Objective, scored: Scored) -> float | None:
    target = objective.target
    match objective.indicator:
        case Latency(method=method, route=route, threshold_s=threshold_s):
            mine = scored.of_endpoint(f"{method} {route}")
            latency_s = np.where(mine.served, mine.latency_s, np.inf)
            return latency_margin(latency_s, target=target, threshold_s=threshold_s)
        case EventLatency(event=event, threshold_s=threshold_s) if event == JOB_COMPLETED:
            latency_s = np.where(scored.jobs.succeeded, scored.jobs.latency_s, np.inf)
            return latency_margin(latency_s, target=target, threshold_s=threshold_s)
        case indicator:
            counts = client.count(indicator, scored)
            return None if counts is None else count_margin(counts, target=target)
