"""The data behind the charts of the pages, in the units of their axes; it draws nothing."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING, Any

from sloproof.analysis.capacity.search import Step
from sloproof.report.text import asks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from sloproof.analysis.capacity.result import Curve, Point
    from sloproof.analysis.results import Results, TrialResult
    from sloproof.analysis.timeline import Timeline

Chart = dict[str, Any]
# A page must stay quick to open however many configurations there are: points in the curves of one chart.
MOST_POINTS = 24_000
LEAST_OF_A_CURVE = 60
FITTED_TICKS = 40
LEAST_SHARE = 0.1  # of a threshold over a latency: beyond a tenth, and ten times, a fit means nothing


def percentile_charts(results: Results) -> Iterator[Chart]:
    """Yield a chart for each endpoint and event: a curve for each configuration."""
    thresholds = {each.endpoint: each for each in results.objectives if each.endpoint}
    endpoints = dict.fromkeys(each.endpoint for c in results.configurations for each in c.endpoints)
    for number, endpoint in enumerate(endpoints):
        curves = {
            configuration.id: _thinned(each.curve, len(results.configurations))
            for configuration in results.configurations
            for each in configuration.endpoints
            if each.endpoint == endpoint
        }
        objective = thresholds.get(endpoint)
        yield {
            "id": f"percentiles-{number}",
            "kind": "percentiles",
            "title": f"{endpoint} · {asks(objective)}" if objective else endpoint,
            "threshold_ms": objective.threshold_s * 1e3 if objective and objective.threshold_s else None,
            "target_x": _nines(float(objective.target)) if objective and objective.target else None,
            "x_max": max((points[-1][0] for points in curves.values() if points), default=3.0),
            "series": [{"name": name, "points": points} for name, points in curves.items()],
        }


def capacity_charts(results: Results) -> Iterator[Chart]:
    """Yield a chart for each endpoint of each configuration: latency and processors over the offered rate."""
    objectives = {each.name: each for each in results.objectives}
    for number, capacity in enumerate(results.capacities):
        points = sorted(capacity.points, key=lambda point: point.rate_per_s)
        for at, each in enumerate(capacity.curves):
            objective = objectives.get(each.objective or "")
            yield {
                "id": f"capacity-{number}-{at}",
                "kind": "capacity",
                "configuration": capacity.configuration,
                "title": f"{each.endpoint} · {asks(objective)}" if objective else each.endpoint,
                "rates": [point.rate_per_s for point in points],
                "met": [point.met for point in points],
                "p50": [_milliseconds(_median_s(point, each)) for point in points],
                "target": [_milliseconds(_at_target_s(point, each)) for point in points],
                "cpu": [None if point.subject_cpu is None else _shown(point.subject_cpu) for point in points],
                "typical": {
                    "p50": _typical(points, each, _median_s),
                    "target": _typical(points, each, _at_target_s),
                },
                # Where an objective is far from its limit its line is laid through limited values.
                "fit": _fitted(each, points) if each.objective == capacity.binding else [],
                "threshold_ms": each.threshold_s * 1e3 if each.threshold_s else None,
                "knee": each.knee_per_s,
                "at_least": capacity.at_least_per_s,
                "estimate": capacity.estimate_per_s,
            }


def _median_s(point: Point, curve: Curve) -> float | None:
    return point.latencies_s.get(curve.endpoint, (None, None))[0]


def _at_target_s(point: Point, curve: Curve) -> float | None:
    """Return the latency that decides the endpoint's objective; without one, its p99."""
    if curve.objective is None:
        return point.latencies_s.get(curve.endpoint, (None, None))[1]
    return point.at_target_s.get(curve.endpoint)


def _typical(
    points: Sequence[Point], curve: Curve, latency_s: Callable[[Point, Curve], float | None]
) -> list[tuple[float, float]]:
    """Return the median over the valid trials of each rate, in milliseconds."""
    by_rate: dict[float, list[float]] = {}
    for point in points:
        if point.valid and (seconds := latency_s(point, curve)) is not None:
            by_rate.setdefault(point.rate_per_s, []).append(seconds)
    return [(rate, _shown(statistics.median(values) * 1e3)) for rate, values in by_rate.items()]


