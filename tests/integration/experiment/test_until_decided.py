"""A run until decided ends by itself at a look, and neither its report nor a resumption see it otherwise."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.integration.experiment.harness import ended, sloproof, small, the_run

if TYPE_CHECKING:
    from pathlib import Path

# So wide that any machine meets it, and asks for so few events that six short trials have them.
EASY = """
service: jobs
window: 30d
objectives:
  - name: submit
    description: A job is accepted.
    target: 90%
    indicator: {latency: {method: POST, route: /jobs, threshold: 2.5s}}
"""
LOOKS = [6, 7, 8]


def test_a_run_until_decided_ends_at_the_first_look_that_decides(folder: Path) -> None:
    (folder / "easy.yaml").write_text(EASY)
    lines = small(repeats=0).replace("[uvicorn, hypercorn]", "[uvicorn]").splitlines()
    lines[3] = f"slo: {folder / 'easy.yaml'}"
    path = folder / "small.yaml"
    path.write_text("\n".join(lines))
    chosen = ("--backend", "process", "--until-decided", "--max-blocks", "8")

    status, _, error = ended(sloproof("run", path, "--reports", folder / "reports", *chosen), within_s=280)

    run = the_run(folder)
    results = json.loads((run / "results.json").read_text())
    (submit, integrity) = results["configurations"][0]["objectives"]
    trials, valid = results["trials"], [each for each in results["trials"] if each["valid"]]
    assert status in {0, 3, 4}, error
    assert results["plan"]["looks"] == LOOKS
    assert results["complete"]
    assert len(trials) == results["plan"]["blocks"]
    assert integrity["verdict"] == "MET"
    decided = submit["verdict"] == "MET"
    assert decided == (len(valid) >= 6)  # those of a busy machine may be invalid
    assert decided or len(trials) in LOOKS
    if decided:
        looked = f"decided after {len(trials)} of at most 8 blocks, corrected for 3 looks"
        assert submit["reason"].endswith(looked)
        assert submit["interval"]["confidence_ratio"] >= 0.95

    again, _, error = ended(sloproof("run", "--resume", run))

    assert again == status, error
    assert json.loads((run / "results.json").read_text()) == results
