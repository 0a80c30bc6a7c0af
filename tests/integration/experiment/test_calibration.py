"""The real generator against a server that does nothing; no test says how fast this machine is."""

from __future__ import annotations

import json
import socket
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from sloproof.analysis.floor import NoiseFloor
from sloproof.experiment.calibration import measure_floor
from sloproof.experiment.traffic import LoadSpec
from sloproof.subject.port import HOST, Cell
from sloproof.subject.process import ProcessSubject, free_port
from tests.integration.experiment.harness import ROOT, run, small, the_run

if TYPE_CHECKING:
    from pathlib import Path

LOAD = LoadSpec.model_validate(
    {
        "locustfile": ROOT / "loadtest" / "locustfile.py",
        "rate": "100/s",
        "warmup": "1s",
        "duration": "2s",
        "users": 16,
    }
)
TOO_TIGHT = """
service: jobs
window: 30d
objectives:
  - name: read-latency
    target: 99%
    indicator: {latency: {method: GET, route: "/jobs/{id}", threshold: 1us}}
"""


def test_a_floor_says_what_nothing_takes_and_which_rates_are_kept() -> None:
    floor = measure_floor([LOAD.model_copy(update={"rate": 50.0}), LOAD])

    assert isinstance(floor, NoiseFloor), floor
    assert floor.rate_per_s == 100  # the busiest
    assert floor.users == 16
    assert floor.requests == 300
    assert floor.quantiles[0][0] == 0.5
    assert floor.quantiles[-1][0] == 1
    assert floor.quantiles[0][1] > 0
    assert all(a < b and low <= high for (a, low), (b, high) in pairwise(floor.quantiles))
    highest, lowest = floor.highest_valid_rate_per_s, floor.lowest_invalid_rate_per_s
    assert (highest, lowest) != (None, None)
    if highest is not None and lowest is not None:
        assert highest < lowest
    # A busy machine may be too noisy for the run's own rate, and then says so.
    assert (not floor.problems) == (highest is not None and highest >= 100)


def test_where_the_generator_cannot_start_it_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEVENT_BACKEND", "none-such")

    found = measure_floor([LOAD])

    assert isinstance(found, str)
    assert found.startswith("not measured: ")


def test_a_run_is_calibrated_before_it_begins_and_judges_nothing_below_its_floor(folder: Path) -> None:
    (folder / "slo.yaml").write_text(TOO_TIGHT)
    experiment = small(blocks=1).replace("calibrate: false", "calibrate: true")
    experiment = experiment.replace(f"{ROOT}/slo/jobs.yaml", str(folder / "slo.yaml"))

    status, out, error = run(folder, experiment.replace("[uvicorn, hypercorn]", "[uvicorn]"))

    reports = the_run(folder)
    results = json.loads((reports / "results.json").read_text())
    floor = NoiseFloor.of(results["plan"]["calibration"])
    assert status in {3, 4}, error
    assert "measuring this machine's noise floor" in out
    assert floor is not None
    assert floor.rate_per_s == 60
    if floor.problems:
        pytest.skip(f"this machine is too busy to have a floor: {floor.problems[0]}")
    assert "read-latency cannot be verified here: it is tighter than this machine's noise floor" in out
    objective = results["configurations"][0]["objectives"][0]
    assert objective["verdict"] == "INCONCLUSIVE"
    assert "noise floor" in objective["reason"]
    assert objective["more_trials"] is None
    for name in ("report.html", "report.md"):
        assert "cannot be verified on this machine" in (reports / name).read_text()


def test_the_server_that_does_nothing_answers_requests_however_they_arrive(tmp_path: Path) -> None:
    cell = Cell(factors={}, folder=tmp_path, log=tmp_path / "log", port=free_port())
    command = ("{python}", "-m", "sloproof.load.nulltarget", "{port}")
    parts = (b"GET / HTTP/1.1\r\nHost: x\r", b"\n\r\nGET / HTTP/1.1\r\n\r\nGET / HT", b"TP/1.1\r\n\r\n")
    with (
        ProcessSubject(command=command, directory=ROOT).start(cell),
        connection(cell.port) as client,
        client.makefile("rb") as answers,
    ):
        for part in parts:
            client.sendall(part)
        for _ in range(3):
            lines = [answers.readline() for _ in range(5)]
            assert lines[0] == b"HTTP/1.1 200 OK\r\n"
            assert lines[2:] == [b"Content-Length: 3\r\n", b"\r\n", b"ok\n"]


def connection(port: int) -> socket.socket:
    while True:
        try:
            return socket.create_connection((HOST, port), timeout=20)
        except ConnectionRefusedError:
            continue
