"""The worked examples in this room's docstrings are true."""

from __future__ import annotations

import doctest
from importlib import import_module

import pytest


@pytest.mark.parametrize("module", ["calibration", "plan", "prometheus.reading", "shapes"])
def test_the_examples_of_a_module_are_true(module: str) -> None:
    outcome = doctest.testmod(import_module(f"sloproof.experiment.{module}"))

    assert outcome.attempted
    assert not outcome.failed
