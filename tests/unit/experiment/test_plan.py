from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from sloproof.experiment.plan import Configuration, configurations, derived_seed, plan

MATRIX = configurations({"server": ["uvicorn", "hypercorn"], "workers": ["1", "4"]})


def test_a_matrix_holds_every_combination_once_in_a_stable_order() -> None:
    assert [each.id for each in MATRIX] == ["uvicorn-1", "uvicorn-4", "hypercorn-1", "hypercorn-4"]


@given(blocks=st.integers(1, 30), seed=st.integers(0, 2**63))
def test_every_configuration_runs_once_a_block_on_the_arrivals_of_that_block(blocks: int, seed: int) -> None:
    trials = plan(MATRIX, blocks=blocks, seed=seed)

    assert [trial.block for trial in trials] == sorted(trial.block for trial in trials)
    assert Counter((trial.block, trial.configuration.id) for trial in trials) == Counter(
        (block, each.id) for block in range(1, blocks + 1) for each in MATRIX
    )
    assert (
        len({(trial.block, trial.seed) for trial in trials})
        == len({trial.seed for trial in trials})
        == blocks
    )


def test_the_same_seed_gives_the_same_plan_and_another_seed_another() -> None:
    assert plan(MATRIX, blocks=6, seed=1) == plan(MATRIX, blocks=6, seed=1)
    assert plan(MATRIX, blocks=6, seed=1) != plan(MATRIX, blocks=6, seed=2)


def test_the_order_differs_between_blocks_and_favours_no_configuration() -> None:
    trials = plan(MATRIX, blocks=400, seed=3)
    first_of_block = Counter(trial.configuration.id for trial in trials[:: len(MATRIX)])

    assert set(first_of_block) == {each.id for each in MATRIX}
    assert min(first_of_block.values()) > 60  # 100 expected; below 60 has a chance of 1 in a million


def test_derived_seeds_depend_on_every_part() -> None:
    seeds = {
        derived_seed(1, "a", 1),
        derived_seed(1, "a", 2),
        derived_seed(1, "b", 1),
        derived_seed(2, "a", 1),
    }

    assert len(seeds) == 4
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_a_configuration_without_a_matrix_is_named_by_its_only_level() -> None:
    assert Configuration({"server": "uvicorn"}).id == "uvicorn"
