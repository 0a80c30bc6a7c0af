"""The search for the capacity of a real server that carries less than 200 requests/s by construction."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.experiment.harness import WITHIN_S, ended, run, sloproof, start

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
TRUTH_PER_S = 200
SLO = """
service: one-at-a-time
window: 30d
metrics: {requests: http_server_request_duration_seconds}
objectives:
  - name: latency
    target: 99%
    indicator: {latency: {method: GET, route: /work, threshold: 100ms}}
"""
LOCUSTFILE = """
from locust import FastHttpUser, task

class Worker(FastHttpUser):
    @task
    def work(self):
        self.client.get("/work", name="/work")
"""
# Takes more processor than there is from about 100/s on, which is no fault of the subject.
COSTLY = """
import time
from locust import FastHttpUser, task

class Costly(FastHttpUser):
    @task
    def work(self):
        until = time.perf_counter() + 0.012
        while time.perf_counter() < until:
            pass
        self.client.get("/work", name="/work")
"""
EXPERIMENT = """
kind: capacity
name: small
slo: slo.yaml
subject: {{command: ["{{python}}", {here}/one_at_a_time.py, "{{port}}"], env: {{LABEL: "{{label}}"}}}}
factors: {{label: [one]}}
search: {search}
load: {{locustfile: locustfile.py, arrival: constant, warmup: 0.3s, duration: {duration}, users: 32}}
observe: {{prometheus: "off"}}
"""


@pytest.fixture
def experiment(folder: Path) -> Callable[..., str]:
    """Return what writes the files beside an experiment, and returns its text."""

    def written(*, search: str, duration: str = "2s", locustfile: str = LOCUSTFILE) -> str:
        (folder / "slo.yaml").write_text(SLO)
        (folder / "locustfile.py").write_text(locustfile)
        return EXPERIMENT.format(here=HERE, search=search, duration=duration)

    return written


def results(folder: Path) -> dict[str, Any]:
    (reports,) = (folder / "reports").iterdir()
    read: dict[str, Any] = json.loads((reports / "results.json").read_text())
    return read


def test_the_capacity_of_a_server_is_found_within_its_time(
    folder: Path, experiment: Callable[..., str]
) -> None:
    search = "{from: 50/s, to: 400/s, budget: 8m, trials: 3, at_least: 60/s}"
    status, out, error = run(folder, experiment(search=search), within_s=500)

    found = results(folder)
    (capacity,) = found["capacities"]
    assert status == 0, out + error
    assert capacity["ending"] == "fitted", capacity["sentence"]
    assert 60 <= capacity["at_least_per_s"] <= 1.1 * TRUTH_PER_S
    assert 60 <= capacity["estimate_per_s"] <= 1.1 * TRUTH_PER_S
    assert capacity["at_least_per_s"] <= capacity["estimate_per_s"]
    assert capacity["complete"]
    assert found["complete"]
    assert capacity["seconds"] <= 480
    assert sum(sum(trial["seconds"].values()) for trial in found["trials"]) <= 480
    assert "≥" in out
    for point in capacity["points"]:
        if point["valid"] and point["rate_per_s"] > 1.1 * TRUTH_PER_S:
            assert point["met"] is False
    assert capacity["limit"]["by"] == "store"  # requests wait inside it, for their turn


def test_a_search_that_the_generator_ends_gives_a_lower_bound_and_no_number(
    folder: Path, experiment: Callable[..., str]
) -> None:
    search = "{from: 20/s, to: 160/s, budget: 5m, trials: 3}"
    status, _, error = run(folder, experiment(search=search, locustfile=COSTLY), within_s=500)

    (capacity,) = results(folder)["capacities"]
    assert capacity["estimate_per_s"] is None
    assert capacity["ending"] in {"generator", "unmeasured"}, capacity["sentence"]
    assert capacity["limit"]["by"] == "load generator"
    assert status in {0, 3, 4}, error  # by how busy the machine is
    if capacity["at_least_per_s"] is not None:
        assert capacity["at_least_per_s"] < 100


def test_an_interrupted_search_goes_on_with_the_trial_that_is_next(
    folder: Path, experiment: Callable[..., str]
) -> None:
    text = experiment(search="{from: 20/s, to: 30/s, budget: 5m, trials: 3}", duration="1s")
    with start(folder, text) as process:
        deadline = time.monotonic() + WITHIN_S
        while len(list((folder / "reports").glob("*/trials/*/metrics-after.prom"))) < 3:
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=WITHIN_S)
    (reports,) = (folder / "reports").iterdir()
    before = (reports / "trials.jsonl").read_text()
    assert process.returncode == 130
    assert "nothing shown yet, the search has not ended" in (reports / "report.md").read_text(), out

    status, out, error = ended(sloproof("run", "--resume", reports))

    after = (reports / "trials.jsonl").read_text()
    assert after.startswith(before)
    assert f"{before.count(chr(10))} trials done" in out
    (capacity,) = results(folder)["capacities"]
    assert status in {0, 3, 4}, error
    assert capacity["complete"]
    assert [json.loads(line)["rate_per_s"] for line in after.splitlines()] == [
        point["rate_per_s"] for point in capacity["points"]
    ]
