"""How a request ended: counted once, with the status that is true."""

import asyncio
from dataclasses import dataclass, field

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.testing import capture_logs

from service.adapters.http.middleware import RequestMiddleware

DISCONNECT: Message = {"type": "http.disconnect"}
START: Message = {"type": "http.response.start", "status": 200, "headers": []}
BODY: Message = {"type": "http.response.body", "body": b"x"}
PART: Message = {"type": "http.response.body", "body": b"x", "more_body": True}


@dataclass
class Counted:
    """A request observer that remembers."""

    started: list[tuple[str, str]] = field(default_factory=list)
    finished: list[tuple[str, str, int]] = field(default_factory=list)

    def request_started(self, method: str, route: str) -> None:
        self.started.append((method, route))

    def request_finished(self, method: str, route: str, status: int, duration_s: float) -> None:
        assert duration_s >= 0
        self.finished.append((method, route, status))


async def answers(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({**START, "headers": [(b"a", b"b")]})
    await send(BODY)


async def crashes(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise ValueError("a defect")


async def crashes_within_the_answer(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send(dict(START))
    await send(PART)
    raise ValueError("a defect")


async def crashes_after_the_answer(scope: Scope, receive: Receive, send: Send) -> None:
    await answers(scope, receive, send)
    raise ValueError("a defect")


async def is_cancelled(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise asyncio.CancelledError


async def notices_that_the_client_left(_scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    await send({**START, "status": 400})
    await send(BODY)


async def never_answers(_scope: Scope, receive: Receive, _send: Send) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


@dataclass
class Exchange:
    """One request through the middleware and what came of it."""

    counted: Counted = field(default_factory=Counted)
    sent: list[Message] = field(default_factory=list)
    error: BaseException | None = None

    def run(
        self, app: ASGIApp, *, method: str = "POST", path: str = "/jobs", draining: bool = False
    ) -> "Exchange":
        middleware = RequestMiddleware(
            app,
            observer=self.counted,
            draining=lambda: draining,
            new_request_id=lambda: "made",
            current_traceparent=lambda: None,
        )
        scope = {"type": "http", "method": method, "path": path, "headers": []}

        async def receive() -> Message:
            return DISCONNECT

        async def send(message: Message) -> None:
            self.sent.append(message)

        with capture_logs():
            try:
                asyncio.run(middleware(scope, receive, send))
            except (ValueError, asyncio.CancelledError) as exc:
                self.error = exc
        return self

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.sent[0]["headers"])


@pytest.mark.parametrize(
    ("app", "status"),
    [
        (answers, 200),
        (crashes, 500),
        (crashes_within_the_answer, 500),
        (crashes_after_the_answer, 200),
        (is_cancelled, 500),
        (notices_that_the_client_left, 499),
        (never_answers, 499),
    ],
    ids=lambda value: value.__name__ if callable(value) else None,
)
def test_a_request_is_counted_once_with_the_status_that_is_true(app: ASGIApp, status: int) -> None:
    exchange = Exchange().run(app)
    assert exchange.counted.started == [("POST", "/jobs")]
    assert exchange.counted.finished == [("POST", "/jobs", status)]


@pytest.mark.parametrize(
    ("method", "path", "counted"),
    [
        ("GET", "/jobs/17", [("GET", "/jobs/{id}", 200)]),
        ("GET", "/jobs/17/18", [("GET", "unmatched", 200)]),
        ("GET", "/", [("GET", "unmatched", 200)]),
        ("BREW", "/jobs", [("_OTHER", "/jobs", 200)]),
        ("GET", "/healthz", []),
        ("GET", "/readyz", []),
        ("GET", "/metrics", []),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_requests_are_counted_by_route_and_probes_not_at_all(
    method: str, path: str, counted: list[tuple[str, str, int]]
) -> None:
    assert Exchange().run(answers, method=method, path=path).counted.finished == counted


def test_a_defect_is_answered_without_its_details() -> None:
    exchange = Exchange().run(crashes)
    assert exchange.error is None
    assert [message.get("status") for message in exchange.sent] == [500, None]
    assert exchange.sent[1]["body"] == b'{"detail":"internal error"}'
    assert exchange.headers[b"x-request-id"] == b"made"


def test_an_answer_that_breaks_off_is_left_to_the_server_to_abort() -> None:
    assert isinstance(Exchange().run(crashes_within_the_answer).error, ValueError)


def test_answers_echo_the_request_id_and_send_clients_away_while_draining() -> None:
    assert Exchange().run(answers).headers == {b"a": b"b", b"x-request-id": b"made"}
    draining = Exchange().run(answers, draining=True).headers
    assert draining == {b"a": b"b", b"x-request-id": b"made", b"connection": b"close"}


def test_anything_but_http_passes_through() -> None:
    seen = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope["type"])

    async def unused(*_: Message) -> Message:
        raise AssertionError

    middleware = RequestMiddleware(
        app,
        observer=Counted(),
        draining=lambda: False,
        new_request_id=lambda: "made",
        current_traceparent=lambda: None,
    )
    asyncio.run(middleware({"type": "lifespan"}, unused, unused))  # type: ignore[arg-type]
    assert seen == ["lifespan"]
