from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloproof.analysis.samples import Phase
from sloproof.load.files import read_jobs, write_jobs
from sloproof.load.ledger import Accepted, Reading, audit_facts

if TYPE_CHECKING:
    from pathlib import Path


def accepted(number: int) -> Accepted:
    return Accepted(location=f"/jobs/{number}", phase=Phase.LOAD, intended_at_s=1_000.0 + number)


ENDED = Reading(found=True, state="succeeded", attempt=1, completions=1, finished_at_s=1_002.5)
FAILED = Reading(found=True, state="failed", attempt=3, completions=1, finished_at_s=1_003.5)
DOUBLED = Reading(found=True, state="succeeded", attempt=2, completions=2, finished_at_s=1_004.5)
RUNNING = Reading(found=True, state="running", attempt=1)
LOST = Reading(found=False)
SILENT = Reading()
READINGS = [ENDED, FAILED, DOUBLED, RUNNING, LOST, SILENT]


@pytest.mark.parametrize(
    ("job", "reading"),
    [
        pytest.param(
            {"state": "succeeded", "attempt": 1, "completions": 1, "finished_at": 1_002.5}, ENDED, id="ended"
        ),
        pytest.param({"state": "running", "attempt": 1, "finished_at": None}, RUNNING, id="running"),
        pytest.param(
            {"state": "succeeded", "finished_at": 5},
            Reading(found=True, state="succeeded", completions=1, finished_at_s=5.0),
            id="one_that_counts_nothing_is_taken_at_its_word",
        ),
        pytest.param(
            {"state": "succeeded", "completions": 0, "finished_at": 5},
            Reading(found=True, state="succeeded", completions=0, finished_at_s=5.0),
            id="one_that_counts_none_as_well",
        ),
    ],
)
def test_a_jobs_object_is_read_by_convention(job: dict[str, Any], reading: Reading) -> None:
    read, wanted = asdict(Reading.of(job)), asdict(reading)
    assert repr(read) == repr(wanted)  # NaN equals itself only as a word


@given(st.lists(st.sampled_from(READINGS)))
def test_accepted_jobs_have_ended_are_lost_or_are_pending(readings: list[Reading]) -> None:
    facts = audit_facts([accepted(number) for number in range(len(readings))], readings)
    assert facts.accepted == facts.ended + facts.lost + facts.pending == len(readings)
    assert facts.failed == readings.count(FAILED)
    assert facts.doubled == readings.count(DOUBLED)
    assert facts.lost == readings.count(LOST)
    assert len(facts.lost_locations) == min(10, facts.lost)


def test_only_what_has_ended_or_is_lost_needs_no_further_asking() -> None:
    assert [reading.settled for reading in READINGS] == [True, True, True, False, True, False]


def test_the_ledger_on_disk_says_of_each_job_what_was_read_last(tmp_path: Path) -> None:
    write_jobs(tmp_path, [accepted(number) for number in range(6)], READINGS)
    jobs = read_jobs(tmp_path)
    assert jobs.state.tolist() == ["succeeded", "failed", "succeeded", "running", "", ""]
    assert jobs.ended.tolist() == [True, True, True, False, False, False]
    assert jobs.lost.tolist() == [False, False, False, False, True, False]
    assert jobs.pending.tolist() == [False, False, False, True, False, True]
    assert jobs.doubled.tolist() == [False, False, True, False, False, False]
    assert jobs.latency_s.tolist() == [2.5, 2.5, 2.5, math.inf, math.inf, math.inf]
    table = pq.read_table(tmp_path / "jobs.parquet")
    assert table["location"].to_pylist() == [f"/jobs/{number}" for number in range(6)]
    assert table["found"].to_pylist() == [True, True, True, True, False, None]
    assert [path.name for path in tmp_path.iterdir()] == ["jobs.parquet"]


def test_an_empty_ledger_is_a_file_as_well(tmp_path: Path) -> None:
    write_jobs(tmp_path, [], [])
    assert len(read_jobs(tmp_path)) == 0
