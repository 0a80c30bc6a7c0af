from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import TYPE_CHECKING

from sloproof.experiment.summary import summarise
from sloproof.report.spreadsheet import summary_csv
from tests.invention import InventedTrial, facts, renamed

if TYPE_CHECKING:
    from sloproof.analysis.results import Results
    from tests.invention import Invention


def rows(results: Results) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(summary_csv(results))))


def test_a_row_holds_one_objective_of_one_configuration_as_raw_numbers(results: Results) -> None:
    first, *others = rows(results)

    assert len(others) == 4 * 5 - 1
    assert first | {"reason": ""} == {
        "run": "20260102T030405Z-quick",
        "configuration": "uvicorn-1",
        "factor_server": "uvicorn",
        "factor_workers": "1",
        "objective": "submit-latency",
        "target": "0.99",
        "verdict": "VIOLATED",
        "median": "0.97",
        "low": "0.97",
        "high": "0.97",
        "trials": "6",
        "good": "5820",
        "total": "6000",
        "more_trials": "",
        "reason": "",
    }


def test_integrity_counts_every_trial_and_has_neither_target_nor_interval(invention: Invention) -> None:
    invention.fill(uvicorn_1=InventedTrial(configuration="", generator=facts(wait_ratio=1.0)))

    found = {
        row["objective"]: row
        for row in rows(summarise(invention.folder))
        if row["configuration"] == "uvicorn-1"
    }

    assert (found["integrity"]["trials"], found["availability"]["trials"]) == ("6", "0")
    assert found["integrity"]["target"] == found["integrity"]["median"] == ""
    assert found["availability"]["more_trials"] == "6"


def test_no_cell_is_taken_for_a_formula(results: Results) -> None:
    wicked = ["=1+1", "+1", "-1", "@sum", "\t=1", "\r\n=1", "a=1"]
    configurations = tuple(replace(results.configurations[0], id=name) for name in wicked)

    found = rows(replace(results, configurations=configurations))

    assert [row["configuration"] for row in found[::5]] == [
        *(f"'{name}" for name in wicked[:-2]),
        " =1",
        "a=1",
    ]


def test_hostile_names_keep_to_their_cells(results: Results) -> None:
    found = rows(renamed(results))

    assert len(found) == 20
    assert all(None not in row and None not in row.values() for row in found)
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in found for cell in row.values())


def test_a_run_without_any_trial_has_its_rows_too(invention: Invention) -> None:
    found = rows(summarise(invention.folder))

    assert len(found) == 20
    assert {row["trials"] for row in found} == {"0"}
