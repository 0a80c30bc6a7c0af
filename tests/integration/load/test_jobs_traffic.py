"""The jobs service's traffic: plain Locust runs it, with its page or without, and so does the generator."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.error import URLError
from urllib.request import urlopen

import numpy as np
import pytest

from sloproof.analysis.samples import Outcome, Phase
from sloproof.load.files import read_jobs, read_samples
from sloproof.load.protocol import Audit
from tests.integration.load.harness import order

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.load.harness import StartLoad

ROOT = Path(__file__).parents[3]
LOCUSTFILE = ROOT / "loadtest" / "locustfile.py"
DEADLINE_S = 60


@contextmanager
def running(command: list[str], log: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a module in a process group of its own; pytest shows its log when a test fails."""
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    try:
        yield process
        process.terminate()
        process.wait(DEADLINE_S)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        print(log.read_text(errors="replace"))  # noqa: T201 - shown by pytest when a test fails


def fetch(url: str, process: subprocess.Popen[bytes]) -> bytes:
    """Get a page of a process that may not listen yet."""
    deadline = time.monotonic() + DEADLINE_S
    while True:
        try:
            with urlopen(url, timeout=DEADLINE_S) as response:  # noqa: S310 - it is on this machine
                return cast("bytes", response.read())
        except URLError:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture
def service(tmp_path: Path) -> Iterator[str]:
    """The jobs service itself, by its address."""
    host = f"http://127.0.0.1:{free_port()}"
    command = ["service", "--workers", "2", "--port", host.rpartition(":")[2]]
    settings = {"SERVICE_DATABASE": str(tmp_path / "jobs.db"), "SERVICE_PRE_STOP_DELAY_S": "0"}
    with running(command, tmp_path / "service.log", **settings) as process:
        fetch(f"{host}/readyz", process)
        yield host


def test_plain_locust_runs_it_headless_without_a_failure(service: str, tmp_path: Path) -> None:
    result = tmp_path / "result"
    command = ["locust", "-f", str(LOCUSTFILE), "--host", service, "--headless", "--json-file", str(result)]
    ended = subprocess.run(
        [sys.executable, "-m", *command, "-u", "5", "-r", "5", "-t", "5s"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    entries: list[dict[str, Any]] = json.loads(result.with_suffix(".json").read_text())
    counts = {f"{entry['method']} {entry['name']}": entry["num_requests"] for entry in entries}
    assert counts.keys() == {"POST /jobs", "GET /jobs/{id}"}
    assert [entry["num_failures"] for entry in entries] == [0, 0]


def test_plain_locusts_page_offers_it(service: str, tmp_path: Path) -> None:
    port = free_port()
    command = ["locust", "-f", str(LOCUSTFILE), "--host", service, "--web-host", "127.0.0.1"]
    with running([*command, "--web-port", str(port)], tmp_path / "locust.log") as process:
        page = fetch(f"http://127.0.0.1:{port}/", process).decode()
        tasks = json.loads(fetch(f"http://127.0.0.1:{port}/tasks", process))
    assert "JobsUser" in page
    assert tasks["per_class"]["JobsUser"]["tasks"].keys() == {"submit", "read_back"}


def test_the_generator_runs_it_half_and_half_and_every_accepted_job_ends_once(
    service: str, load: StartLoad, tmp_path: Path
) -> None:
    process = load(LOCUSTFILE, service, users=32)
    process.phase(order(phase=Phase.WARMUP, rate=100))
    facts = process.phase(order(rate=100, duration_s=3))
    audit = process.audit(Audit(host=service))
    process.finish()
    samples = read_samples(tmp_path / "load").select(phase=Phase.LOAD)
    assert process.ready.tasks == ("JobsUser.submit", "JobsUser.read_back")
    assert (facts.completed, facts.bad) == (300, 0)
    assert {endpoint: np.count_nonzero(samples.endpoint == endpoint) for endpoint in samples.endpoints} == {
        "GET /jobs/{id}": 150,
        "POST /jobs": 150,
    }
    assert set(samples.outcome) == {Outcome.ANSWERED}
    assert set(samples.status[samples.endpoint == "POST /jobs"]) == {202}
    jobs = read_jobs(tmp_path / "load")
    assert len(jobs.select(phase=Phase.LOAD)) == 150
    assert (audit.ended, audit.failed, audit.lost, audit.doubled, audit.pending) == (len(jobs), 0, 0, 0, 0)
    assert jobs.completions.tolist() == [1] * len(jobs)
    assert (jobs.latency_s > 0).all()
