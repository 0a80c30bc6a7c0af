"""How long requests and jobs of a configuration took, over its valid trials, read one by one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from sloproof.analysis.intervals import median_interval
from sloproof.analysis.percentiles import QUANTILES, curve, percentile
from sloproof.analysis.results import EndpointResult, Percentile
from sloproof.analysis.samples import Phase
from sloproof.analysis.timeline import Overlay
from sloproof.observe import server
from sloproof.observe.conventions import JOB_COMPLETED
from sloproof.slo.definition import EventLatency

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from sloproof.analysis.intervals import Interval
    from sloproof.analysis.looking import Looking
    from sloproof.analysis.results import TrialResult
    from sloproof.analysis.timeline import Timeline
    from sloproof.experiment.runfolder import RunFolder
    from sloproof.slo.definition import Definition

RARE_QUANTILES = (0.999,)
"""Those that are left out where no trial has requests enough for them, as in most runs."""


def distributions(
    run: RunFolder, definition: Definition, valid: Sequence[TrialResult], looking: Looking | None
) -> Iterator[EndpointResult]:
    """Yield the latency of each endpoint that was scored, then of each event that clients can see.

    Trials are read one by one, so that only what is kept of them takes memory.
    """
    trials, blocks = [run.trial(trial.folder) for trial in valid], [trial.block for trial in valid]
    gains = [gain for trial in trials if (gain := trial.gain()) is not None]
    requests = definition.metrics.requests
    overlay = Overlay(max((each.span_s for trial in valid for each in trial.timelines.values()), default=0.0))
    for trial in trials:
        overlay.add(trial.samples().select(phase=Phase.LOAD))
    for endpoint in overlay.endpoints:
        yield _distribution(
            endpoint,
            overlay.latencies_s(endpoint),
            server.endpoint_histogram(gains, requests=requests, endpoint=endpoint),
            interval=partial(_interval, blocks=blocks, looking=looking),
            timeline=overlay.timeline(endpoint),
        )
    for objective in definition.objectives:
        match objective.indicator:
            case EventLatency(event=event, histogram=name) if event == JOB_COMPLETED:
                jobs = [trial.jobs().select(phase=Phase.LOAD).latency_s for trial in trials]
                if any(map(len, jobs)):
                    yield _distribution(
                        event,
                        jobs,
                        server.histogram(gains, name),
                        interval=partial(_interval, blocks=blocks, looking=looking),
                        timeline=None,
                    )


def _interval(
    values: Sequence[float | None], *, blocks: Sequence[int], looking: Looking | None
) -> Interval | None:
    """Return the interval of a percentile, from what it is in each trial that has enough for it."""
    seen = [(block, value) for block, value in zip(blocks, values, strict=True) if value is not None]
    return median_interval([value for _, value in seen]) if looking is None else looking.interval(seen)


def _distribution(
    name: str,
    trials: Sequence[NDArray[np.float64]],
    histogram: Mapping[float, float],
    *,
    interval: Callable[[Sequence[float | None]], Interval | None],
    timeline: Timeline | None,
) -> EndpointResult:
    found = {q: [percentile(latency_s, q) for latency_s in trials] for q in (*QUANTILES, *RARE_QUANTILES)}
    return EndpointResult(
        endpoint=name,
        requests=sum(len(latency_s) for latency_s in trials),
        percentiles=tuple(
            Percentile(q=q, typical_s=interval(values), server_s=server.percentile_bounds_s(histogram, q))
            for q, values in found.items()
            if q in QUANTILES or any(value is not None for value in values)
        ),
        curve=curve(trials),
        timeline=timeline,
    )
