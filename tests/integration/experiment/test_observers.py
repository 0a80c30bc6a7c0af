"""Three observers of real servers: they agree on a quiet one; of one that stalls, two are blind."""

from __future__ import annotations

import os
import signal
import time
from shutil import which
from typing import TYPE_CHECKING

import docker
import pytest

from sloproof.experiment.prometheus.choice import Program
from sloproof.experiment.prometheus.server import running
from sloproof.observe.address import parse_address
from sloproof.observe.prometheus import Prometheus
from sloproof.subject.owner import LABEL
from tests.integration.experiment.harness import (
    ROOT,
    WITHIN_S,
    ended,
    processes_of,
    results,
    sloproof,
    small,
    the_run,
)

if TYPE_CHECKING:
    from pathlib import Path

LOCUSTFILE = """
from locust import FastHttpUser, task

class Greeter(FastHttpUser):
    @task
    def hello(self):
        self.client.get("/hello")
"""
SECONDS = "http_server_request_duration_seconds"
SLO = f"""
service: greeter
window: 30d
objectives:
  - {{name: fast, target: 99%, indicator: {{latency: {{method: GET, route: /hello, threshold: 100ms}}}}}}
  - {{name: availability, target: 99%, indicator: {{availability: {{}}}}}}
  - name: own
    target: 99%
    indicator:
      ratio:
        good: 'sum(increase({SECONDS}_bucket{{le="0.1"}}[{{{{window}}}}]))'
        total: 'sum(increase({SECONDS}_count[{{{{window}}}}]))'
  - name: share
    target: 99%
    indicator: {{error_ratio: {{query: '1 - avg_over_time(up[{{{{window}}}}])'}}}}
  - {{name: up, target: 50%, indicator: {{up: {{metric: up}}}}}}
"""
EXPERIMENT = """
kind: matrix
name: greeter
slo: slo.yaml
subject: {{command: ["{{python}}", {root}/tests/integration/experiment/stalling.py, "{{port}}", "{{stall}}"]}}
factors: {{stall: [{stalls}]}}
blocks: {blocks}
repeats: {repeats}
load: {{locustfile: locustfile.py, rate: 100/s, warmup: 1s, duration: {duration}, users: 64}}
observe: {{prometheus: {prometheus}}}
"""
NEVER = 1_000_000


@pytest.fixture
def _prometheus_is_here() -> None:
    if which("prometheus") is None:
        if os.environ.get("REQUIRE_PROMETHEUS") == "1":
            pytest.fail("REQUIRE_PROMETHEUS=1, and there is no prometheus on PATH")
        pytest.skip("there is no prometheus on PATH")


def experiment(folder: Path, **changes: object) -> Path:
    usual = {"stalls": NEVER, "blocks": 1, "repeats": 0, "duration": "2s", "prometheus": "auto"}
    values = {"root": ROOT, **usual, **changes}
    (folder / "slo.yaml").write_text(SLO)
    (folder / "locustfile.py").write_text(LOCUSTFILE)
    path = folder / "greeter.yaml"
    path.write_text(EXPERIMENT.format_map(values))
    return path


def run(folder: Path, *arguments: object, env: dict[str, str] | None = None) -> tuple[int, str, str]:
    return ended(
        sloproof("run", *arguments, "--reports", folder / "reports", "--backend", "process", env=env)
    )


@pytest.mark.usefixtures("_prometheus_is_here")
def test_three_observers_of_a_quiet_server_agree_on_what_they_counted(folder: Path) -> None:
    status, out, error = run(folder, experiment(folder))

    assert status in {1, 3, 4}, error
    assert "watched by Prometheus" in out
    (trial,) = results(folder)["trials"]
    assert trial["scrapes"]["problem"] is None
    for name in ("fast", "availability"):
        seen = trial["observations"][name]
        assert seen["client"]["total"] == seen["server"]["total"] == 200
        assert seen["counts"]["clients"] == {"answered": 200}
        assert seen["counts"]["prometheus"]["between_scrapes"] == 200
        assert seen["prometheus"]["total"] == pytest.approx(200, rel=0.01)  # extrapolated over 2 ms
    spent = trial["spent"]["GET /hello"]
    parts = ("dispatch_lag_s", "connection_s", "before_server_s", "server_s")
    assert sum(spent[part] for part in parts) == pytest.approx(spent["latency_s"])
    assert spent["server_s"] < spent["before_server_s"]
    own, share, up = (trial["observations"][name]["prometheus"] for name in ("own", "share", "up"))
    assert own["total"] == pytest.approx(200, rel=0.01)
    assert share == {"good": None, "total": None, "ratio": 1.0}
    assert up["total"] == trial["scrapes"]["expected"]
    assert (the_run(folder) / "trials" / trial["folder"] / "prometheus.json").exists()


