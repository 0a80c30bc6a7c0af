"""The sentence of a configuration, the mark in its chart, and the worked examples."""

from __future__ import annotations

import doctest
from dataclasses import replace
from importlib import import_module

import pytest

from sloproof.analysis.capacity.conclusion import Conclusion
from sloproof.analysis.capacity.knee import knee
from sloproof.analysis.capacity.limits import Limit, Limiter
from sloproof.analysis.capacity.result import Search, sentence
from sloproof.analysis.capacity.search import Ending, Finding

SEARCH = Search(from_per_s=50, to_per_s=2000, at_least_per_s=None, budget_s=600, trials=4)
FINDING = Finding(
    ending=Ending.FITTED,
    met_per_s=400,
    missed_per_s=520,
    invalid_per_s=None,
    evidence=(),
    shown=False,
    capped=False,
    steps=(),
)
FITTED = Conclusion(
    ending=Ending.FITTED,
    at_least_per_s=410.9,
    estimate_per_s=463.7,
    at_most_per_s=500,
    binding="read-latency",
    trials=20,
    lines=(),
)
CPU = Limit(Limiter.SUBJECT_CPU, "1.90 of 2 processors")


@pytest.mark.parametrize(
    ("conclusion", "limit", "said"),
    [
        pytest.param(
            FITTED,
            CPU,
            "≥ 410 requests/s (97.5 % one-sided), estimate 464; read-latency is missed first; "
            "limited by subject CPU: 1.90 of 2 processors",
            id="fitted",
        ),
        pytest.param(
            replace(FITTED, at_least_per_s=None),
            Limit(Limiter.UNKNOWN, "x"),
            "no lower bound was shown, estimate 464; read-latency is missed first; "
            "what limits it is unknown: x",
            id="without a bound",
        ),
        pytest.param(
            replace(FITTED, ending=Ending.TOP, at_least_per_s=2000, estimate_per_s=None),
            Limit(Limiter.NOTHING, "the search went no higher"),
            "≥ 2,000 requests/s (97.5 % one-sided); it may carry more: the search went no higher",
            id="the highest rate",
        ),
        pytest.param(
            replace(FITTED, ending=Ending.GENERATOR, at_least_per_s=800, estimate_per_s=None),
            Limit(Limiter.GENERATOR, "at 900 requests/s the generator was late"),
            "≥ 800 requests/s (97.5 % one-sided); limited by load generator: "
            "at 900 requests/s the generator was late",
            id="the generator",
        ),
        pytest.param(
            replace(FITTED, ending=Ending.BOTTOM, at_least_per_s=None, at_most_per_s=50),
            CPU,
            "< 50 requests/s (97.5 % one-sided): read-latency is missed at the lowest rate of the search",
            id="the lowest rate",
        ),
        pytest.param(
            replace(FITTED, ending=Ending.BOTTOM, at_least_per_s=None, at_most_per_s=None),
            CPU,
            "no lower bound was shown: around 50 requests/s, the lowest of the search, trials disagree",
            id="about the lowest rate",
        ),
        pytest.param(
            replace(FITTED, ending=Ending.BUDGET),
            CPU,
            "nothing shown, the time was over: met at 400 requests/s, missed at 520 requests/s",
            id="no time",
        ),
        pytest.param(
            replace(FITTED, ending=Ending.UNMEASURED),
            Limit(Limiter.GENERATOR, "at 50 requests/s the generator was late"),
            "no valid measurement, not even at 50 requests/s: at 50 requests/s the generator was late",
            id="no measurement",
        ),
    ],
)
def test_a_configuration_has_a_sentence(conclusion: Conclusion, limit: Limit, said: str) -> None:
    assert sentence(conclusion, FINDING, limit, SEARCH, complete=True) == said


def test_a_knee_is_where_the_curve_turns_and_straight_lines_have_none() -> None:
    assert knee([(rate, 10 + max(0, rate - 300) ** 2) for rate in range(100, 600, 100)]) == 300
    assert knee([(rate, 2.0 * rate) for rate in range(100, 600, 100)]) is None
    assert knee([(1, 1), (2, 1), (3, 9)]) is None


@pytest.mark.parametrize("module", ["fit", "knee", "observation", "result", "search"])
def test_the_examples_of_a_module_are_true(module: str) -> None:
    outcome = doctest.testmod(import_module(f"sloproof.analysis.capacity.{module}"))

    assert outcome.attempted
    assert not outcome.failed
