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
from sloproof.analysis.samples import Phase
from sloproof.analysis.scored import Scored
from sloproof.observe import client
from sloproof.observe.conventions import JOB_COMPLETED
from sloproof.slo.definition import EventLatency, Latency

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sloproof.analysis.jobs import Jobs
    from sloproof.analysis.samples import Samples
    from sloproof.slo.definition import Objective


def margins(objectives: Sequence[Objective], samples: Samples, jobs: Jobs) -> dict[str, float]:
    """Return the margin of every objective that clients can see, and that of the backlog; none without load.

    The events are those that `client.count` scores: what it calls good is within the margin, exactly.
    """
    scored = samples.select(phase=Phase.LOAD)
    if not len(scored):
        return {}
    found = {each.name: _margin(each, samples, jobs) for each in objectives}
    seen = {name: margin for name, margin in found.items() if margin is not None}
    return {**seen, STABILITY: stability_margin(scored.intended_s, scored.end_s)}


def _margin(objective: Objective, samples: Samples, jobs: Jobs) -> float | None:
    target = objective.target
    match objective.indicator:
        case Latency(method=method, route=route, threshold_s=threshold_s):
            mine = samples.select(phase=Phase.LOAD, endpoint=f"{method} {route}")
            latency_s = np.where(mine.served, mine.latency_s, np.inf)
            return latency_margin(latency_s, target=target, threshold_s=threshold_s)
        case EventLatency(event=event, threshold_s=threshold_s) if event == JOB_COMPLETED:
            ended = jobs.select(phase=Phase.LOAD)
            latency_s = np.where(ended.succeeded, ended.latency_s, np.inf)
            return latency_margin(latency_s, target=target, threshold_s=threshold_s)
        case indicator:
            counts = client.count(indicator, Scored.of(samples, jobs))
            return None if counts is None else count_margin(counts, target=target)
