"""The servers' own commands run the application too; docs/service.md says what they keep."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path

import httpx
import pytest

from tests.integration.service.harness import ROOT, environment, free_port, until

BODY = {"kind": "sleep", "params": {"duration_s": 0}}


@contextmanager
def native(folder: Path, *command: str, port: int, **settings: str) -> Iterator[httpx.Client]:
    log = folder / "server.log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env=environment(database=folder / "jobs.db") | settings,
            stdout=stderr,
            stderr=stderr,
            start_new_session=True,
        )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as client:

            def ready() -> bool:
                assert process.poll() is None, log.read_text()
                with suppress(httpx.TransportError):
                    return client.get("/readyz").status_code == 200
                return False

            until(ready, "the server is ready")
            yield client
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_uvicorn_runs_it_as_one_process_with_metrics_of_its_own(tmp_path: Path) -> None:
    port = free_port()
    with native(tmp_path, "uvicorn", "service.main:app", "--port", str(port), port=port) as client:
        job = client.post("/jobs", json=BODY).headers["location"]
        until(lambda: client.get(job).json()["state"] == "succeeded", "the job has ended")
        metrics = client.get("/metrics").text
        assert 'jobs_submitted_total{kind="sleep"} 1.0' in metrics
        assert 'server="native"' in metrics
        assert "process_resident_memory_bytes{" in metrics


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(("uvicorn", "service.main:app", "--workers", "4", "--port"), id="uvicorn"),
        pytest.param(("hypercorn", "service.main:app", "-w", "4", "--bind"), id="hypercorn"),
    ],
)
def test_four_native_workers_share_the_store(tmp_path: Path, command: tuple[str, ...]) -> None:
    port = free_port()
    address = f"127.0.0.1:{port}" if command[-1] == "--bind" else str(port)
    with native(tmp_path, *command, address, port=port) as client:
        jobs = [client.post("/jobs", json=BODY).headers["location"] for _ in range(10)]
        for job in jobs:
            until(lambda: client.get(job).json()["completions"] == 1, "the job has ended")  # noqa: B023
        assert f'server_version="{command[0]} {version(command[0])}"' in client.get("/metrics").text


@pytest.mark.parametrize("server", ["uvicorn", "hypercorn"])
@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_the_own_command_becomes_the_servers_with_the_same_settings(
    tmp_path: Path, server: str, loop: str
) -> None:
    port = free_port()
    settings = {
        "SERVICE_SUPERVISION": "native",
        "SERVICE_LOOP": loop,
        "SERVICE_METRICS_DIR": str(tmp_path / "metrics"),
    }
    command = ("service", "--server", server, "--workers", "2", "--port", str(port))
    with native(tmp_path, *command, port=port, **settings) as client:
        for _ in range(20):
            client.post("/jobs", json=BODY, headers={"Connection": "close"})
        metrics = client.get("/metrics").text
        assert 'jobs_submitted_total{kind="sleep"} 20.0' in metrics  # of both processes
        assert 'server="native"' in metrics
        assert f'server_version="{server} {version(server)}"' in metrics
        assert f'loop="{loop}"' in metrics
        assert 'workers="2"' in metrics
