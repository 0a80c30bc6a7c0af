"""Runs that were made before later fields existed are read, judged and shown as they were."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter

from sloproof.analysis.results import SCHEMA, Results, to_json
from sloproof.experiment.runfolder import RunFolder
from sloproof.experiment.summary import summarise
from sloproof.report.documents import documents
from sloproof.report.schema import results_schema
from tests.invention import ROOT, InventedTrial, reported

if TYPE_CHECKING:
    from collections.abc import Mapping

# A folder for each form that run.json and trials.jsonl have had, as a run of that time wrote them.
FORMS = sorted((Path(__file__).parent / "runs").iterdir(), key=lambda path: int(path.name))
EXAMPLE = ROOT / "reports" / "20261123T030812Z-matrix" / "results.json"


@pytest.fixture(params=FORMS, ids=lambda path: f"form {path.name}")
def old(request: pytest.FixtureRequest, tmp_path: Path) -> RunFolder:
    """Return a run whose facts and records are of an old form, and whose samples are invented."""
    folder = RunFolder.create(tmp_path, name="old", now=datetime(2026, 1, 2, tzinfo=UTC))
    for source, target in (
        ("experiment.yaml", folder.experiment),
        ("slo.yaml", folder.definition),
        ("run.json", folder.path / "run.json"),
        ("trials.jsonl", folder.path / "trials.jsonl"),
    ):
        shutil.copyfile(request.param / source, target)
    for line in (folder.path / "trials.jsonl").read_text().splitlines():
        record = json.loads(line)
        InventedTrial(configuration=record["configuration"], block=record["block"]).write(folder)
    return folder


def texts(run: RunFolder) -> Mapping[str, str]:
    return dict(documents(*reported(run)))


def test_it_is_shown_by_every_report(old: RunFolder) -> None:
    made = texts(old)

    for trial in old.records():
        assert trial.pressure is None
        assert "load generator" in made[f"trials/{trial.folder}/trial.html"].lower()
    assert "noise floor" not in made["report.html"]
    assert "processors and clock" not in made["report.html"]
    assert "machine before the start" not in made["report.html"]
    assert "port proxy" in made["report.html"]


def test_its_results_are_of_the_published_schema(old: RunFolder) -> None:
    results = json.loads(to_json(summarise(old)))

    Draft202012Validator(json.loads(results_schema())).validate(results)
    assert results["schema"] == SCHEMA
    assert [trial["subject_pressure"] for trial in results["trials"]] == [None, None]


def test_results_that_were_written_long_ago_are_still_valid_and_can_be_read() -> None:
    written = json.loads(EXAMPLE.read_text())

    Draft202012Validator(json.loads(results_schema())).validate(written)
    assert TypeAdapter(Results).validate_json(EXAMPLE.read_bytes()).run == EXAMPLE.parent.name
