from __future__ import annotations

import pytest

from sloproof.analysis.comparison.pairing import MOST_PAIRS, chosen_pairs
from sloproof.experiment.plan import Configuration, configurations


def names(matrix: list[Configuration]) -> list[tuple[str, str]]:
    return [(first.id, second.id) for first, second in chosen_pairs(matrix, traffic_factor="profile")]


def test_every_two_of_a_small_matrix_are_compared_the_earlier_first() -> None:
    assert names(configurations({"server": ["u", "h"], "workers": ["1", "4"]})) == [
        ("u-1", "u-4"),
        ("u-1", "h-1"),
        ("u-1", "h-4"),
        ("u-4", "h-1"),
        ("u-4", "h-4"),
        ("h-1", "h-4"),
    ]


def test_what_ran_under_other_traffic_is_not_compared() -> None:
    assert names(configurations({"server": ["u", "h"], "profile": ["calm", "peak"]})) == [
        ("u-calm", "h-calm"),
        ("u-peak", "h-peak"),
    ]


def test_of_a_larger_matrix_those_are_compared_that_differ_in_one_factor() -> None:
    found = names(configurations({"server": ["u", "h"], "loop": ["a", "b"], "workers": ["1", "2", "4"]}))

    assert len(found) == 24
    assert ("u-a-1", "h-a-1") in found
    assert ("u-a-1", "h-a-2") not in found


@pytest.mark.parametrize(
    "factors",
    [
        pytest.param({"n": [str(n) for n in range(200)]}, id="one factor"),
        pytest.param({"n": [str(n) for n in range(20)], "m": [str(m) for m in range(10)]}, id="two factors"),
    ],
)
def test_of_a_large_matrix_each_is_compared_with_the_first(factors: dict[str, list[str]]) -> None:
    matrix = configurations(factors)

    found = names(matrix)

    assert len(found) == 199 > MOST_PAIRS
    assert {first for first, _ in found} == {matrix[0].id}


def test_a_single_configuration_has_nothing_to_be_compared_with() -> None:
    assert names(configurations({"server": ["u"]})) == []