def _fitted(curve: Curve, points: Sequence[Point]) -> list[tuple[float, float]]:
    """Return the fitted latency over the rates that it was fitted to, in milliseconds, where it is one."""
    rates = [point.rate_per_s for point in points if point.step is Step.FIT]
    if curve.intercept is None or curve.slope_s is None or not curve.threshold_s or not rates:
        return []
    low, high = min(rates), max(rates)
    ticks = [low + (high - low) * tick / FITTED_TICKS for tick in range(FITTED_TICKS + 1)]
    left = [(rate, 1 + curve.intercept + curve.slope_s * rate) for rate in ticks]
    return [
        (_shown(rate), _shown(curve.threshold_s / share * 1e3))
        for rate, share in left
        if LEAST_SHARE < share < 1 / LEAST_SHARE
    ]


def configuration_charts(results: Results) -> list[Chart]:
    """Return the charts over time of every configuration, all of a kind on the same axis."""
    return _on_one_axis(
        {**chart, "id": f"time-{number}-{chart['id']}", "configuration": configuration.id}
        for number, configuration in enumerate(results.configurations)
        for chart in _over_time(
            {each.endpoint: each.timeline for each in configuration.endpoints if each.timeline}, results
        )
    )


def trial_charts(trial: TrialResult, results: Results) -> list[Chart]:
    """Return the charts over time of one trial."""
    return _on_one_axis(_over_time(trial.timelines, results))


def _over_time(timelines: Mapping[str, Timeline], results: Results) -> Iterator[Chart]:
    """Yield the rates of all endpoints together, then the latencies of each."""
    if not timelines:
        return
    thresholds = {each.endpoint: each.threshold_s for each in results.objectives if each.threshold_s}
    yield _rates(list(timelines.values()))
    for number, (endpoint, timeline) in enumerate(timelines.items()):
        lines = {"p50": timeline.p50_s, "p99": timeline.p99_s, "max": timeline.max_s}
        threshold_s = thresholds.get(endpoint)
        yield {
            "id": f"latency-{number}",
            "kind": "latency",
            "title": f"{endpoint}, latency",
            "bin_s": timeline.bin_s,
            "lines": {
                name: [_milliseconds(value) for value in values]
                for name, values in lines.items()
                if any(value is not None for value in values)
            },
            "threshold_ms": threshold_s * 1e3 if threshold_s else None,
        }


def _rates(timelines: Sequence[Timeline]) -> Chart:
    first = timelines[0]
    errors = sum(sum(each.bad) for each in timelines)
    columns = {
        "intended": [each.intended for each in timelines],
        "answered": [each.answered for each in timelines],
    }
    if errors:  # a red line along the bottom would alarm for nothing
        columns["errors"] = [each.bad for each in timelines]
    return {
        "id": "rate",
        "kind": "rate",
        "title": f"requests per second, {errors or 'no'} error{'' if errors == 1 else 's'}",
        "bin_s": first.bin_s,
        "lines": {
            name: [_shown(sum(counts) / first.bin_s / first.trials) for counts in zip(*each, strict=True)]
            for name, each in columns.items()
        },
        "threshold_ms": None,
    }


def _on_one_axis(charts: Iterable[Chart]) -> list[Chart]:
    made = list(charts)
    values: dict[str, list[float]] = {}
    for chart in made:
        drawn = [value for line in chart["lines"].values() for value in line if value is not None]
        drawn += [chart["threshold_ms"]] if chart["threshold_ms"] else []
        values.setdefault(chart["kind"], []).extend(drawn)
    return [
        {**chart, "range": [min(values[chart["kind"]], default=0), max(values[chart["kind"]], default=0)]}
        for chart in made
    ]


def _thinned(curve: Sequence[tuple[float, float]], curves: int) -> list[tuple[float, float]]:
    """Return a curve's points on the axes of its chart: fewer, but its last, where there are many curves."""
    step = math.ceil(len(curve) / max(LEAST_OF_A_CURVE, MOST_POINTS // curves))
    kept = curve[::-1][:: max(1, step)][::-1]
    return [(round(_nines(q), 4), _shown(s * 1e3)) for q, s in kept if math.isfinite(s)]


def _nines(q: float) -> float:
    """Return where a quantile stands on the axis: 1 for p90, 2 for p99, 3 for p99.9."""
    return -math.log10(1 - q)


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None or math.isinf(seconds) else _shown(seconds * 1e3)


def _shown(value: float) -> float:
    """Return a value to the four digits that a chart can show."""
    return float(f"{value:.4g}")
