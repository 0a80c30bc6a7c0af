"""What is no Prometheus, or refuses, is told by what it is: with its address, without credentials."""

from __future__ import annotations

import doctest
import json
import math
import socket
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from sloproof.observe.address import Address, parse_address
from sloproof.observe.prometheus import (
    Prometheus,
    QueryError,
    Sample,
    UnreachableError,
    read_metrics,
    retention_s,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Impostor:
    """A server that gives one answer to everything, and keeps what it was asked."""

    port: int = 0
    status: int = 200
    body: str = ""
    takes_post: bool = True
    asked: list[tuple[str, str, str, str]] = field(default_factory=list)

    def says(self, data: object) -> None:
        self.body = json.dumps({"status": "success", "data": data})

    def prometheus(self, credentials: str = "") -> Prometheus:
        return Prometheus(self.address(credentials))

    def address(self, credentials: str = "", path: str = "") -> Address:
        return parse_address(f"http://{credentials}127.0.0.1:{self.port}{path}")


@pytest.fixture
def impostor() -> Iterator[Impostor]:
    this = Impostor()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer("")

        def do_POST(self) -> None:
            form = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._answer(form)

        def _answer(self, form: str) -> None:
            this.asked.append((self.command, self.path, form, self.headers.get("Authorization", "")))
            refused = self.command == "POST" and not this.takes_post
            self.send_response(405 if refused else this.status)
            self.send_header("Location", "/login")
            self.end_headers()
            self.wfile.write(this.body.encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        this.port = server.server_port
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield this
        server.shutdown()
        thread.join()


def test_the_series_of_a_query_come_with_their_labels_and_values(impostor: Impostor) -> None:
    impostor.says(
        {
            "resultType": "vector",
            "result": [
                {"metric": {"job": "a"}, "value": [1, "0.5"]},
                {"metric": {"job": "b"}, "value": [1, "+Inf"]},
            ],
        }
    )

    with impostor.prometheus() as prometheus:
        found = prometheus.query("up", at_s=12.5)

    assert found == [Sample({"job": "a"}, 0.5), Sample({"job": "b"}, math.inf)]
    (method, path, form, _), *_ = impostor.asked
    assert (method, path, parse_qs(form)) == ("POST", "/api/v1/query", {"query": ["up"], "time": ["12.500"]})


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"resultType": "scalar", "result": [1, "7"]}, 7.0),
        ({"resultType": "vector", "result": []}, None),
        ({"resultType": "vector", "result": [{"metric": {}, "value": [1, "3"]}]}, 3.0),
        ({"resultType": "vector", "result": [{"metric": {}, "value": [1, "NaN"]}]}, None),
        ({"resultType": "vector", "result": [{"metric": {}, "histogram": [1, {}]}]}, None),
    ],
    ids=["a scalar", "nothing", "one series", "no number", "a native histogram"],
)
def test_one_number_is_read_whatever_it_comes_in(
    impostor: Impostor, data: object, expected: float | None
) -> None:
    impostor.says(data)

    with impostor.prometheus() as prometheus:
        assert prometheus.number("x") == expected


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(
            {"resultType": "vector", "result": [{"metric": {}, "value": [1, "3"]}] * 2},
            "gives 2 series where one is wanted: sum( x )",
            id="several series",
        ),
        pytest.param(
            {"resultType": "matrix", "result": []},
            "gives a matrix where series are wanted: sum( x )",
            id="a range",
        ),
    ],
)
def test_an_answer_of_another_shape_is_the_fault_of_the_query(
    impostor: Impostor, data: object, message: str
) -> None:
    impostor.says(data)

    with impostor.prometheus() as prometheus, pytest.raises(QueryError) as told:
        prometheus.number("sum(\n  x\n)")

    assert (str(told.value), told.value.wrong) == (message, True)


@pytest.mark.parametrize(("kind", "wrong"), [("bad_data", True), ("execution", False), ("timeout", False)])
def test_a_refusal_says_whether_the_query_is_wrong_or_too_much(
    impostor: Impostor, kind: str, *, wrong: bool
) -> None:
    impostor.status = 422
    impostor.body = json.dumps({"status": "error", "errorType": kind, "error": "no"})

    with impostor.prometheus() as prometheus, pytest.raises(QueryError) as told:
        prometheus.query("x" * 300)

    assert told.value.wrong is wrong
    assert str(told.value) == f"no: {'x' * 199}…"


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        pytest.param(
            200, "<html>", "no Prometheus answers there, but something else (HTTP 200)", id="a page"
        ),
        pytest.param(
            404, "not found", "no Prometheus answers there, but something else (HTTP 404)", id="404"
        ),
        pytest.param(
            302, "", "no Prometheus answers there, but something else (HTTP 302)", id="a redirection"
        ),
        pytest.param(
            200, "[1]", "no Prometheus answers there, but something else (HTTP 200)", id="other JSON"
        ),
        pytest.param(
            401,
            "",
            "it refuses us (HTTP 401): give credentials, as in http://name:password@host",
            id="no credentials",
        ),
    ],
)
def test_what_is_no_prometheus_is_told_by_what_it_answers(
    impostor: Impostor, status: int, body: str, reason: str
) -> None:
    impostor.status, impostor.body = status, body

    with impostor.prometheus("me:secret@") as prometheus, pytest.raises(UnreachableError) as told:
        prometheus.now_s()

    assert str(told.value) == f"http://127.0.0.1:{impostor.port}: {reason}"


