"""HTTP answers read at a glance: one match tells a plain one, whose parts are parsed when they are asked for.

geventhttpclient's parser calls back into Python for each header: 39 µs an answer, where the match takes 4 µs.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from geventhttpclient.header import Headers
from geventhttpclient.response import HTTPSocketResponse
from locust.contrib.fasthttp import FastRequest, FastResponse, LocustBadStatusCode, ResponseContextManager

if TYPE_CHECKING:
    from collections.abc import Callable

    from sloproof.load.line import Unplain

_VALUE = rb"[\t -~\x80-\xff]*+"
# What these headers ask for takes more than reading so many bytes; 1xx, 204 and 3xx as well.
_UNUSUAL = rb"content-length|content-encoding|transfer-encoding|connection|upgrade|set-cookie"
_FIELD = rb"(?!" + _UNUSUAL + rb")[!#$%&'*+.^_`|~0-9a-z-]++:" + _VALUE + rb"\r\n"
PLAIN = re.compile(
    rb"HTTP/1\.1 ((?!204)[245]\d\d) " + _VALUE + rb"\r\n"
    rb"(?:" + _FIELD + rb")*+content-length:[ \t]*+(\d{1,15})[ \t]*+\r\n(?:" + _FIELD + rb")*+\r\n",
    re.IGNORECASE,
)
FIELD = re.compile(rb"\r\n([^:\r\n]++):[ \t]*+([^\r\n]*+)")
LOCATION = re.compile(rb"\r\nlocation:[ \t]*+([^\r\n]*+)", re.IGNORECASE)
JSON = re.compile(rb"\r\ncontent-type:[ \t]*+application/json[ \t]*+\r\n", re.IGNORECASE)


class PlainResponse(FastResponse):
    """What FastResponse is to a task, for an answer that matched ``PLAIN`` and is followed by nothing.

    ``elapsed_s`` is the time from sending the request to having read the answer.
    """

    error: Exception | None = None
    _headers: Headers | None = None
    _request_made: FastRequest | None = None
    _parsed: Parsed | None = None

    def __init__(
        self, raw: bytes, plain: re.Match[bytes], make_request: Callable[[], FastRequest], elapsed_s: float
    ) -> None:
        self._raw = raw
        self._head_ends = plain.end()
        self._status = int(plain[1])
        self._make_request = make_request
        self._cached_content = raw[plain.end() :]
        self._elapsed = elapsed_s
        self._history = []

    @property
    def status_code(self) -> int:
        """The HTTP status."""
        return self._status

    @property
    def headers(self) -> Headers:  # type: ignore[override]
        """The answer's headers, in a dict that does not mind their case."""
        if self._headers is None:
            self._headers = Headers()
            for field, value in FIELD.findall(self._raw, 0, self._head_ends):
                self._headers.add(field.decode("latin-1"), value.decode("latin-1"))
        return self._headers

    @property
    def request(self) -> FastRequest:  # type: ignore[override]
        """The request that this answers."""
        if self._request_made is None:
            self._request_made = self._make_request()
        return self._request_made

    @property
    def text(self) -> str | None:  # type: ignore[override]
        """The body as text; JSON is UTF-8 unless its header says otherwise (RFC 8259, section 8.1)."""
        if self.encoding is None and JSON.search(self._raw, 0, self._head_ends):
            self.encoding = "utf-8"
        return super().text

    @property
    def location(self) -> str | None:
        """The ``Location`` header, found without parsing the others; ``None`` where there is not just one."""
        found = LOCATION.findall(self._raw, 0, self._head_ends)
        return found[0].decode("latin-1") if len(found) == 1 else None

    @property
    def _response(self) -> Parsed:  # type: ignore[override]
        if self._parsed is None:
            self._parsed = Parsed(self._raw)
        return self._parsed


class CaughtResponse(PlainResponse, ResponseContextManager):
    """The same for ``catch_response=True``; nobody hears of it before its with-block is over."""

    def report_to(self, request_event: Any, request_meta: dict[str, Any]) -> None:  # noqa: ANN401 - Locust's
        """Say what is to hear of it, and what else that is to hear."""
        self._request_event = request_event
        self.request_meta = request_meta
        self._catch_response = True

    def _report_request(self) -> None:
        # Were it in its own meta, each answer would wait for the garbage collector.
        self._request_event.fire(response=self, **self.request_meta)


class ParsedResponse(FastResponse):
    """What FastResponse is for an answer whose head was read before the agent asked for it."""

    def __init__(self, received: Unplain, request: FastRequest) -> None:
        super().__init__(received, request, received._sent_request)  # noqa: SLF001 - as the agent does
        self._waited_s = received.waited_s

    @property
    def elapsed(self) -> timedelta | None:
        """The time from sending the request to having the head."""
        return timedelta(seconds=(self._elapsed or 0.0) + self._waited_s)


class Parsed(HTTPSocketResponse):
    """An answer that has been received and read, for what only geventhttpclient's own class can tell."""

    def __init__(self, raw: bytes) -> None:
        super(HTTPSocketResponse, self).__init__()
        self._sock = None
        self.feed(raw)
        self.read()


def bad_status(response: PlainResponse, url: str) -> LocustBadStatusCode:
    """Return the exception that Locust reports with a status it calls bad."""
    error = LocustBadStatusCode(url, code=response.status_code)
    error.response = response  # type: ignore[attr-defined]
    error.request = response.request  # type: ignore[attr-defined]
    return error
