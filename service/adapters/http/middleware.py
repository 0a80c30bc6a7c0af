"""What surrounds every request: its context, its facts for metrics and the log, and the last-resort answer.

Pure ASGI: Starlette's BaseHTTPMiddleware costs 0.3 ms a request.
"""

import time
from collections.abc import Callable
from typing import Protocol

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.adapters.http import context
from service.adapters.http.endpoints import CLIENT_CLOSED_REQUEST, PROBES, method_of, route_of

log = structlog.get_logger()

_ERROR_BODY = b'{"detail":"internal error"}'


class RequestObserver(Protocol):
    """Who is told about requests to the API; must not raise."""

    def request_started(self, method: str, route: str) -> None:
        """Note that a request arrived."""

    def request_finished(self, method: str, route: str, status: int, duration_s: float) -> None:
        """Note that a request was answered or given up."""


class RequestMiddleware:
    """Enter the request's context, answer what nobody else does, report how it ended."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        observer: RequestObserver,
        draining: Callable[[], bool],
        new_request_id: Callable[[], str],
        current_traceparent: Callable[[], str | None],
    ) -> None:
        self._app = app
        self._observer = observer
        self._draining = draining
        self._new_request_id = new_request_id
        self._current_traceparent = current_traceparent

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; anything but HTTP passes through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        origin = context.enter(
            scope, traceparent=self._current_traceparent(), new_request_id=self._new_request_id
        )
        exchange = _Exchange(receive, send, self._headers(origin.request_id or ""))
        with structlog.contextvars.bound_contextvars(**origin.known()):
            if (route := route_of(scope["path"])) in PROBES:
                await self._answer(scope, exchange)
            else:
                await self._observed(scope, exchange, route)

    async def _observed(self, scope: Scope, exchange: "_Exchange", route: str) -> None:
        method = method_of(scope["method"])
        start = time.perf_counter()
        self._observer.request_started(method, route)
        try:
            await self._answer(scope, exchange)
        finally:
            duration_s = (exchange.ended_at or time.perf_counter()) - start
            self._observer.request_finished(method, route, exchange.status, duration_s)
            log.info(
                "request_finished",
                method=method,
                route=route,
                status=exchange.status,
                duration_s=round(duration_s, 6),
            )

    async def _answer(self, scope: Scope, exchange: "_Exchange") -> None:
        try:
            await self._app(scope, exchange.receive, exchange.send)
        except Exception:
            log.exception("request_failed", path=scope["path"])
            if exchange.started:
                raise  # the answer is broken off, which only the server can show
            await exchange.send_error()

    def _headers(self, request_id: str) -> list[tuple[bytes, bytes]]:
        headers = [(b"x-request-id", request_id.encode("latin-1"))]
        if self._draining():
            # The client is to come back on a new connection, which finds another process.
            headers.append((b"connection", b"close"))
        return headers


class _Exchange:
    """One request and its answer, seen as they pass."""

    def __init__(self, receive: Receive, send: Send, headers: list[tuple[bytes, bytes]]) -> None:
        self._receive = receive
        self._send = send
        self._headers = headers
        self._status: int | None = None
        self._disconnected = False
        self.ended_at: float | None = None

    @property
    def started(self) -> bool:
        """Whether the answer has begun."""
        return self._status is not None

    @property
    def status(self) -> int:
        """The status sent; 499 where the client left before, 500 where the answer never came or broke off."""
        if self._status is not None and self.ended_at is not None:
            return self._status
        return CLIENT_CLOSED_REQUEST if self._disconnected else 500

    async def receive(self) -> Message:
        """Pass on a message of the client."""
        message = await self._receive()
        if message["type"] == "http.disconnect" and self.ended_at is None:
            self._disconnected = True
        return message

    async def send(self, message: Message) -> None:
        """Pass on a message to the client, unless it has gone."""
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *self._headers]
            self._status = CLIENT_CLOSED_REQUEST if self._disconnected else message["status"]
        await self._send(message)
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            self.ended_at = time.perf_counter()

    async def send_error(self) -> None:
        """Answer 500."""
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(_ERROR_BODY)).encode()),
        ]
        await self.send({"type": "http.response.start", "status": 500, "headers": headers})
        await self.send({"type": "http.response.body", "body": _ERROR_BODY})
