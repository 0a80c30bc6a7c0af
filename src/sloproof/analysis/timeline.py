"""Rate, latency and errors over the load phase, in bins of time; it judges nothing and draws nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sloproof.analysis.percentiles import nearest_rank
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

    @property
    def span_s(self) -> float:
        """How long all bins are together."""
        return self.bin_s * len(self.intended)


def timelines(trials: Sequence[Samples]) -> Mapping[str, Timeline]:
    """Return the timeline of each endpoint over the load phase of trials that are laid upon each other."""
    loads = [trial.select(phase=Phase.LOAD) for trial in trials]
    overlay = Overlay(max((float(np.ptp(load.intended_s)) for load in loads if len(load)), default=0.0))
    for load in loads:
        overlay.add(load)
    return {endpoint: overlay.timeline(endpoint) for endpoint in overlay.endpoints}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layer:
    """The requests of one trial to one endpoint; latencies lie bin by bin, ``ends`` says where each ends."""

    trial: int
    latency_s: NDArray[np.float64]
    ends: NDArray[np.intp]
    answered: NDArray[np.intp]
    bad: NDArray[np.intp]

    def of_bin(self, each: int) -> NDArray[np.float64]:
        return self.latency_s[self.ends[each - 1] if each else 0 : self.ends[each]]


class Overlay:
    """The load phases of trials laid upon each other, each at its own first intended start.

    A trial is let go of once it is added: of a request only the latency is kept, 8 bytes.
    """

    def __init__(self, span_s: float) -> None:
        """Make bins for a phase so long: at most 60, and none shorter than half a second unless it is."""
        bins = min(MOST_BINS, max(1, round(span_s / LEAST_BIN_S)))
        self._edges_s = np.linspace(0, span_s or LEAST_BIN_S, bins + 1)
        self._bins = bins
        self._added = self._trials = 0
        self._layers: dict[str, list[_Layer]] = {}

    def add(self, load: Samples) -> None:
        """Add the load phase of a trial; one without a request is not among those laid upon each other."""
        self._added += 1
        if not len(load):
            return
        self._trials += 1
        since_s = load.intended_s.min()
        ended_s, codes, size = load.end_s - since_s, load.endpoint.codes, len(load.endpoint.vocabulary)
        intended = self._cells(codes, load.intended_s - since_s)
        in_time = load.answered & (ended_s <= self._edges_s[-1])
        counts, answered, bad = (
            np.bincount(cells, minlength=size * self._bins).reshape(size, self._bins)
            for cells in (intended, self._cells(codes[in_time], ended_s[in_time]), intended[~load.served])
        )
        latency_s = load.latency_s[np.argsort(intended, kind="stable")]
        starts = np.append(0, np.cumsum(counts.sum(axis=1)))
        for code, endpoint in enumerate(load.endpoint.vocabulary):
            if counts[code].any():
                layer = _Layer(
                    trial=self._added - 1,
                    latency_s=latency_s[starts[code] : starts[code + 1]],
                    ends=np.cumsum(counts[code]),
                    answered=answered[code],
                    bad=bad[code],
                )
                self._layers.setdefault(str(endpoint), []).append(layer)

    @property
    def endpoints(self) -> list[str]:
        """The endpoints that occur, sorted."""
        return sorted(self._layers)

    def latencies_s(self, endpoint: str) -> list[NDArray[np.float64]]:
        """Return the latencies of each trial that was added, in no order that means anything."""
        found = [np.array([])] * self._added
        for layer in self._layers[endpoint]:
            found[layer.trial] = layer.latency_s
        return found

    def timeline(self, endpoint: str) -> Timeline:
        """Return the timeline of an endpoint that occurs."""
        layers = self._layers[endpoint]
        merged = [np.concatenate([layer.of_bin(each) for layer in layers]) for each in range(self._bins)]
        p50_s, p99_s, max_s = zip(*map(_latencies_s, merged), strict=True)
        return Timeline(
            bin_s=float(self._edges_s[1]),
            trials=self._trials,
            intended=tuple(map(len, merged)),
            answered=tuple(np.sum([layer.answered for layer in layers], axis=0).tolist()),
            bad=tuple(np.sum([layer.bad for layer in layers], axis=0).tolist()),
            p50_s=p50_s,
            p99_s=p99_s,
            max_s=max_s,
        )

    def _cells(self, codes: NDArray[np.integer[Any]], at_s: NDArray[np.float64]) -> NDArray[np.integer[Any]]:
        """Return a number for each endpoint and bin; small ones are sorted by counting, which is quick."""
        bin_of = np.searchsorted(self._edges_s[1:-1], at_s, side="right")
        few = (int(codes.max(initial=0)) + 1) * self._bins <= np.iinfo(np.int16).max
        kind = np.dtype(np.int16 if few else np.int32)
        cells: NDArray[np.integer[Any]] = codes.astype(kind) * self._bins + bin_of.astype(kind)
        return cells


def _latencies_s(values: NDArray[np.float64]) -> tuple[float | None, float | None, float | None]:
    """Return the p50, the p99 and the greatest of the values of a bin."""
    if not (n := len(values)):
        return None, None, None
    places = [nearest_rank(n, 0.5) - 1, nearest_rank(n, 0.99) - 1, n - 1]
    p50_s, p99_s, max_s = np.partition(values, places)[places].tolist()
    return p50_s, p99_s if n >= LEAST_FOR_P99 else None, max_s
