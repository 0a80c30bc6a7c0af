"""The worked examples in the service's docstrings are true."""

import doctest
from importlib import import_module

import pytest


@pytest.mark.parametrize("module", ["domain.rules", "channel", "adapters.http.endpoints"])
def test_the_examples_of_a_module_are_true(module: str) -> None:
    outcome = doctest.testmod(import_module(f"service.{module}"))
    assert outcome.attempted
    assert not outcome.failed
