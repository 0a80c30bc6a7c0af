"""A run under a shape and under what was recorded: sent as planned, reported without the recording."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from sloproof.analysis.samples import Phase
from sloproof.experiment.runfolder import RunFolder
from tests.integration.experiment.harness import ended, run, sloproof, small, the_run

if TYPE_CHECKING:
    from pathlib import Path

GAPS_S = [0.05, 0.0, 0.1, 0.02, 0.2, 0.01, 0.03]
PROFILES = """
exclude: [{server: hypercorn}]
profiles:
  ramp: {rate: 20/s, shape: {ramp: {to: 60/s}}}
  again: {shape: {replay: {file: arrivals.txt, speed: 0.5}}}
"""


def recorded(path: Path) -> list[float]:
    """Write a hundred recorded arrivals, as dates; return how long after the first each came."""
    offsets_s = [0.0]
    for number in range(99):
        offsets_s.append(round(offsets_s[-1] + GAPS_S[number % len(GAPS_S)] / 10, 6))
    path.write_text("".join(f"2026-01-02T03:04:{5 + offset_s:09.6f}Z\n" for offset_s in offsets_s))
    return offsets_s


def test_what_was_planned_is_sent_kept_and_reported(folder: Path) -> None:
    recording = folder / "arrivals.txt"
    offsets_s = recorded(recording)
    status, _, error = run(folder, small() + PROFILES)
    assert status in {3, 4}, error  # one block cannot decide

    reports = the_run(folder)
    kept = RunFolder(reports)
    sent = {record.configuration: kept.trial(record.folder).samples() for record in kept.records()}
    replayed = sent["uvicorn-again"].select(phase=Phase.LOAD).intended_s
    assert replayed - replayed[0] == pytest.approx([2 * offset_s for offset_s in offsets_s], abs=1e-6)
    ramp = sent["uvicorn-ramp"]
    assert len(ramp.select(phase=Phase.LOAD)) == 80
    assert len(ramp.select(phase=Phase.WARMUP)) == 20  # at the rate with which the ramp begins
    results = json.loads((reports / "results.json").read_text())
    again, ramp_plan = results["plan"]["profiles"]["again"], results["plan"]["profiles"]["ramp"]
    assert again["shape"] == "replay of arrivals.txt at 0.5 × its speed"
    assert (again["arrival"], again["requests"]) == ("recorded", 100)
    assert again["load_s"] == pytest.approx(2 * offsets_s[-1] * 100 / 99)
    assert (ramp_plan["shape"], ramp_plan["requests"]) == ("ramp from 20/s to 60/s over 2 s", 80)
    assert "ramp from 20/s to 60/s over 2 s, 80 requests (poisson arrivals" in (
        (reports / "report.md").read_text() + (reports / "report.html").read_text()
    )

    assert (reports / "inputs" / "recordings" / "arrivals.txt").read_text() == recording.read_text()
    recording.write_text(recording.read_text() + "2026-01-02T03:05:00Z\n")
    refused, _, error = ended(sloproof("run", "--resume", reports))
    assert refused == 2
    assert "changed since it began: recording arrivals.txt" in error

    shutil.rmtree(reports / "inputs" / "recordings")
    recording.unlink()
    assert ended(sloproof("report", reports))[0] == status
    assert json.loads((reports / "results.json").read_text()) == results
