"""A run whose load comes from several processes is a run like any other."""

from __future__ import annotations

import json
import signal
import time
from typing import TYPE_CHECKING

from tests.integration.experiment.harness import WITHIN_S, ended, sloproof, small, the_run

if TYPE_CHECKING:
    from pathlib import Path


def test_a_run_with_two_load_workers_counts_all_and_goes_on_with_two_after_an_interruption(
    folder: Path,
) -> None:
    (folder / "small.yaml").write_text(small().replace("[uvicorn, hypercorn]", "[uvicorn]"))
    run = ("run", folder / "small.yaml", "--reports", folder / "reports", "--backend", "process")
    with sloproof(*run, "--load-workers", 2) as process:
        deadline = time.monotonic() + WITHIN_S
        while not list((folder / "reports").glob("*/trials/*/metrics-before.prom")):
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=WITHIN_S)
    assert process.returncode == 130
    reports = the_run(folder)
    assert json.loads((reports / "run.json").read_text())["workers"]["local"] == 2

    refused, _, error = ended(sloproof("run", "--resume", reports, "--load-workers", 3))
    assert refused == 2
    assert "--load-workers cannot be changed within a run" in error

    status, _, error = ended(sloproof("run", "--resume", reports))
    assert status in {3, 4}, error  # one block cannot decide; on a busy machine it may even be invalid
    trials = json.loads((reports / "results.json").read_text())["trials"]
    for trial in trials:
        assert trial["integrity"]["violations"] == []
        assert trial["integrity"]["accepted"] == trial["integrity"]["ended"] > 60
        assert [worker["scheduled"] for worker in trial["generator"]["workers"]] == [60, 60]
        assert trial["observations"]["availability"]["client"]["total"] == 120
        assert trial["observations"]["availability"]["server"]["total"] == 120
        assert "Load worker 2" in (reports / "trials" / trial["folder"] / "trial.html").read_text()
