from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from textwrap import dedent, indent
from typing import TYPE_CHECKING

import pytest

from sloproof.load.process import LoadProcess
from sloproof.load.protocol import LoadConfig
from tests.integration.load.harness import ONE_WORKER, RunningSubject, StartLoad, WriteLocustfile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sloproof.load.workers import Workers

SUBJECT = Path(__file__).parent / "subject.py"


@pytest.fixture
def subject() -> Iterator[RunningSubject]:
    with subprocess.Popen(
        [sys.executable, str(SUBJECT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        yield RunningSubject(f"http://127.0.0.1:{int(server.stdout.readline())}")
        server.stdin.close()


@pytest.fixture
def locustfile(tmp_path: Path) -> WriteLocustfile:
    def write(methods: str) -> Path:
        path = tmp_path / "locustfile.py"
        body = indent(dedent(methods), "    ")
        path.write_text(f"from locust import FastHttpUser, task\n\n\nclass Visitor(FastHttpUser):\n{body}")
        return path

    return write


@pytest.fixture
def load(tmp_path: Path) -> Iterator[StartLoad]:
    started: list[LoadProcess] = []

    def start(
        locustfile: Path,
        host: str,
        *,
        users: int = 64,
        timeout_s: float = 10.0,
        workers: Workers = ONE_WORKER,
    ) -> LoadProcess:
        config = LoadConfig(
            locustfile=locustfile,
            host=host,
            output=tmp_path / "load",
            users=users,
            timeout_s=timeout_s,
            workers=workers,
        )
        started.append(LoadProcess(config))
        return started[-1]

    yield start
    for process in started:
        process.kill()
