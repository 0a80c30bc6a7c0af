"""Run the worked examples in the docstrings; the modules that import Locust have none."""

from __future__ import annotations

import doctest
from importlib import import_module

import pytest


@pytest.mark.parametrize("module", ["arrivals", "clocks", "selfcheck", "sharing"])
def test_worked_examples_hold(module: str) -> None:
    outcome = doctest.testmod(import_module(f"sloproof.load.{module}"))
    assert outcome.attempted > 0
    assert outcome.failed == 0
