from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from sloproof.analysis.verdicts import Verdict
from sloproof.experiment.summary import summarise
from sloproof.report.answer import headline, notes, overall, undecided
from tests.invention import InventedTrial, facts

if TYPE_CHECKING:
    from sloproof.analysis.results import Results
    from tests.invention import Invention

SLOW = InventedTrial(configuration="", slow=30)
LATE = InventedTrial(configuration="", generator=facts(wait_ratio=1.0))


@pytest.mark.parametrize(
    ("trials", "sentence", "verdict"),
    [
        pytest.param({}, "All 4 configurations meet every objective.", Verdict.MET, id="all met"),
        pytest.param(
            {"uvicorn_1": SLOW},
            "uvicorn-4, hypercorn-1 and hypercorn-4 meet every objective; uvicorn-1 violates at least one.",
            Verdict.VIOLATED,
            id="one violated",
        ),
        pytest.param(
            {"uvicorn_1": LATE},
            "uvicorn-4, hypercorn-1 and hypercorn-4 meet every objective; uvicorn-1 is undecided.",
            Verdict.INCONCLUSIVE,
            id="one undecided",
        ),
    ],
)
def test_the_headline_answers_the_question(
    invention: Invention, trials: dict[str, InventedTrial], sentence: str, verdict: Verdict
) -> None:
    invention.fill(**trials)

    results = summarise(invention.folder)

    assert headline(results) == sentence
    assert overall(results) is verdict


def test_many_configurations_are_counted_not_listed(results: Results) -> None:
    violated, *met = results.configurations
    many = [
        *(replace(met[0], id=f"c{n}") for n in range(150)),
        *(replace(violated, id=f"v{n}") for n in range(9)),
    ]

    assert headline(replace(results, configurations=tuple(many))) == (
        "150 configurations meet every objective; 9 configurations violate at least one."
    )


def test_a_run_without_a_valid_trial_says_so(invention: Invention) -> None:
    results = summarise(invention.folder)

    assert headline(results) == "No valid measurement: nothing can be said."
    assert overall(results) is Verdict.INCONCLUSIVE


def test_notes_say_what_was_violated_where_the_server_was_blind_and_what_was_invalid(
    invention: Invention,
) -> None:
    invention.fill(uvicorn_1=SLOW, hypercorn_4=LATE)

    said = dict(notes(summarise(invention.folder)))

    assert "a blind spot" in said["uvicorn-1, submit-latency"]
    assert "waited for a processor" in said["6 of 24 trials were invalid and count for integrity alone"]


def test_what_is_undecided_says_how_many_more_trials_would_probably_decide(invention: Invention) -> None:
    invention.add(InventedTrial(configuration="uvicorn-1"))

    said = dict(undecided(summarise(invention.folder)))

    assert "further trials would probably decide" in said["uvicorn-1, availability"]
    assert "uvicorn-1, integrity" not in said
