"""Workers that others start: ``sloproof load-worker`` joins, serves trial after trial, and harms nobody."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from sloproof.analysis.samples import Phase
from sloproof.load.endings import NO_MASTER
from sloproof.load.files import read_samples
from sloproof.load.process import LoadInputError, LoadProcess
from sloproof.load.protocol import LoadConfig
from sloproof.load.workers import Workers
from tests.integration.load.harness import order

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.load.harness import RunningSubject, WriteLocustfile

WITHIN_S = 60
OK = "@task\ndef ok(self):\n    self.client.get('/status/200')\n"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def load_worker(locustfile: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    command = ["load-worker", "-f", str(locustfile), "--master-host", "127.0.0.1", "--master-port", str(port)]
    with subprocess.Popen(
        [sys.executable, "-m", "sloproof", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as worker:
        try:
            yield worker
        finally:
            worker.kill()


def config(locustfile: Path, host: str, output: Path, workers: Workers) -> LoadConfig:
    return LoadConfig(
        locustfile=locustfile,
        host=host,
        output=output,
        users=8,
        workers=workers,
        allow_hosts=("example.com",),
    )


def test_workers_from_elsewhere_serve_one_trial_after_another_beside_those_from_here(
    subject: RunningSubject, locustfile: WriteLocustfile, tmp_path: Path
) -> None:
    path, port = locustfile(OK), free_port()
    copy = tmp_path / "traffic.py"
    copy.write_bytes(path.read_bytes())
    with load_worker(copy, port) as one, load_worker(copy, port) as other:
        for trial in ("first", "second"):
            workers = Workers(local=1, remote=2, bind_port=port)
            with LoadProcess(config(path, subject.host, tmp_path / trial, workers)) as process:
                facts = process.phase(order(rate=60))
                process.finish()
            assert (facts.scheduled, facts.completed) == (60, 60)
            assert [each.scheduled for each in facts.workers] == [20, 20, 20]
            assert len(read_samples(tmp_path / trial).select(phase=Phase.LOAD)) == 60
        for worker in (one, other):
            worker.send_signal(signal.SIGTERM)
            said, error = worker.communicate(timeout=WITHIN_S)
            assert worker.returncode == 130, error
            assert "trial 1 done" in said
    assert subject.seen() == {"GET /status/200": 120}


def test_a_worker_with_another_locust_file_is_refused_and_the_run_waits_for_a_right_one(
    subject: RunningSubject, locustfile: WriteLocustfile, tmp_path: Path
) -> None:
    path, port = locustfile(OK), free_port()
    another = tmp_path / "another.py"
    another.write_text(path.read_text() + "\n# changed\n")
    workers = Workers(local=0, remote=1, bind_port=port)
    with LoadProcess(config(path, subject.host, tmp_path / "load", workers), wait=False) as process:
        with load_worker(another, port) as wrong:
            _, error = wrong.communicate(timeout=WITHIN_S)
            assert wrong.returncode == 2
            assert "Locust file is another than the master's" in error
        with load_worker(path, port):
            process.await_ready()
            assert process.phase(order(rate=10)).completed == 10


def test_a_worker_sends_nothing_to_a_host_that_it_was_not_told_to_allow(
    locustfile: WriteLocustfile, tmp_path: Path
) -> None:
    path, port = locustfile(OK), free_port()
    workers = Workers(local=0, remote=1, bind_port=port)
    elsewhere = config(path, "http://example.com", tmp_path / "load", workers)
    with load_worker(path, port) as worker:
        with pytest.raises(LoadInputError, match=r"'example.com' is not this machine.*\(load worker 1\)"):
            LoadProcess(elsewhere)
        _, error = worker.communicate(timeout=WITHIN_S)
    assert worker.returncode == 2
    assert "must be allowed by name" in error


def test_a_worker_that_finds_no_master_in_time_says_so(locustfile: WriteLocustfile) -> None:
    settings = {
        "locustfile": str(locustfile(OK)),
        "master_host": "127.0.0.1",
        "master_port": free_port(),
        "within_s": 1,
    }
    command = [sys.executable, "-m", "sloproof.load.worker", json.dumps(settings)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as worker:  # which ends when its stdin does
        assert worker.wait(WITHIN_S) == NO_MASTER
