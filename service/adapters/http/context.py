"""Whose request this is, by its headers; knows no logger, no span and no route."""

import re
from collections.abc import Callable
from contextvars import ContextVar

from starlette.types import Scope

from service.domain.job import Origin

TRACEPARENT_KEY = "service.traceparent"
"""Where a tracing middleware leaves the ``traceparent`` of its own span in the ASGI scope."""

_ID = re.compile(r"[\x21-\x7e]{1,128}")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")

_current: ContextVar[Origin] = ContextVar("origin")


def origin() -> Origin:
    """Return the origin of the request that is being answered (a FastAPI dependency)."""
    return _current.get()


def enter(scope: Scope, new_request_id: Callable[[], str]) -> Origin:
    """Read the origin from the request's headers, and make it the current one.

    An X-Request-ID, X-User-ID or traceparent that is malformed is not taken over: it ends up in logs.
    """
    headers = {name: value.decode("latin-1") for name, value in scope["headers"] if name in _READ}
    result = Origin(
        request_id=_valid(_ID, headers.get(b"x-request-id")) or new_request_id(),
        user_id=_valid(_ID, headers.get(b"x-user-id")),
        traceparent=scope.get(TRACEPARENT_KEY) or _valid(_TRACEPARENT, headers.get(b"traceparent")),
    )
    _current.set(result)
    return result


_READ = frozenset({b"x-request-id", b"x-user-id", b"traceparent"})


def _valid(pattern: re.Pattern[str], value: str | None) -> str | None:
    return value if value is not None and pattern.fullmatch(value) else None
