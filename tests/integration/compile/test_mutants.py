"""Mistakes that people make in such rules are caught by the generated proofs, each by one that is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sloproof.slo.definition import load
from tests.integration.compile.mutants import MUTANTS
from tests.integration.compile.promtool import groups, proofs, write, write_rules

if TYPE_CHECKING:
    from sloproof.slo.definition import Definition
    from tests.integration.compile.edits import Mutant
    from tests.integration.compile.promtool import Data, Outcome, Promtool

JOBS = load(Path(__file__).parents[3] / "slo" / "jobs.yaml")
CATCHERS = sorted({(mutant.objective, mutant.caught_by) for mutant in MUTANTS})


def only(objective: str) -> Definition:
    return replace(JOBS, objectives=tuple(each for each in JOBS.objectives if each.name == objective))


def proved(folder: Path, promtool: Promtool, definition: Definition, group: Data, title: str) -> Outcome:
    """Return what the one test with a title makes of a group of rules, which promtool must take first."""
    taken = promtool.check_rules(write_rules(folder, definition.service, [group]))
    assert taken.passed, taken.said
    ((name, data),) = proofs(definition, title).items()
    assert len(data["tests"]) == 1
    return promtool.test_rules(write(folder / name, data))


@pytest.mark.parametrize(("objective", "title"), CATCHERS)
def test_the_proof_holds_of_the_rules_as_they_are(
    tmp_path: Path, promtool: Promtool, objective: str, title: str
) -> None:
    definition = only(objective)
    (group,) = groups(definition)

    outcome = proved(tmp_path, promtool, definition, group, title)

    assert outcome.passed, outcome.said


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.id)
def test_a_mistake_is_caught(tmp_path: Path, promtool: Promtool, mutant: Mutant) -> None:
    definition = only(mutant.objective)
    (group,) = groups(definition)

    outcome = proved(tmp_path, promtool, definition, mutant.of(group), mutant.caught_by)

    assert not outcome.passed
    assert "FAILED" in outcome.said
    assert "exp:" in outcome.said, f"it fails for another reason: {outcome.said}"


def test_there_are_enough_mistakes_and_all_differ() -> None:
    assert len({mutant.id for mutant in MUTANTS}) == len(MUTANTS) >= 18
