"""Rate, latency and errors over the load phase, in bins of time; it judges nothing and draws nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from sloproof.analysis.percentiles import nearest_rank

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

    @property
    def span_s(self) -> float:
        """How long all bins are together."""
        return self.bin_s * len(self.intended)


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """The requests of one trial to one endpoint, in the order of their intended starts.

    Two times are kept of each, since all else that is told of it follows from them: 16 bytes. ``ended_s`` is
    infinite where no answer came. ``since_s`` is the first intended start of the trial, to any endpoint.
    """

    since_s: float
    intended_s: NDArray[np.float64]
    ended_s: NDArray[np.float64]
    bad_s: NDArray[np.float64]

    @classmethod
    def of(cls, requests: Samples, since_s: float) -> Self:
        """Keep what is told of the requests of a trial, whose first was meant to start at `since_s`."""
        intended_s = requests.intended_s
        ended_s = np.where(requests.answered, requests.end_s, np.inf)
        bad = ~requests.served
        if (intended_s[1:] < intended_s[:-1]).any():
            order = np.argsort(intended_s)
            intended_s, ended_s, bad = intended_s[order], ended_s[order], bad[order]
        return cls(since_s, intended_s, ended_s, intended_s[bad])

    @property
    def latency_s(self) -> NDArray[np.float64]:
        """Seconds from the intended start to the last byte; +inf where no answer came."""
        return self.ended_s - self.intended_s

    def begins(self, edges_s: NDArray[np.float64]) -> NDArray[np.intp]:
        """Return where among the requests each bin begins, and where the last ends."""
        return _begins(self.intended_s - self.since_s, edges_s)

    def answered(self, edges_s: NDArray[np.float64]) -> NDArray[np.intp]:
        """Return how many answers arrived in each bin."""
        at_s = np.sort(self.ended_s - self.since_s)
        in_time = at_s[: np.searchsorted(at_s, edges_s[-1], side="right")]
        return np.diff(_begins(in_time, edges_s))

    def bad(self, edges_s: NDArray[np.float64]) -> NDArray[np.intp]:
        """Return how many requests of each bin were not served."""
        return np.diff(_begins(self.bad_s - self.since_s, edges_s))


@dataclass(frozen=True, slots=True, eq=False)
class Overlay:
    """The load phases of trials laid upon each other, each at its own first intended start.

    ``trials`` have a request, the longest of them for ``span_s``; ``layers`` are by endpoint.
    """

    span_s: float
    trials: int
    layers: Mapping[str, Sequence[Layer]]

    @classmethod
    def of(cls, requests: Mapping[str, Samples]) -> Self:
        """Take the load phase of one trial, its requests by endpoint."""
        if not requests:
            return cls(0.0, 0, {})
        since_s = float(min(each.intended_s.min() for each in requests.values()))
        until_s = float(max(each.intended_s.max() for each in requests.values()))
        layers = {endpoint: [Layer.of(each, since_s)] for endpoint, each in requests.items()}
        return cls(until_s - since_s, 1, layers)

    @classmethod
    def joined(cls, trials: Sequence[Overlay]) -> Self:
        """Lay trials upon each other, for as long as the longest has bins."""
        layers: dict[str, list[Layer]] = {}
        for trial in trials:
            for endpoint, its in trial.layers.items():
                layers.setdefault(endpoint, []).extend(its)
        ends_s = [
            float(edges_s[1]) * (len(edges_s) - 1) for edges_s in (t.edges_s for t in trials if t.trials)
        ]
        return cls(max(ends_s, default=0.0), sum(trial.trials for trial in trials), layers)

    @property
    def edges_s(self) -> NDArray[np.float64]:
        """The edges of the bins: at most 60, and none shorter than half a second unless the phase is."""
        bins = min(MOST_BINS, max(1, round(self.span_s / LEAST_BIN_S)))
        return np.linspace(0, self.span_s or LEAST_BIN_S, bins + 1)

    @property
    def endpoints(self) -> list[str]:
        """The endpoints that occur, sorted."""
        return sorted(self.layers)

    def latencies_s(self, endpoint: str) -> list[NDArray[np.float64]]:
        """Return the latencies of each trial that asked an endpoint, in the order of the intended starts."""
        return [layer.latency_s for layer in self.layers[endpoint]]

    def timelines(self) -> dict[str, Timeline]:
        """Return the timeline of each endpoint that occurs."""
        return {endpoint: self._timeline(self.layers[endpoint]) for endpoint in self.endpoints}

    def _timeline(self, layers: Sequence[Layer]) -> Timeline:
        edges_s = self.edges_s
        parts = [(layer.latency_s, layer.begins(edges_s)) for layer in layers]
        merged = [
            np.concatenate([latency_s[begins[each] : begins[each + 1]] for latency_s, begins in parts])
            for each in range(len(edges_s) - 1)
        ]
        p50_s, p99_s, max_s = zip(*map(_latencies_s, merged), strict=True)
        return Timeline(
            bin_s=float(edges_s[1]),
            trials=self.trials,
            intended=tuple(map(len, merged)),
            answered=tuple(np.sum([layer.answered(edges_s) for layer in layers], axis=0).tolist()),
            bad=tuple(np.sum([layer.bad(edges_s) for layer in layers], axis=0).tolist()),
            p50_s=p50_s,
            p99_s=p99_s,
            max_s=max_s,
        )


def _begins(ascending_s: NDArray[np.float64], edges_s: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return where among ascending times each bin begins, and where the last ends: it takes what is left."""
    return np.concatenate([[0], np.searchsorted(ascending_s, edges_s[1:-1]), [len(ascending_s)]])


def _latencies_s(values: NDArray[np.float64]) -> tuple[float | None, float | None, float | None]:
    """Return the p50, the p99 and the greatest of the values of a bin."""
    if not (n := len(values)):
        return None, None, None
    ordered = np.sort(values)
    p50_s, p99_s = (float(ordered[nearest_rank(n, q) - 1]) for q in (0.5, 0.99))
    return p50_s, p99_s if n >= LEAST_FOR_P99 else None, float(ordered[-1])
