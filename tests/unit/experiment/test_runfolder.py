from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from sloproof.experiment.runfolder import RunFolder, RunFolderError
from sloproof.files import write_atomically
from tests.invention import InventedTrial, facts

if TYPE_CHECKING:
    from pathlib import Path

    from tests.invention import Invention

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_runs_of_the_same_second_get_folders_of_their_own(tmp_path: Path) -> None:
    folders = [RunFolder.create(tmp_path, name="quick", now=NOW).path.name for _ in range(3)]

    assert folders == ["20260102T030405Z-quick", "20260102T030405Z-quick-2", "20260102T030405Z-quick-3"]


def test_records_come_back_as_they_were(invention: Invention) -> None:
    late = facts(start_lag_p99_s=float("inf"), wait_ratio=None)
    records = [
        invention.add(InventedTrial(configuration="uvicorn-1", block=block, generator=late))
        for block in (1, 2)
    ]

    assert invention.folder.records() == records
    for line in (invention.folder.path / "trials.jsonl").read_text().splitlines():
        json.loads(line, parse_constant=pytest.fail)  # Infinity is not JSON


def test_a_line_cut_short_by_a_crash_is_no_trial(invention: Invention) -> None:
    record = invention.add(InventedTrial(configuration="uvicorn-1"))
    with (invention.folder.path / "trials.jsonl").open("a") as file:
        file.write('{"folder": "b02-uvic')

    assert invention.folder.records() == [record]


def test_any_other_broken_line_is_named(invention: Invention) -> None:
    invention.add(InventedTrial(configuration="uvicorn-1"))
    with (invention.folder.path / "trials.jsonl").open("a") as file:
        file.write("{}\n")

    with pytest.raises(RunFolderError, match=r"trials\.jsonl:2: not the record of a trial"):
        invention.folder.records()


def test_a_run_without_a_finished_trial_has_no_records(invention: Invention) -> None:
    assert invention.folder.records() == []


def test_writing_replaces_a_file_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    for text in ("long " * 1000, "short"):
        write_atomically(path, text)

    assert path.read_text() == "short"
    assert list(tmp_path.iterdir()) == [path]


def test_what_an_interrupted_run_left_half_done_is_cleared_and_nothing_else(invention: Invention) -> None:
    finished = invention.add(InventedTrial(configuration="uvicorn-1"))
    half = InventedTrial(configuration="uvicorn-4").write(invention.folder)
    with (invention.folder.path / "trials.jsonl").open("a") as file:
        file.write('{"folder": "b01-uvic')

    invention.folder.clear_unfinished()

    assert not invention.folder.trial(half.folder).path.exists()
    assert invention.folder.trial(finished.folder).samples()
    invention.folder.append(InventedTrial(configuration="uvicorn-4").write(invention.folder))
    assert [record.configuration for record in invention.folder.records()] == ["uvicorn-1", "uvicorn-4"]


def test_a_block_begun_again_sets_its_first_trials_aside(invention: Invention) -> None:
    invention.add(InventedTrial(configuration="uvicorn-1"))
    again = replace(InventedTrial(configuration="uvicorn-4").write(invention.folder), attempt=2)
    invention.folder.append(again)

    assert invention.folder.records() == [again]
    assert invention.folder.set_aside() == 1


def test_a_run_is_held_by_one_at_a_time(invention: Invention) -> None:
    with (
        invention.folder.held(),
        pytest.raises(RunFolderError, match="is still being run by another process"),
        invention.folder.held(),
    ):
        pytest.fail("it was held twice")
    with invention.folder.held():
        pass
