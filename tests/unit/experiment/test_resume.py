from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from sloproof.experiment.evaluate import evaluate_trial
from sloproof.experiment.plan import configurations, plan
from sloproof.experiment.resume import (
    differences,
    of_whole_blocks,
    remaining,
    runs_again,
    that_count,
)
from sloproof.slo import definition
from tests.invention import InventedTrial, facts

if TYPE_CHECKING:
    from sloproof.analysis.results import TrialResult
    from tests.invention import Invention

PLANNED = plan(configurations({"server": ["uvicorn", "hypercorn"]}), blocks=3, seed=1)


def result(invention: Invention, block: int, configuration: str, *, valid: bool = True) -> TrialResult:
    generator = facts() if valid else facts(wait_ratio=0.4)
    record = InventedTrial(configuration=configuration, block=block, generator=generator).write(
        invention.folder
    )
    return evaluate_trial(
        invention.folder.trial(record.folder),
        record,
        definition.load(invention.folder.definition),
        proxied=False,
    )


def test_without_a_finished_trial_all_are_left() -> None:
    assert remaining(PLANNED, [], repeats_left=6) == PLANNED


def test_an_incomplete_block_is_left_whole_and_so_is_all_that_follows(invention: Invention) -> None:
    done = [result(invention, *trial) for trial in ((1, "uvicorn"), (1, "hypercorn"), (2, "uvicorn"))]

    assert [each.block for each in remaining(PLANNED, done, repeats_left=6)] == [2, 2, 3, 3]
    assert [each.block for each in remaining(PLANNED, done[:2], repeats_left=6)] == [2, 2, 3, 3]


def test_a_trial_of_a_block_that_runs_again_is_not_counted(invention: Invention) -> None:
    done = [result(invention, *trial) for trial in ((1, "uvicorn"), (1, "hypercorn"), (2, "uvicorn"))]

    assert of_whole_blocks(done, remaining(PLANNED, done, repeats_left=6)) == done[:2]
    assert of_whole_blocks(done, []) == done


def test_a_block_that_waits_for_a_repeat_is_not_complete(invention: Invention) -> None:
    done = [result(invention, 1, "uvicorn"), result(invention, 1, "hypercorn", valid=False)]

    assert [each.block for each in remaining(PLANNED, done, repeats_left=1)] == [1, 1, 2, 2, 3, 3]
    assert [each.block for each in remaining(PLANNED, done, repeats_left=0)] == [2, 2, 3, 3]


def test_after_the_last_trial_nothing_is_left(invention: Invention) -> None:
    done = [result(invention, each.block, each.configuration.id) for each in PLANNED]

    assert remaining(PLANNED, done, repeats_left=6) == []


@pytest.mark.parametrize(
    ("valid", "repeat", "repeats_left", "again"),
    [
        pytest.param(True, 0, 6, False, id="valid"),
        pytest.param(False, 0, 6, True, id="invalid"),
        pytest.param(False, 1, 6, True, id="invalid a second time"),
        pytest.param(False, 2, 6, False, id="invalid a third time"),
        pytest.param(False, 0, 0, False, id="no repeat left"),
    ],
)
def test_an_invalid_trial_runs_again_within_both_bounds(
    invention: Invention,
    valid: bool,
    repeat: int,
    repeats_left: int,
    again: bool,
) -> None:
    trial = replace(result(invention, 1, "uvicorn", valid=valid), repeat=repeat)

    assert runs_again(trial, repeats_left=repeats_left) is again


def test_of_a_block_that_was_begun_twice_only_the_second_attempt_counts(invention: Invention) -> None:
    first = InventedTrial(configuration="uvicorn", block=1).write(invention.folder)
    cut_short = InventedTrial(configuration="uvicorn", block=2).write(invention.folder)
    again = replace(cut_short, attempt=2, folder="b02.2-uvicorn")

    assert that_count([first, cut_short]) == [first, cut_short]
    assert that_count([first, cut_short, again]) == [first, again]


def test_what_differs_is_named_with_both_values_and_what_passes_is_not() -> None:
    before = {"kernel": "Linux 6.1", "cpus": 2, "commit": None, "load_average": [1.0], "uptime_s": 9.0}
    now = {"kernel": "Linux 6.2", "cpus": 2, "commit": "abc", "load_average": [2.0], "uptime_s": 12.0}

    assert list(differences(before, now)) == [
        "commit was None and is 'abc'",
        "kernel was 'Linux 6.1' and is 'Linux 6.2'",
    ]


def test_a_run_of_an_older_version_goes_on_where_a_newer_one_looks_at_more() -> None:
    assert not list(differences({"cpus": 2}, {"cpus": 2, "governor": "performance"}))
    assert list(differences({"governor": "performance"}, {})) == ["governor was 'performance' and is None"]
