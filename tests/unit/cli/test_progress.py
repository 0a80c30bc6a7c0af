from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from sloproof.cli.progress import RunProgress
from sloproof.cli.verdicts import reasons, verdict_table
from sloproof.experiment import spec
from sloproof.experiment.backends import ProcessBackend
from sloproof.experiment.evaluate import evaluate_trial
from sloproof.experiment.plan import Configuration, PlannedTrial
from sloproof.experiment.prometheus.choice import Absent
from sloproof.experiment.record import Part, Stop
from sloproof.experiment.run import Run
from sloproof.experiment.summary import summarise
from sloproof.load.workers import Workers
from sloproof.slo import definition
from tests.invention import ROOT, InventedTrial, facts

if TYPE_CHECKING:
    from sloproof.analysis.results import TrialResult
    from tests.invention import Invention

PLANNED = [
    PlannedTrial(block=1, configuration=Configuration({"server": name}), seed=1)
    for name in ("uvicorn", "hypercorn")
]


def run_of(invention: Invention, file: str) -> Run:
    experiment = spec.load(ROOT / "experiments" / file)
    return Run(
        folder=invention.folder,
        experiment=experiment,
        definition=definition.load(experiment.slo),
        backend=ProcessBackend(experiment=experiment, reason="asked for"),
        workers=Workers(),
        prometheus=Absent("switched off"),
    )


def told(invention: Invention, *, again: bool = False, terminal: bool = False, **changes: object) -> str:
    """Return what a person is shown of a run of two trials of which one has ended."""
    trial = InventedTrial(configuration="uvicorn", **changes)  # type: ignore[arg-type]
    record = trial.write(invention.folder)
    result: TrialResult = evaluate_trial(
        invention.folder.trial(record.folder),
        record,
        definition.load(invention.folder.definition),
        proxied=False,
    )
    console = Console(
        file=io.StringIO(), width=200, highlight=False, force_terminal=terminal, color_system=None
    )
    with RunProgress(console) as progress:
        progress.began(run_of(invention, "quick.yaml"), PLANNED, done=0)
        progress.part(PLANNED[0], Part.LOAD)
        progress.ended(PLANNED[0], result, again=again)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_log_gets_a_plain_line_for_each_trial_with_its_slis_and_the_time_left(invention: Invention) -> None:
    first, line = told(invention, slow=30).splitlines()

    assert first == "20260102T030405Z-quick: 2 configurations × 1 blocks = 2 trials, about 1 min 02 s"
    assert line.startswith("1/2  block 1  uvicorn")
    assert "submit-latency 97.0 %  read-latency 97.0 %  availability 100 %  completion 100 %" in line
    assert line.endswith(" left")


def test_the_reason_of_an_objective_that_is_undecided_stands_there_too(invention: Invention) -> None:
    for block in range(1, 6):
        invention.add(InventedTrial(configuration="uvicorn-1", block=block))

    told = list(reasons(summarise(invention.folder)))

    assert any(line.startswith("uvicorn-1, submit-latency: 5 trials saw events") for line in told), told


def test_a_search_of_slow_trials_is_promised_no_more_time_than_it_has(invention: Invention) -> None:
    progress = RunProgress(Console(file=io.StringIO()))
    progress.searching(run_of(invention, "capacity.yaml"), done=0)
    progress._durations_s += [60.0, 60.0]

    assert 0 < progress._left_s() <= 24 * 60 - 120


@pytest.mark.parametrize(
    ("again", "words"),
    [(True, "invalid, runs again: "), (False, "invalid: ")],
    ids=["repeated", "the last repeat"],
)
def test_an_invalid_trial_is_named_with_its_reason(invention: Invention, again: bool, words: str) -> None:
    line = told(invention, again=again, generator=facts(wait_ratio=0.4)).splitlines()[1]

    assert line.startswith("1/2")
    assert words in line
    assert "starved" in line


def test_a_broken_promise_of_integrity_stands_out(invention: Invention) -> None:
    line = told(invention, stop=Stop(died_before=True, exit_status=-9)).splitlines()[1]

    assert "integrity violated: the subject ended by itself under load, with status -9" in line


def test_a_terminal_sees_which_part_of_which_trial_runs(invention: Invention) -> None:
    shown = told(invention, terminal=True)

    assert "uvicorn · load" in shown
    assert "1/2" in shown


def test_the_verdict_table_has_a_row_for_each_configuration_and_a_column_for_each_objective(
    invention: Invention,
) -> None:
    invention.fill(uvicorn_1=InventedTrial(configuration="", slow=30))
    console = Console(file=io.StringIO(), width=200)
    console.print(verdict_table(summarise(invention.folder)))
    assert isinstance(console.file, io.StringIO)
    table = console.file.getvalue()

    row = next(line for line in table.splitlines() if "uvicorn-1" in line)
    assert row.count("VIOLATED") == 2
    assert row.count("MET") == 3
    assert "99 % within 250 ms" in table
    assert "97.0 %" in table


def test_the_reason_of_a_violation_stands_under_the_table(invention: Invention) -> None:
    invention.fill(uvicorn_1=InventedTrial(configuration="", slow=30))

    (first, *_) = reasons(summarise(invention.folder))

    assert first.startswith(
        "uvicorn-1, submit-latency: 0 of 6 trials met 99 %: the whole interval misses it; "
    )
    assert "a blind spot: the server's own metrics say MET, its clients VIOLATED" in first


def test_a_warning_is_shown_as_it_was_said_whatever_is_in_it() -> None:
    console = Console(file=io.StringIO(), width=40, highlight=False, color_system=None)

    RunProgress(console).warning("the governor [powersave] changes the clock: set 'performance'")

    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue() == (
        "warning: the governor [powersave] changes the clock: set 'performance'\n"
    )
