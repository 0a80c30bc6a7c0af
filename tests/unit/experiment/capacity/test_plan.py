from __future__ import annotations

import doctest
from importlib import import_module
from pathlib import Path

import pytest

from sloproof.cli import main
from sloproof.experiment import spec
from sloproof.experiment.capacity.plan import BudgetError, check_budget, search_plans, turn
from sloproof.experiment.plan import configurations
from sloproof.experiment.record import BackendName

CAPACITY = Path(__file__).parents[4] / "experiments" / "capacity.yaml"
MATRIX = configurations({"server": ["a", "b", "c"]})


def test_the_time_is_shared_equally_and_every_configuration_has_a_seed_of_its_own() -> None:
    plans = search_plans(spec.load(CAPACITY), BackendName.PROCESS)

    assert list(plans) == ["uvicorn-1", "uvicorn-4", "hypercorn-1", "hypercorn-4"]
    assert {each.budget_s for each in plans.values()} == {360}
    assert len({each.seed for each in plans.values()}) == 4


def test_every_configuration_has_its_turn_once_a_round_in_an_order_drawn_anew() -> None:
    ran = dict.fromkeys("abc", 0)
    turns = []
    for _ in range(30):
        mine = turn(MATRIX, ran, seed=1).id
        ran[mine] += 1
        turns.append(mine)

    rounds = [tuple(turns[at : at + 3]) for at in range(0, 30, 3)]
    assert all(sorted(each) == ["a", "b", "c"] for each in rounds)
    assert len(set(rounds)) > 2


def test_a_round_that_was_interrupted_goes_on_with_those_whose_turn_it_was() -> None:
    order, ran = [], dict.fromkeys("abc", 4)
    for _ in range(3):
        order.append(turn(MATRIX, ran, seed=1).id)
        ran[order[-1]] += 1

    assert turn(MATRIX, {**dict.fromkeys("abc", 4), order[0]: 5}, seed=1).id == order[1]


def test_too_little_time_is_refused_with_what_would_be_enough() -> None:
    experiment = spec.load(CAPACITY)
    assert experiment.search is not None
    short = experiment.model_copy(update={"search": experiment.search.model_copy(update={"budget": 600.0})})

    with pytest.raises(BudgetError) as refused:
        check_budget(short, BackendName.PROCESS)
    assert str(refused.value) == (
        "capacity: search.budget: 10m leaves uvicorn-1 11 trials of about 13.5 s, and a search takes about "
        "26: write 24m, or make the trials shorter"
    )
    check_budget(experiment, BackendName.PROCESS)


def test_a_plan_says_how_long_a_search_takes_at_most(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", str(CAPACITY), "--backend", "process"]) == 0

    out = capsys.readouterr().out
    assert out.startswith(
        "capacity: a search for the capacity of 4 configurations, within 24 min 00 s, 6 min 00 s each: "
        "at most about 104 trials; seed 1\n"
    )
    assert "100/s to 1600/s poisson for 4 s after 1 s" in out


def test_a_search_has_no_blocks_to_choose(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", str(CAPACITY), "--blocks", "3"]) == 2

    assert capsys.readouterr().err == (
        "sloproof: --blocks: a search decides how many trials it needs: leave it out\n"
    )


@pytest.mark.parametrize("module", ["plan", "trials"])
def test_the_examples_of_a_module_are_true(module: str) -> None:
    outcome = doctest.testmod(import_module(f"sloproof.experiment.capacity.{module}"))

    assert outcome.attempted
    assert not outcome.failed
