from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, ClassVar

import pytest

from sloproof.subject.docker import ProxyCost, probe
from sloproof.subject.docker.engine import _is_here
from sloproof.subject.docker.image import _tag, build_command

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.mark.parametrize(
    ("address", "is_here"),
    [
        ("unix:///var/run/docker.sock", True),
        ("http+unix:///run/user/1000/docker.sock", True),
        ("tcp://127.0.0.1:2375", True),
        ("tcp://127.9.9.9:2375", True),
        ("tcp://localhost:2375", True),
        ("tcp://[::1]:2375", True),
        ("tcp://10.0.0.1:2375", False),
        ("tcp://0.0.0.0:2375", False),
        ("tcp://localhost.example:2375", False),
        ("ssh://localhost", False),
        ("ssh://me@127.0.0.1", False),
        ("tcp://", False),
    ],
)
def test_only_an_engine_that_is_surely_on_this_machine_is_taken(address: str, *, is_here: bool) -> None:
    assert _is_here(address) is is_here


def test_the_command_of_a_build_can_be_pasted_into_a_shell() -> None:
    command = build_command(Path("my service"), dockerfile="deploy/Dockerfile", args={"TAG": "a b", "A": "1"})

    assert command == (
        "docker build -f 'my service/deploy/Dockerfile' --build-arg A=1 --build-arg 'TAG=a b' 'my service'"
    )


def test_the_tag_of_an_image_tells_apart_what_is_built_from(tmp_path: Path) -> None:
    folder = tmp_path / "My Service!"
    tags = [
        _tag(folder, None, {}),
        _tag(folder, None, {"A": "1"}),
        _tag(folder, "other", {}),
        _tag(tmp_path / "b" / "My Service!", None, {}),
    ]

    assert all(tag.startswith("sloproof/my-service:") for tag in tags)
    assert len(set(tags)) == len(tags)
    assert _tag(tmp_path / "x" / ".." / "My Service!", None, {}) == tags[0]
    assert _tag(Path("/"), None, {}).startswith("sloproof/subject:")


def test_what_the_proxy_adds_is_the_difference_of_medians_and_of_the_99th_percentiles() -> None:
    direct = [0.001] * 95 + [0.010] * 5
    published = [0.003] * 95 + [0.040] * 5

    cost = ProxyCost.between(direct, published)

    assert cost.direct_median_s == 0.001
    assert cost.published_median_s == 0.003
    assert cost.added_median_s == pytest.approx(0.002)
    assert cost.added_p99_s == pytest.approx(0.030)
    assert cost.requests == 100


class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    asked: ClassVar[list[tuple[object, str]]]

    def do_GET(self) -> None:
        self.asked.append((self.client_address, self.path))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def server() -> Iterator[ThreadingHTTPServer]:
    Answering.asked = []
    with ThreadingHTTPServer((probe.HOST, 0), Answering) as listening:
        Thread(target=listening.serve_forever, daemon=True).start()
        try:
            yield listening
        finally:
            listening.shutdown()


def test_the_probe_asks_on_one_connection_and_leaves_out_the_first_answers() -> None:
    with server() as listening:
        times = probe.service_times_s(listening.server_port, "/readyz", count=10, within_s=60)

    assert len(times) == 10
    assert min(times) > 0
    assert len(Answering.asked) == 10 + probe.WARMUP
    assert len(set(Answering.asked)) == 1
    assert Answering.asked[0][1] == "/readyz"


def test_the_probe_stops_when_its_time_is_over() -> None:
    with server() as listening:
        assert probe.service_times_s(listening.server_port, "/", count=10, within_s=1e-9) == []


def test_the_probes_text_alone_is_a_program() -> None:
    with server() as listening:
        text = Path(probe.__file__).read_text()
        arguments = [str(listening.server_port), "/", "3", "60"]
        told = subprocess.run(
            [sys.executable, "-I", "-c", text, *arguments], capture_output=True, text=True, check=True
        )

    assert len(json.loads(told.stdout)) == 3
