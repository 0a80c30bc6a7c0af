"""The stack itself, proven by its own check, and gone again afterwards however the check ends."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deploy.stack_check.composition import PROJECT, version

if TYPE_CHECKING:
    import docker

ROOT = Path(__file__).parents[3]
CHECK = [sys.executable, "-m", "deploy.stack_check"]
# Generous: the machine may be busy. The check has deadlines of its own, and ends as soon as it can.
WITHIN_S = 600
NO_ENVIRONMENT, INTERRUPTED = 5, 130


@pytest.fixture(scope="module")
def compose(docker_engine: docker.DockerClient) -> docker.DockerClient:
    """Return a client of an engine that has compose, or skip."""
    if version() is None:
        pytest.skip("docker has no compose plugin")
    return docker_engine


def left_of(client: docker.DockerClient, check: int) -> list[str]:
    of_it: dict[str, str | list[str] | bool] = {"label": f"{PROJECT}=sloproof-check-{check}"}
    found = (
        client.containers.list(all=True, filters=of_it),
        client.volumes.list(filters=of_it),
        client.networks.list(filters=of_it),
    )
    return [str(each.name) for kind in found for each in kind]


def test_all_of_it_holds(compose: docker.DockerClient) -> None:
    with subprocess.Popen(CHECK, cwd=ROOT, stdout=subprocess.PIPE, text=True) as check:
        said, _ = check.communicate(timeout=WITHIN_S)

    if check.returncode == NO_ENVIRONMENT:
        pytest.skip(said)
    assert check.returncode == 0, said
    assert "✗" not in said
    for shown in (
        r"service is running and healthy",
        r'target of job="jobs": http://service:8000/metrics up',
        r"\d+ rules in \d+ groups are loaded: \d+ ok",
        r"jobs-availability: (\d+) of \1 recorded series have a value",
        r"service\.json: (\d+) of \1 queries answered",
        r"trace [0-9a-f]{32}, which the log line of job .* names, is in Jaeger: POST /jobs, run sleep",
        r"taken down: no container, volume or network is left",
    ):
        assert re.search(shown, said), said
    assert left_of(compose, check.pid) == []


def interrupted_when_up(number: signal.Signals) -> tuple[int, int, str]:
    """Run the check, send it a signal once a container is up; return its ID, its status and what it said."""
    lines = []
    with subprocess.Popen(CHECK, cwd=ROOT, stdout=subprocess.PIPE, text=True) as check:
        assert check.stdout
        for line in check.stdout:
            lines.append(line)
            if " is running and " in line:
                check.send_signal(number)
        status = check.wait(WITHIN_S)
    if status == NO_ENVIRONMENT:
        pytest.skip("".join(lines))
    return check.pid, status, "".join(lines)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_what_interrupts_it_leaves_nothing_running(
    compose: docker.DockerClient, number: signal.Signals
) -> None:
    check, status, said = interrupted_when_up(number)

    assert status == INTERRUPTED, said
    assert "taken down: no container, volume or network is left" in said
    assert left_of(compose, check) == []


def test_what_a_killed_check_has_left_is_removed_by_the_next(
    compose: docker.DockerClient, tmp_path: Path
) -> None:
    killed, status, said = interrupted_when_up(signal.SIGKILL)
    assert status == -signal.SIGKILL, said
    assert left_of(compose, killed)

    done = subprocess.run(
        [*CHECK, "--alerts", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.stdout.count("removed what a killed run had left") >= 3, done.stdout
    assert left_of(compose, killed) == []


def test_without_an_engine_it_says_so_with_a_status_of_its_own() -> None:
    done = subprocess.run(
        CHECK,
        cwd=ROOT,
        env={**os.environ, "DOCKER_HOST": "unix:///nowhere/docker.sock"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == NO_ENVIRONMENT
    assert "no Docker engine answers at unix:///nowhere/docker.sock" in done.stdout


@pytest.mark.usefixtures("docker_engine")
def test_without_compose_it_says_so_with_the_same_status(tmp_path: Path) -> None:
    done = subprocess.run(
        CHECK,
        cwd=ROOT,
        env={**os.environ, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == NO_ENVIRONMENT
    assert "docker has no compose plugin: install docker-compose-plugin" in done.stdout


@pytest.mark.skipif(shutil.which("docker") is None, reason="there is no docker command")
def test_without_rules_there_is_nothing_to_start(compose: docker.DockerClient, tmp_path: Path) -> None:
    with subprocess.Popen(
        [*CHECK, "--alerts", str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as check:
        said, _ = check.communicate(timeout=WITHIN_S)

    if check.returncode == NO_ENVIRONMENT:
        pytest.skip(said)
    assert check.returncode == 1, said
    assert "has no *.rules.yaml; `sloproof generate` writes them" in said
    assert left_of(compose, check.pid) == []