def test_nobody_at_an_address_is_told_without_credentials() -> None:
    address = parse_address("http://me:secret@127.0.0.1:1")

    with Prometheus(address) as prometheus, pytest.raises(UnreachableError) as told:
        prometheus.now_s()

    assert str(told.value).startswith("http://127.0.0.1:1: no Prometheus answers there: ")
    assert "secret" not in str(told.value) + repr(address)


def test_a_server_that_never_answers_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = parse_address(f"http://127.0.0.1:{silent.getsockname()[1]}")

        with Prometheus(address, answer_within_s=0.1) as prometheus, pytest.raises(UnreachableError) as told:
            prometheus.now_s()

    assert str(told.value) == f"{address}: no Prometheus answers there in time"


def test_a_clock_that_tells_no_time_is_none(impostor: Impostor) -> None:
    impostor.says({"resultType": "vector", "result": []})

    with impostor.prometheus() as prometheus, pytest.raises(UnreachableError, match="does not know the time"):
        prometheus.now_s()


def test_credentials_are_sent_and_a_path_before_the_api_is_kept(impostor: Impostor) -> None:
    impostor.says({"resultType": "scalar", "result": [1, "7"]})

    with Prometheus(impostor.address("me:s%40fe@", "/prometheus/")) as prometheus:
        assert prometheus.now_s() == 7

    assert impostor.asked[0][1] == "/prometheus/api/v1/query"
    assert impostor.asked[0][3] == "Basic bWU6c0BmZQ=="  # me:s@fe


def test_where_only_get_is_allowed_it_is_used(impostor: Impostor) -> None:
    impostor.takes_post = False
    impostor.says({"resultType": "scalar", "result": [1, "7"]})

    with impostor.prometheus() as prometheus:
        assert prometheus.number("a + b") == 7

    method, path, _, _ = impostor.asked[-1]
    assert (method, parse_qs(urlsplit(path).query)) == ("GET", {"query": ["a + b"]})


def test_what_only_speaks_the_same_api_has_no_state_and_no_targets(impostor: Impostor) -> None:
    impostor.status = 404

    with impostor.prometheus() as prometheus:
        assert prometheus.retention_s() is None
        assert prometheus.flags() == {}
        assert prometheus.targets() == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("15d", 15 * 86_400),
        ("1y2w", 379 * 86_400),
        ("30d or 10GB", 30 * 86_400),
        ("10GB", None),
        ("0s", None),
        ("", None),
    ],
)
def test_a_retention_is_read_as_a_prometheus_tells_it(text: str, expected: int | None) -> None:
    assert retention_s(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ftp://me:secret@host", "'ftp' cannot be asked"),
        ("file:///etc/passwd", "'file' cannot be asked"),
        ("me:secret@host:9090", "it has no http://"),
        ("127.0.0.1:9090", "it has no http://"),
        ("http://", "it names no host"),
        ("http://me:secret@host:port", "it is no address"),
        ("http://[me:secret@host", "it is no address"),
    ],
)
def test_an_address_of_another_kind_is_refused_without_its_credentials(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=r": write e\.g\. ") as told:
        parse_address(text)

    assert str(told.value) == f"{message}: write e.g. http://127.0.0.1:9090"


def test_an_address_is_shown_without_its_secrets_and_used_with_them() -> None:
    address = parse_address("https://me:secret@[::1]:9090/metrics?token=t")

    assert str(address) == "https://[::1]:9090/metrics"
    assert (address.url, address.credentials) == ("https://[::1]:9090/metrics?token=t", ("me", "secret"))
    assert address.is_local
    assert not parse_address("http://prometheus.example").is_local
    assert parse_address("http://localhost:9090").is_local


def test_metrics_are_read_as_text(impostor: Impostor) -> None:
    impostor.body = "up 1\n"

    assert read_metrics(impostor.address(path="/metrics")) == "up 1\n"


@pytest.mark.parametrize("status", [404, 503])
def test_metrics_that_are_not_there_are_told(impostor: Impostor, status: int) -> None:
    impostor.status = status

    with pytest.raises(UnreachableError) as told:
        read_metrics(impostor.address("me:secret@", "/metrics"))

    url = f"http://127.0.0.1:{impostor.port}/metrics"
    assert str(told.value) == f"{url}: no metrics can be read there: it answers HTTP {status}"


def test_metrics_of_nobody_are_told() -> None:
    with pytest.raises(UnreachableError, match=r"^http://127\.0\.0\.1:1/m: no metrics can be read there: "):
        read_metrics(parse_address("http://127.0.0.1:1/m"))


@pytest.mark.parametrize("module", ["address", "prometheus"])
def test_the_examples_of_a_module_are_true(module: str) -> None:
    outcome = doctest.testmod(import_module(f"sloproof.observe.{module}"))

    assert outcome.attempted
    assert not outcome.failed


def test_the_samples_of_a_range_come_with_their_moments(impostor: Impostor) -> None:
    impostor.says(
        {"resultType": "matrix", "result": [{"metric": {"a": "b"}, "values": [[1.5, "1"], [2.5, "NaN"]]}]}
    )

    with impostor.prometheus() as prometheus:
        ((labels, samples),) = prometheus.history("up[5s]", at_s=3)

    assert labels == {"a": "b"}
    assert samples[0] == (1.5, 1.0)
    assert math.isnan(samples[1][1])


def test_a_selector_without_a_range_has_no_history(impostor: Impostor) -> None:
    impostor.says({"resultType": "vector", "result": []})

    with impostor.prometheus() as prometheus, pytest.raises(QueryError, match="no samples over time: up"):
        prometheus.history("up", at_s=3)
