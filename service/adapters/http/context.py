"""Whose request this is, by its headers; knows no logger, no tracer and no route."""

import re
from collections.abc import Callable
from contextvars import ContextVar

from starlette.types import Scope

from service.domain.job import Origin

_ID = re.compile(r"[\x21-\x7e]{1,128}")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_READ = frozenset({b"x-request-id", b"x-user-id", b"traceparent"})

_current: ContextVar[Origin] = ContextVar("origin")


async def current_origin() -> Origin:
    """Return the origin of the request that is being answered."""
    return _current.get()


def enter(scope: Scope, *, traceparent: str | None, new_request_id: Callable[[], str]) -> Origin:
    """Read the origin from the request's headers, and make it the current one.

    ``traceparent`` is that of a span that surrounds the request, and wins over the client's. A header that
    is malformed is not taken over: it would end up in logs.
    """
    headers = {name: value.decode("latin-1") for name, value in scope["headers"] if name in _READ}
    origin = Origin(
        request_id=_valid(_ID, headers.get(b"x-request-id")) or new_request_id(),
        user_id=_valid(_ID, headers.get(b"x-user-id")),
        traceparent=traceparent or _valid(_TRACEPARENT, headers.get(b"traceparent")),
    )
    _current.set(origin)
    return origin


def _valid(pattern: re.Pattern[str], value: str | None) -> str | None:
    return value if value is not None and pattern.fullmatch(value) else None
