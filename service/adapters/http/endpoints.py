"""The endpoints of the API, their route templates and statuses: the words that metrics and SLOs share."""

from dataclasses import dataclass

from starlette.routing import compile_path

UNMATCHED = "unmatched"
OTHER_METHOD = "_OTHER"
CLIENT_CLOSED_REQUEST = 499

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A method on a route, and the statuses it answers with."""

    method: str
    route: str
    statuses: tuple[int, ...]


SUBMIT = Endpoint("POST", "/jobs", (202, 413, 422, 500, 503))
READ = Endpoint("GET", "/jobs/{id}", (200, 404, 500, 503))
API = (SUBMIT, READ)
PROBES = frozenset({"/healthz", "/readyz", "/metrics"})

_PATTERNS = tuple((compile_path(endpoint.route)[0], endpoint.route) for endpoint in API)


def route_of(path: str) -> str:
    """Return the template of the path's route, and one constant for all paths that have none.

    >>> route_of("/jobs/42"), route_of("/admin.php")
    ('/jobs/{id}', 'unmatched')
    """
    if path in PROBES:
        return path
    return next((route for pattern, route in _PATTERNS if pattern.match(path)), UNMATCHED)


def method_of(method: str) -> str:
    """Return the method, and ``_OTHER`` for what HTTP does not know (OpenTelemetry's convention)."""
    return method if method in _METHODS else OTHER_METHOD