@pytest.mark.usefixtures("_prometheus_is_here")
def test_a_server_that_stalls_sees_nothing_of_it_and_is_called_blind(folder: Path) -> None:
    status, out, error = run(folder, experiment(folder, stalls=300, blocks=6, repeats=6, duration="4s"))

    told = results(folder)
    trial = next(trial for trial in told["trials"] if trial["valid"])
    fast = trial["observations"]["fast"]
    assert fast["client"]["good"] < 0.95 * fast["client"]["total"], error
    assert fast["server"] == {"good": 400, "total": 400}
    assert fast["prometheus"]["ratio"] == pytest.approx(1)
    assert fast["finding"].startswith("a blind spot: by the server's own metrics and Prometheus")
    assert "SLIs differ on equal counts" in fast["finding"]
    bad = fast["bad"]
    assert bad["late_start"] + bad["late_before_server"] == 400 - fast["client"]["good"]
    assert bad["late_in_server"] == 0
    page = (the_run(folder) / "trials" / trial["folder"] / "trial.html").read_text()
    assert "a blind spot" in page

    blind = "a blind spot: the server's own metrics and Prometheus say MET, its clients VIOLATED"
    objectives = told["configurations"][0]["objectives"]
    assert next(each for each in objectives if each["name"] == "fast")["verdict"] == "VIOLATED"
    assert status == 1
    assert blind in out
    assert blind in (the_run(folder) / "report.md").read_text()


def test_a_run_without_a_prometheus_goes_on_and_says_so(folder: Path) -> None:
    nothing = {"PATH": str(folder)}

    status, out, error = run(folder, experiment(folder), env=nothing)

    assert status in {1, 3, 4}, error
    assert "no Prometheus watches: there is no `prometheus` on PATH" in out
    told = results(folder)
    assert told["plan"]["prometheus"].startswith("none: there is no `prometheus` on PATH")
    (trial,) = told["trials"]
    assert "there is no `prometheus`" in trial["scrapes"]["problem"]
    assert trial["observations"]["fast"]["prometheus"] is None
    assert (
        "No Prometheus watched: there is no `prometheus` on PATH"
        in (the_run(folder) / "report.html").read_text()
    )
    own = next(each for each in told["configurations"][0]["objectives"] if each["name"] == "own")
    assert own["verdict"] == "INCONCLUSIVE"


def test_an_experiment_that_requires_a_prometheus_does_not_run_without(folder: Path) -> None:
    status, _, error = run(folder, experiment(folder, prometheus="required"), env={"PATH": str(folder)})

    assert status == 5
    assert "observe.prometheus is required, and there is no `prometheus` on PATH" in error
    assert not (folder / "reports").exists()


@pytest.mark.usefixtures("_prometheus_is_here")
def test_a_prometheus_does_not_outlive_a_killed_run_and_the_resumed_run_goes_on_with_its_series(
    folder: Path,
) -> None:
    path = experiment(folder, blocks=2)
    process = sloproof("run", path, "--reports", folder / "reports", "--backend", "process")
    deadline = time.monotonic() + WITHIN_S
    while not list((folder / "reports").glob("*/trials/b02-*/metrics-before.prom")):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    ended(process)
    assert any("prometheus" in each for each in processes_of(folder))

    status, out, error = ended(sloproof("run", "--resume", the_run(folder)))

    assert status in {1, 3, 4}, error
    assert "prometheus" in out.partition("watched by")[0]  # it was removed, and said so
    assert processes_of(folder) == []
    program = which("prometheus")
    assert program
    with (
        running(Program(path=program, version=None), the_run(folder) / "prometheus") as url,
        Prometheus(parse_address(url)) as prometheus,
    ):
        seen = prometheus.query(f"count by (trial) (last_over_time({SECONDS}_count[1h]))")
    assert {each.labels["trial"] for each in seen} == {f"b01-{NEVER}", f"b02-{NEVER}"}


def test_without_a_program_a_run_in_containers_is_watched_from_a_container(
    folder: Path, docker_engine: docker.DockerClient
) -> None:
    try:
        docker_engine.images.get("prom/prometheus")
    except docker.errors.ImageNotFound:
        pytest.skip("there is no image prom/prometheus on this machine")
    path = folder / "small.yaml"
    path.write_text(small(repeats=0).replace("[uvicorn, hypercorn]", "[uvicorn]"))

    status, out, error = ended(
        sloproof(
            "run", path, "--reports", folder / "reports", "--backend", "docker", env={"PATH": str(folder)}
        )
    )

    assert status in {1, 3, 4}, error
    assert "watched by Prometheus in a container of prom/prometheus" in out
    (trial,) = results(folder)["trials"]
    seen = trial["observations"]["submit-latency"]
    assert seen["client"]["total"] == seen["server"]["total"] == 60
    assert seen["counts"]["prometheus"]["between_scrapes"] == 60
    assert list((the_run(folder) / "prometheus" / "data" / "wal").iterdir())
    own = docker_engine.containers.list(all=True, filters={"label": LABEL}, ignore_removed=True)
    assert not [each for each in own if each.attrs["Config"]["Image"] == "prom/prometheus"]
