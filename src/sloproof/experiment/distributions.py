"""How long requests and jobs of a configuration took, over its valid trials, which are added one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sloproof.analysis.intervals import median_interval
from sloproof.analysis.percentiles import QUANTILES, RARE_QUANTILES, curve
from sloproof.analysis.results import EndpointResult, Percentile
from sloproof.analysis.timeline import Overlay
from sloproof.observe import server
from sloproof.observe.conventions import JOB_COMPLETED
from sloproof.slo.definition import EventLatency

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from sloproof.analysis.intervals import Interval
    from sloproof.analysis.looking import Looking
    from sloproof.analysis.timeline import Timeline
    from sloproof.experiment.evaluate import Evaluated
    from sloproof.observe.scrape import Scrape
    from sloproof.slo.definition import Definition


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """The latency of an endpoint or event over trials, but for the intervals: they depend on all of a run.

    ``percentiles_s`` are, for each q, those of the trials that have enough for it, each with its block.
    """

    name: str
    requests: int
    percentiles_s: Mapping[float, Sequence[tuple[int, float]]]
    server_s: Mapping[float, tuple[float, float | None] | None]
    curve: tuple[tuple[float, float], ...]
    timeline: Timeline | None

    def result(self, looking: Looking | None) -> EndpointResult:
        """Return the distribution as results have it; `looking` says when the run is looked at."""
        return EndpointResult(
            endpoint=self.name,
            requests=self.requests,
            percentiles=tuple(
                Percentile(q=q, typical_s=_interval(seen, looking), server_s=self.server_s[q])
                for q, seen in self.percentiles_s.items()
                if q in QUANTILES or seen
            ),
            curve=self.curve,
            timeline=self.timeline,
        )


def _interval(seen: Sequence[tuple[int, float]], looking: Looking | None) -> Interval | None:
    return median_interval([value for _, value in seen]) if looking is None else looking.interval(seen)


class Gathering:
    """What is kept of the trials of a configuration until the last is read: of a request 16 bytes."""

    def __init__(self, definition: Definition) -> None:
        self._definition = definition
        self._overlays: list[Overlay] = []
        self._jobs_s: list[NDArray[np.float64]] = []
        self._gains: list[Scrape] = []
        self._percentiles_s: dict[tuple[str, float], list[tuple[int, float]]] = {}

    def add(self, trial: Evaluated) -> None:
        """Add a valid trial."""
        self._overlays.append(trial.overlay)
        self._jobs_s.append(trial.scored.jobs.latency_s)
        if trial.gain is not None:
            self._gains.append(trial.gain)
        for each in trial.percentiles:
            seen = self._percentiles_s.setdefault((each.about, each.q), [])
            seen.append((trial.result.block, each.value_s))

    def distributions(self) -> Iterator[Distribution]:
        """Yield those of each endpoint that was scored, then of each event that clients can see."""
        overlay, requests = Overlay.joined(self._overlays), self._definition.metrics.requests
        for endpoint, timeline in overlay.timelines().items():
            histogram = server.endpoint_histogram(self._gains, requests=requests, endpoint=endpoint)
            yield self._distribution(endpoint, overlay.latencies_s(endpoint), histogram, timeline)
        for objective in self._definition.objectives:
            match objective.indicator:
                case EventLatency(event=event, histogram=name) if event == JOB_COMPLETED:
                    if any(map(len, self._jobs_s)):
                        yield self._distribution(event, self._jobs_s, server.histogram(self._gains, name))

    def _distribution(
        self,
        name: str,
        latencies_s: Sequence[NDArray[np.float64]],
        histogram: Mapping[float, float],
        timeline: Timeline | None = None,
    ) -> Distribution:
        qs = (*QUANTILES, *RARE_QUANTILES)
        return Distribution(
            name=name,
            requests=sum(map(len, latencies_s)),
            percentiles_s={q: self._percentiles_s.get((name, q), []) for q in qs},
            server_s={q: server.percentile_bounds_s(histogram, q) for q in qs},
            curve=curve(latencies_s),
            timeline=timeline,
        )
