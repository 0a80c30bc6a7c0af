"""A FastHttpSession that costs a third: what is usual it does itself, and all else it leaves to the original.

Usual is a request without cookies, form, files or stream whose answer has a length and is no redirect.
"""

from __future__ import annotations

import json as json_format
from functools import partial
from time import perf_counter, time
from typing import TYPE_CHECKING, Any, cast

import gevent
from geventhttpclient.url import URL
from locust.contrib.fasthttp import (
    FAILURE_EXCEPTIONS,
    FastHttpSession,
    FastRequest,
    FastResponse,
    LocustUserAgent,
)

from sloproof.load.answers import CaughtResponse, ParsedResponse, PlainResponse, bad_status
from sloproof.load.heads import Heads, Kind, encoded, merged
from sloproof.load.line import Line, Unplain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from geventhttpclient.client import HTTPClientPool

    from sloproof.load.line import Plain

WAITED = "sloproof_waited_s"
MILLISECONDS = 1e3
USUAL = frozenset({"json", "headers", "context", "catch_response"})


class QuickSession(FastHttpSession):
    """Takes the place of a session, whose settings it keeps; each request may take ``timeout_s`` in all.

    ``WAITED`` in the context of an event says how many seconds of its request had passed when the original's
    clock began.
    """

    def __init__(self, original: FastHttpSession, clients: HTTPClientPool, *, timeout_s: float) -> None:
        vars(self).update(vars(original))
        self.client.clientpool = clients
        self.client._urlopen = self._urlopen  # type: ignore[method-assign]  # noqa: SLF001 - where it sends
        self._timeout_s = timeout_s
        self._timer = gevent.get_hub().loop.timer(timeout_s, timeout_s)
        self._busy = False
        self._others = 0
        self._line: Line | None = None
        self._base: tuple[str | None, str | None] | None = None
        self._heads: Heads | None = None
        self._received: Unplain | BaseException | None = None

    def close(self) -> None:
        """Close all connections."""
        if self._line is not None:
            self._line.close()
        self.client.clientpool.close()
        self._line = self._base = None

    def request(  # type: ignore[override]  # its further arguments, by name
        self,
        method: str,
        url: str,
        name: str | None = None,
        data: Any = None,  # noqa: ANN401 - whatever can be sent
        **options: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401 - a FastResponse or a context manager, as the options say
        """Send a request, with FastHttpSession's arguments."""
        if self._busy:  # with another greenlet of the same user
            self._others += 1
            try:
                with gevent.Timeout(self._timeout_s):
                    return super().request(method, url, name, data, **options)
            finally:
                self._others -= 1
        self._busy = True
        # One timer for all requests: 0.3 µs where gevent.Timeout takes 6 µs. start() would give it only what
        # it had left when it was stopped; again() gives it its whole time.
        self._timer.again(self._expire, gevent.getcurrent(), update=True)
        try:
            meta: dict[str, Any] = {"request_type": method, "name": name or self.request_name or url}
            answer = self._quickly(method, url, data, options, meta)
            if answer is None:
                return super().request(method, url, name, data, **options)
        finally:
            self._timer.stop()
            self._busy = False
            self._received = None
            if self._others and self._line is not None:
                self._line.give_back()  # which one of them may be waiting for
        return self._report(answer, meta, partial(self._ask, method, meta["url"], data, options), options)

    def _quickly(
        self, method: str, url: str, data: object, options: dict[str, Any], meta: dict[str, Any]
    ) -> Plain | None:
        """Send a usual request, and return its answer if that is plain; ``meta`` gets what the event says."""
        start_time, began_s = time(), perf_counter()
        request = self._usual(method, url, data, options)
        if request is None:
            return None
        answer = self._exchange(method, request)
        elapsed_s = perf_counter() - began_s
        context = options.get("context") or {}
        if answer is None:
            options["context"] = {**context, WAITED: elapsed_s}
            if isinstance(self._received, Unplain):
                self._received.waited_s = elapsed_s
            return None
        meta["context"] = {**self.user.context(), **context} if self.user else context
        meta["exception"] = None
        meta["start_time"] = start_time
        meta["url"] = f"{self.base_url}{url}"
        meta["response_length"] = len(answer[0]) - answer[1].end()
        meta["response_time"] = elapsed_s * MILLISECONDS
        return answer

    def _report(
        self, answer: Plain, meta: dict[str, Any], ask: Callable[[], FastRequest], options: Mapping[str, Any]
    ) -> PlainResponse:
        kind = CaughtResponse if options.get("catch_response") else PlainResponse
        response = kind(*answer, ask, meta["response_time"] / MILLISECONDS)
        if response.status_code not in self.client.valid_response_codes:
            response.error = meta["exception"] = bad_status(response, meta["url"])
        if isinstance(response, CaughtResponse):
            response.report_to(self.request_event, meta)
        else:
            self.request_event.fire(response=response, **meta)
        return response

    def _ask(self, method: str, url: str, data: object, options: Mapping[str, Any]) -> FastRequest:
        """Make the object that describes a request that was sent."""
        kind = Kind.NONE if data or options.get("json") is None else Kind.JSON
        headers = merged(self.client, kind, options.get("headers") or {}, self.auth_header)
        payload = data if kind is Kind.NONE else json_format.dumps(options["json"])
        request = self.client._make_request(url, method, headers=headers, payload=payload)  # noqa: SLF001
        return cast("FastRequest", request)

    def _usual(self, method: str, url: str, data: object, options: Mapping[str, Any]) -> bytes | None:
        """Return a request as it is sent; ``None`` for one that only the original knows how to send."""
        cookies = self.cookiejar._cookies  # type: ignore[attr-defined]  # noqa: SLF001 - its len() walks them all
        if options.keys() <= USUAL and not cookies:
            if self._base != (self.base_url, self.auth_header):
                self._settle()
            body = encoded(data, options.get("json"))
            if self._heads is not None and body is not None:
                request = self._heads.request(method, url, *body, options.get("headers"))
                if request is not None:
                    return request
        if self._line is not None:
            self._line.give_back()
        return None

    def _settle(self) -> None:
        """Prepare for the base URL, which a task may change, as an authorization."""
        if self._line is not None:
            self._line.give_back()
        self._base = self.base_url, self.auth_header
        self._line = self._heads = None
        base = URL(self.base_url or "")
        if base.scheme == "http" and not base.query:
            client = self.client.clientpool.get_client(base)
            self._line = Line(client)
            self._heads = Heads(self.client, client, prefix=base.path, authorization=self.auth_header)

    def _exchange(self, method: str, request: bytes) -> Plain | None:
        """Return a plain answer; any other, or a failure, is kept for the original to deal with."""
        assert self._line is not None  # noqa: S101 - where there are heads, there is a line
        try:
            answer = self._line.exchange(method, request)
        except FAILURE_EXCEPTIONS as exc:
            self._received = exc
            return None
        if isinstance(answer, tuple):
            return answer
        self._received = answer
        return None

    def _urlopen(self, request: FastRequest) -> FastResponse:
        """Stand in for the agent's sending: what was received already takes none."""
        received, self._received = self._received, None
        match received:
            case None:
                original = LocustUserAgent._urlopen(self.client, request)  # type: ignore[no-untyped-call]  # noqa: SLF001
                return cast("FastResponse", original)
            case BaseException():
                raise received
            case _:
                return ParsedResponse(received, request)

    def _expire(self, greenlet: gevent.Greenlet) -> None:
        greenlet.throw(gevent.Timeout(self._timeout_s))
