"""The worked examples in this room's docstrings are true."""

from __future__ import annotations

import doctest
from importlib import import_module

import pytest

MODULES = (
    "accounting",
    "columns",
    "counts",
    "estimates",
    "findings",
    "floor",
    "foresight",
    "hdrlog",
    "intervals",
    "percentiles",
    "sequential",
    "verdicts",
)
OF_COMPARISON = ("holm", "means", "measured", "ranks", "student")


@pytest.mark.parametrize("module", [*MODULES, *(f"comparison.{each}" for each in OF_COMPARISON)])
def test_the_examples_of_a_module_are_true(module: str) -> None:
    outcome = doctest.testmod(import_module(f"sloproof.analysis.{module}"))

    assert outcome.attempted
    assert not outcome.failed
