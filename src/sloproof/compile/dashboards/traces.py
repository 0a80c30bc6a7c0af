"""Links into Jaeger's search, whose address people give in the variable `jaeger`."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from sloproof.compile.dashboards.board import Link
from sloproof.slo.definition import Latency

if TYPE_CHECKING:
    from sloproof.slo.definition import Definition, Objective

NAME = "jaeger"
WITH_ERROR = quote('{"error":"true"}')
DEFAULT = "http://localhost:16686"


def of_this_time(service: str) -> Link:
    """Return the search for a service's traces in the time shown."""
    return Link("Traces of this time", _search(service))


def failed(service: str) -> Link:
    """Return the search for traces with an error, in the time shown."""
    return Link("Traces with errors", f"{_search(service)}&tags={WITH_ERROR}")


def slow(definition: Definition, objective: Objective) -> Link:
    """Return the search for traces of what was slower than an objective asks for, if it is about requests."""
    match objective.indicator:
        case Latency(method=method, route=route, threshold_s=threshold_s):
            # OpenTelemetry calls the span of a request so.
            operation = quote(f"{method} {route}", safe="")
            longer = f"&operation={operation}&minDuration={int(threshold_s * 1_000_000)}us"
            return Link("Traces above the limit", _search(definition.service) + longer)
        case _:
            return of_this_time(definition.service)


def _search(service: str) -> str:
    """Return the address of a search in the time shown; Jaeger counts it in microseconds."""
    return f"${{{NAME}}}/search?service={service}&start=${{__from}}000&end=${{__to}}000&limit=20"
