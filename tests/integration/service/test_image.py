"""The image as it is deployed: small, without privileges, on a file system that cannot be written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.integration.service.harness import ROOT, free_port, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeAlias

    import docker
    from docker.models.containers import Container
    from docker.models.images import Image

    Run: TypeAlias = Callable[..., tuple[Container, httpx.Client]]

BASE = "python:3.13-slim"
MOST_BYTES = 200 * 10**6
STOPS_WITHIN_S = 30
BODY = {"kind": "sleep", "params": {"duration_s": 0.01}}


@pytest.fixture(scope="module")
def image(docker_engine: docker.DockerClient) -> Image:
    built, _ = docker_engine.images.build(
        path=str(ROOT / "service"), buildargs={"PYTHON_IMAGE": BASE}, tag="sloproof/test-image", rm=True
    )
    return built


@pytest.fixture
def volume(docker_engine: docker.DockerClient) -> Iterator[str]:
    made = docker_engine.volumes.create()
    yield str(made.name)
    made.remove(force=True)


@pytest.fixture
def run(docker_engine: docker.DockerClient, image: Image, volume: str) -> Iterator[Run]:
    started: list[tuple[Container, httpx.Client]] = []

    def start(*options: str, **more: Any) -> tuple[Container, httpx.Client]:  # noqa: ANN401 - the engine's own
        port = free_port()
        container = docker_engine.containers.run(
            str(image.id),
            list(options),
            detach=True,
            read_only=True,
            tmpfs={"/tmp": ""},  # noqa: S108 - inside the container
            volumes={volume: {"bind": "/data", "mode": "rw"}},
            ports={"8000/tcp": ("127.0.0.1", port)},
            **more,
        )
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False)
        started.append((container, client))

        def ready() -> bool:
            container.reload()
            assert container.status != "exited", container.logs().decode()
            try:
                return client.get("/readyz").status_code == 200
            except httpx.TransportError:
                return False

        until(ready, "the service in the container is ready")
        return container, client

    yield start
    for container, client in started:
        client.close()
        container.remove(force=True)


def test_it_adds_little_to_its_base(docker_engine: docker.DockerClient, image: Image) -> None:
    base = docker_engine.images.get(BASE)

    assert image.attrs["Size"] - base.attrs["Size"] < MOST_BYTES


def test_it_says_how_it_is_run(image: Image) -> None:
    config = image.attrs["Config"]

    assert config["User"] == "10001:10001"
    assert config["Entrypoint"] == ["python", "-m", "service"]
    assert config["StopSignal"] == "SIGTERM"
    assert config["Volumes"] == {"/data": {}}
    assert config["Healthcheck"]["Test"][0] == "CMD"


def test_it_runs_without_privileges_on_a_file_system_it_cannot_write(run: Run) -> None:
    container, client = run("--workers", "2", cap_drop=["ALL"], security_opt=["no-new-privileges"])

    job = client.post("/jobs", json=BODY).headers["location"]
    until(lambda: client.get(job).json()["state"] == "succeeded", "the job has ended")
    assert container.exec_run(["python", "-c", "import os; print(os.getuid())"]).output == b"10001\n"
    assert container.exec_run(["python", "-c", "open('/opt/app/x', 'w')"]).exit_code == 1
    assert 'workers="2"' in client.get("/metrics").text


def test_it_becomes_healthy(run: Run) -> None:
    container, _ = run(healthcheck={"interval": 1_000_000_000})

    def health() -> str:
        container.reload()
        return str(container.attrs["State"]["Health"]["Status"])

    until(lambda: health() == "healthy", "the container is healthy")


@pytest.mark.parametrize("server", ["uvicorn", "hypercorn"])
def test_the_engine_stops_it_in_good_order(run: Run, server: str) -> None:
    container, client = run(
        "--server", server, "--workers", "2", environment={"SERVICE_PRE_STOP_DELAY_S": "0"}
    )
    client.close()

    container.stop(timeout=STOPS_WITHIN_S)

    assert container.wait()["StatusCode"] == 0
    events = [json.loads(line)["event"] for line in container.logs().decode().splitlines()]
    assert events[-1] == "stopped"


def test_a_killed_worker_is_replaced_and_leaves_no_zombie(run: Run) -> None:
    container, client = run("--workers", "2")

    def processes() -> list[list[str]]:
        answer = container.top(ps_args="-eo pid,ppid,stat")
        return list(answer["Processes"])

    (first, *_) = [row for row in processes() if row[1] == str(_pid(container))]
    container.exec_run(["python", "-c", _KILL_A_WORKER])
    until(lambda: first[0] not in [row[0] for row in processes()], "the killed worker is gone")
    until(lambda: client.get("/readyz").status_code == 200, "the service is ready")
    until(lambda: len(processes()) == 3, "there is a new worker")
    assert not [row for row in processes() if row[2].startswith("Z")]


# The worker that started first has the lowest number after the supervisor's.
_KILL_A_WORKER = """
import os, pathlib, signal
workers = pathlib.Path("/proc/1/task/1/children").read_text().split()
os.kill(int(workers[0]), signal.SIGKILL)
"""


def _pid(container: Container) -> int:
    container.reload()
    pid: int = container.attrs["State"]["Pid"]
    return pid


def test_a_job_survives_the_container(run: Run) -> None:
    container, client = run()
    job = client.post("/jobs", json=BODY).headers["location"]
    container.kill()
    container.wait()

    _, again = run()

    until(lambda: again.get(job).json()["completions"] == 1, "the job has ended")


def test_a_wrong_setting_is_told_and_ends_it(docker_engine: docker.DockerClient, image: Image) -> None:
    container = docker_engine.containers.run(str(image.id), ["--workers", "many"], detach=True)
    try:
        assert container.wait()["StatusCode"] == 2
        assert b"--workers: 'many' is not accepted; give a whole number from 1 to 64" in container.logs()
    finally:
        container.remove(force=True, v=True)
