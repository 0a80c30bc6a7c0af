"""Whether the thresholds of a file are bounds of the buckets that its service exposes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sloproof.compile.lint.findings import Level, listed
from sloproof.compile.promql import BUCKET, METHOD, ROUTE
from sloproof.slo.definition import EventLatency, Latency
from sloproof.slo.wording import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from decimal import Decimal

    from sloproof.compile.lint.findings import Finding, Source
    from sloproof.compile.lint.given import Exposition
    from sloproof.slo.definition import Objective
    from sloproof.slo.yamltree import Location


def check(source: Source, exposed: Exposition) -> Iterator[Finding]:
    """Yield each threshold that is no bound, and each histogram that is not there.

    Native histograms have no buckets of their own, and no place in the text format.
    """
    if source.definition.metrics.native:
        return
    for index, objective in source.objectives():
        match objective.indicator:
            case Latency(method=method, route=route, threshold_s=threshold_s):
                histogram, labels = source.definition.metrics.requests, {METHOD: method, ROUTE: route}
                key: Location = ("metrics", "requests")
            case EventLatency(histogram=histogram, threshold_s=threshold_s):
                labels, key = {}, ("objectives", index, "indicator", "latency", "histogram")
            case _:
                continue
        if not (buckets := exposed.histograms.get(histogram)):
            line = source.line(*key) if source.has(*key) else objective.line
            yield _missing(source, objective, line, histogram, exposed)
            continue
        if of_these := [each for each in buckets if labels.items() <= each.items()]:
            buckets = tuple(of_these)
        else:
            yield _unasked(source, objective, labels, buckets, exposed)
        bounds = sorted({float(each[BUCKET]) for each in buckets if BUCKET in each})
        if float(threshold_s) not in bounds:
            yield _no_bound(source, index, histogram, threshold_s, bounds)


def _missing(source: Source, objective: Objective, line: int, histogram: str, exposed: Exposition) -> Finding:
    if histogram in exposed.histograms:
        return source.finding(
            line,
            Level.WARNING,
            what=f"the threshold of '{objective.name}' cannot be checked",
            because=f"{exposed.name} declares the histogram {histogram} and has no bucket of it yet",
            cure="let the service do once what is measured, and read its metrics again",
        )
    if histogram in exposed.metrics:
        because, cure = f"{exposed.name} has {histogram}, which is no histogram", "name a histogram"
    else:
        because, cure = f"{exposed.name} has no metric of that name", "export it, or read another address"
        if exposed.histograms:
            near, known = nearest(histogram, exposed.histograms), listed(sorted(exposed.histograms))
            cure = f"name a histogram that is there{near} (one of: {known})"
    return source.finding(
        line,
        Level.ERROR,
        what=f"the histogram {histogram} of '{objective.name}' is missing",
        because=because,
        cure=cure,
    )


def _unasked(
    source: Source,
    objective: Objective,
    labels: Mapping[str, str],
    buckets: Iterable[Mapping[str, str]],
    exposed: Exposition,
) -> Finding:
    endpoints = sorted({f"{each.get(METHOD, '')} {each.get(ROUTE, '')}".strip() for each in buckets} - {""})
    return source.finding(
        objective.line,
        Level.WARNING,
        what=f"'{objective.name}' is about {' '.join(labels.values())}, which nobody has asked for",
        because=f"{exposed.name} has counted {listed(endpoints) if endpoints else 'no endpoint'} only",
        cure="send such a request, or correct method and route, which is the template and not a path",
    )


def _no_bound(
    source: Source, index: int, histogram: str, threshold_s: Decimal, bounds: Sequence[float]
) -> Finding:
    below = max((bound for bound in bounds if bound < threshold_s), default=None)
    above = min((bound for bound in bounds if threshold_s < bound < math.inf), default=None)
    name, threshold = source.definition.objectives[index].name, seconds(threshold_s)
    return source.finding(
        source.line("objectives", index, "indicator", "latency", "threshold"),
        Level.ERROR,
        what=f"the threshold of '{name}', {threshold}, is no bound of a bucket",
        because=f"the buckets of {histogram} {_neighbours(below, above)}, and nothing in between is counted",
        cure=f"write {_choices(below, above)}, or give the histogram a bucket up to {threshold}",
    )


def _neighbours(below: float | None, above: float | None) -> str:
    match below, above:
        case float(), float():
            return f"end at {seconds(below)} and at {seconds(above)}"
        case float(), None:
            return f"end at {seconds(below)}, the next only at infinity"
        case None, float():
            return f"begin with one up to {seconds(above)}"
        case _:
            return "have no finite bound"


def _choices(below: float | None, above: float | None) -> str:
    given = [f"threshold: {seconds(bound)}" for bound in (below, above) if bound is not None]
    return " or ".join(given) or "an availability objective"


def seconds(value: float | Decimal) -> str:
    """Return seconds as an SLO file has them.

    >>> seconds(0.25), seconds(2.5), seconds(2.0)
    ('250ms', '2.5s', '2s')
    """
    return f"{float(value):g}s" if value >= 1 else f"{float(value) * 1000:g}ms"
