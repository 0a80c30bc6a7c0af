"""Rate, latency and errors over the load phase, in bins of time; it judges nothing and draws nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sloproof.analysis.samples import Phase

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from sloproof.analysis.samples import Samples

MOST_BINS = 60
LEAST_BIN_S = 0.5
"""Shorter ones hold too few requests to tell a change from chance."""
LEAST_FOR_P99 = 100
"""With fewer the p99 is the greatest value, which is there anyway."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The load phase of one endpoint, a value a bin; bins count from the first intended start of a trial.

    Requests stand where they were meant to start: ``intended`` of them, of which ``bad`` were not served,
    with the latencies ``p50_s``, ``p99_s`` and ``max_s``, ``None`` where too few say so and infinite where
    no answer came. ``answered`` alone counts answers where they arrived, so that a backlog shows as a lack
    of them; those after the last bin are left out. Counts are of all ``trials`` together.
    """

    bin_s: float
    trials: int
    intended: tuple[int, ...]
    answered: tuple[int, ...]
    bad: tuple[int, ...]
    p50_s: tuple[float | None, ...]
    p99_s: tuple[float | None, ...]
    max_s: tuple[float | None, ...]


def timelines(trials: Sequence[Samples]) -> Mapping[str, Timeline]:
    """Return the timeline of each endpoint over the load phase of trials that are laid upon each other.

    All of them have the same bins: at most 60, and none shorter than half a second unless the phase is.
    """
    scored = [load for trial in trials if len(load := trial.select(phase=Phase.LOAD))]
    if not scored:
        return {}
    begins_s = [load.intended_s.min() for load in scored]
    span_s = max(float(np.ptp(load.intended_s)) for load in scored)
    bins = min(MOST_BINS, max(1, round(span_s / LEAST_BIN_S)))
    edges_s = np.linspace(0, span_s or LEAST_BIN_S, bins + 1)
    return {
        endpoint: _timeline(
            [load.select(endpoint=endpoint) for load in scored], begins_s=begins_s, edges_s=edges_s
        )
        for endpoint in sorted({endpoint for load in scored for endpoint in load.endpoints})
    }


def _timeline(
    loads: Sequence[Samples], *, begins_s: Sequence[float], edges_s: NDArray[np.float64]
) -> Timeline:
    shifted = list(zip(loads, begins_s, strict=True))
    intended_s = np.concatenate([load.intended_s - begin_s for load, begin_s in shifted])
    ended_s = np.concatenate([load.end_s[load.answered] - begin_s for load, begin_s in shifted])
    served = np.concatenate([load.served for load in loads])
    latency_s = np.concatenate([load.latency_s for load in loads])
    bin_of = np.clip(np.searchsorted(edges_s, intended_s, side="right") - 1, 0, len(edges_s) - 2)
    latencies = [np.sort(latency_s[bin_of == each]) for each in range(len(edges_s) - 1)]
    return Timeline(
        bin_s=float(edges_s[1]),
        trials=len(loads),
        intended=tuple(len(each) for each in latencies),
        answered=tuple(np.histogram(ended_s, edges_s)[0].tolist()),
        bad=tuple(np.bincount(bin_of[~served], minlength=len(latencies)).tolist()),
        p50_s=tuple(_nearest_rank(each, 0.5) for each in latencies),
        p99_s=tuple(_nearest_rank(each, 0.99) if len(each) >= LEAST_FOR_P99 else None for each in latencies),
        max_s=tuple(_nearest_rank(each, 1.0) for each in latencies),
    )


def _nearest_rank(ordered: NDArray[np.float64], q: float) -> float | None:
    return float(np.quantile(ordered, q, method="inverted_cdf")) if len(ordered) else None
