"""The traffic counts as failed what a service in good order would not have answered, and goes on."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from deploy.stack_check.proof import until
from deploy.stack_check.traffic import driven
from tests.integration.service.harness import DEADLINE_S, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator


class Answering(BaseHTTPRequestHandler):
    """Answer a POST with what the server was told to, and every GET well."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        status, body, headers = self.server.answer  # type: ignore[attr-defined]
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def test_a_job_that_is_accepted_and_read_again_is_no_failure(server: ThreadingHTTPServer) -> None:
    server.answer = (202, b'{"id": "7"}', {"Location": "/jobs/7"})  # type: ignore[attr-defined]

    with driven(f"http://127.0.0.1:{server.server_port}") as tally:
        assert until(lambda: len(tally.jobs) > 1, good=bool, within_s=DEADLINE_S, every_s=0.01)

    assert tally.failed == 0
    assert set(tally.jobs) == {"7"}
    assert tally.requests == 2 * len(tally.jobs)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param((503, b"{}", {}), id="refused"),
        pytest.param((202, b"accepted", {}), id="no JSON"),
        pytest.param((202, b"{}", {"Location": "/jobs/7"}), id="no id"),
        pytest.param((202, b'{"id": "7"}', {}), id="no location"),
    ],
)
def test_every_other_answer_is_a_failure_and_does_not_end_the_traffic(
    server: ThreadingHTTPServer, answer: tuple[int, bytes, dict[str, str]]
) -> None:
    server.answer = answer  # type: ignore[attr-defined]

    with driven(f"http://127.0.0.1:{server.server_port}") as tally:
        assert until(lambda: tally.failed > 1, good=bool, within_s=DEADLINE_S, every_s=0.01)


def test_a_service_that_is_gone_is_a_failure() -> None:
    with driven(f"http://127.0.0.1:{free_port()}") as tally:
        assert until(lambda: tally.failed > 1, good=bool, within_s=DEADLINE_S, every_s=0.01)

    assert tally.jobs == []
