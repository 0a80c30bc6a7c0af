"""What a subject and its load generator used of the machine in a trial, from counters; it judges nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sloproof.analysis.capacity.limits import Usage
from sloproof.observe.conventions import JOB_END_TO_END, JOB_WAIT, LOOP_LAG, PROCESS_CPU

if TYPE_CHECKING:
    from sloproof.analysis.scored import Scored
    from sloproof.observe.scrape import Scrape


def usage(
    gain: Scrape | None,
    scored: Scored,
    *,
    generator_cpu: float | None,
    requests: str,
    seconds: float,
) -> Usage:
    """Return what was used over the `seconds` between the two scrapes that `gain` is the difference of.

    `requests` names the histogram of HTTP requests. A subject that has lost its counts tells nothing.
    """
    answered = [each.latency_s[each.answered] for each in scored.requests.values()]
    latency_s = np.concatenate(answered) if answered else ()
    cpu_s = [] if gain is None else [value for _, value in gain.select(PROCESS_CPU)]
    return Usage(
        subject_cpu=sum(cpu_s) / seconds if cpu_s else None,
        worker_cpu=max(cpu_s) / seconds if cpu_s else None,
        generator_cpu=generator_cpu,
        loop_lag_s=_mean(gain, LOOP_LAG),
        queued_s=_mean(gain, JOB_WAIT),
        ended_s=_mean(gain, JOB_END_TO_END),
        server_s=_mean(gain, requests),
        client_s=float(np.mean(latency_s)) if len(latency_s) else None,
    )


def _mean(gain: Scrape | None, histogram: str) -> float | None:
    """Return the mean of what a histogram has counted, in seconds."""
    if gain is None or not (count := gain.total(f"{histogram}_count")):
        return None
    return gain.total(f"{histogram}_sum") / count
