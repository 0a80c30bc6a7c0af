"""A run until decided ends at the first look that leaves nothing open, and its report says the same."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from sloproof.analysis.verdicts import Verdict
from sloproof.experiment.evaluate import evaluate_trial
from sloproof.experiment.progression import blocks_done, ends_before, planned_blocks
from sloproof.experiment.summary import summarise
from sloproof.report.facts import facts as shown
from sloproof.slo import definition
from tests.invention import InventedTrial, facts

if TYPE_CHECKING:
    from sloproof.analysis.results import TrialResult
    from tests.invention import Invention

LOOKS = (7, 13, 19, 24, 30)
CELL = "uvicorn-1"


def until_decided(invention: Invention) -> Invention:
    invention.folder.write_facts(replace(invention.folder.facts(), looks=LOOKS))
    return invention


def results(invention: Invention, outcomes: str) -> list[TrialResult]:
    """Return trials of one configuration: + all well, - slow, x invalid, one a block."""
    objectives = definition.load(invention.folder.definition)
    kinds = {"+": InventedTrial, "-": slow, "x": invalid}
    found = []
    for block, each in enumerate(outcomes, start=1):
        record = invention.add(kinds[each](configuration=CELL, block=block))
        found.append(evaluate_trial(invention.folder.trial(record.folder), record, objectives, proxied=False))
    return found


def slow(*, configuration: str, block: int) -> InventedTrial:
    return InventedTrial(configuration=configuration, block=block, slow=30)


def invalid(*, configuration: str, block: int) -> InventedTrial:
    return InventedTrial(configuration=configuration, block=block, generator=facts(wait_ratio=0.5))


@pytest.mark.parametrize(
    ("outcomes", "ends"),
    [
        pytest.param("+++++++", True, id="all decided at the first look"),
        pytest.param("++++++", False, id="no look yet"),
        pytest.param("++++++-", False, id="one objective undecided"),
        pytest.param("x++++++", False, id="a trial too few"),
        pytest.param("xxxxxxx", True, id="nothing to measure"),
        pytest.param("-------", True, id="violated is decided too"),
    ],
)
def test_a_run_ends_where_a_look_leaves_nothing_open(
    invention: Invention, outcomes: str, *, ends: bool
) -> None:
    trials = results(invention, outcomes)
    objectives = definition.load(invention.folder.definition)

    assert ends_before(len(outcomes) + 1, trials, looks=LOOKS, definition=objectives) is ends
    blocks = planned_blocks(trials, done=len(outcomes), looks=LOOKS, definition=objectives)
    assert blocks == (7 if ends or len(outcomes) < 7 else 13)


def test_a_block_is_done_when_every_configuration_ran_in_it_and_in_those_before(invention: Invention) -> None:
    trials = results(invention, "+++")

    assert blocks_done(trials, configurations=1) == 3
    assert blocks_done([trials[0], trials[2]], configurations=1) == 1
    assert blocks_done(trials, configurations=2) == 0


def test_a_decided_run_is_complete_and_says_after_how_many_looks(invention: Invention) -> None:
    until_decided(invention)
    for block in range(1, 8):
        for each in invention.configurations:
            invention.add(InventedTrial(configuration=each.id, block=block))

    found = summarise(invention.folder)
    first = found.configurations[0]

    assert set(found.verdicts()) == {Verdict.MET}
    assert found.complete
    assert (found.plan.blocks, found.plan.trials, found.plan.looks) == (7, 28, LOOKS)
    assert "decided after 7 of at most 30 blocks, corrected for 5 looks" in first.objectives[0].reason
    assert dict(shown(found))["looked at"].startswith("after 7, 13, 19, 24, 30 blocks")
    p99 = next(each for each in first.endpoints[0].percentiles if each.q == 0.99)
    assert p99.typical_s
    assert first.objectives[0].interval
    assert p99.typical_s.confidence_ratio == first.objectives[0].interval.confidence_ratio


def test_an_undecided_run_is_not_complete_until_its_next_look(invention: Invention) -> None:
    until_decided(invention)
    for block in range(1, 10):
        for each in invention.configurations:
            missed = each.id == CELL and block == 3
            invention.add(InventedTrial(configuration=each.id, block=block, slow=30 if missed else 0))

    found = summarise(invention.folder)
    (undecided,) = [each for each in found.configurations[0].objectives if each.name == "submit-latency"]

    assert not found.complete
    assert found.plan.blocks == 13
    assert undecided.verdict is Verdict.INCONCLUSIVE
    assert "undecided after 7 of at most 30 blocks, corrected for 5 looks" in undecided.reason
    assert undecided.more_trials
