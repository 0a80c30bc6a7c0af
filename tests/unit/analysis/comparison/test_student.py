"""Student's t as the tables have it, and as chance deals it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloproof.analysis.comparison.student import critical, p_value

# Source: NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2: upper critical values (0.975, 0.995).
TABLE = {
    1: (12.706, 63.657),
    2: (4.303, 9.925),
    3: (3.182, 5.841),
    4: (2.776, 4.604),
    5: (2.571, 4.032),
    9: (2.262, 3.250),
    10: (2.228, 3.169),
    19: (2.093, 2.861),
    30: (2.042, 2.750),
    60: (2.000, 2.660),
    100: (1.984, 2.626),
}


@pytest.mark.parametrize("df", TABLE)
def test_critical_values_are_those_of_the_published_table(df: int) -> None:
    assert (round(critical(0.05, df=df), 3), round(critical(0.01, df=df), 3)) == TABLE[df]


def test_two_degrees_of_freedom_have_a_closed_form() -> None:
    for t in (0.1, 1.0, 3.0, 30.0, 1000.0):
        assert p_value(t, df=2) == pytest.approx(1 - t / math.sqrt(t * t + 2), rel=1e-9)


def test_a_fraction_of_a_degree_lies_between_its_neighbours() -> None:
    assert critical(0.05, df=8) < critical(0.05, df=7.3) < critical(0.05, df=7)


@given(st.floats(1e-6, 0.999), st.floats(1, 500))
def test_the_critical_value_is_exceeded_with_its_probability(alpha: float, df: float) -> None:
    assert p_value(critical(alpha, df=df), df=df) == pytest.approx(alpha, rel=1e-6)


@pytest.mark.parametrize("n", [3, 6, 10])
def test_a_simulated_t_exceeds_it_as_often(n: int) -> None:
    samples = np.random.default_rng(5).standard_normal((400_000, n))

    t = samples.mean(axis=1) / (samples.std(axis=1, ddof=1) / math.sqrt(n))

    for alpha in (0.05, 0.01):
        exceeded = float(np.mean(np.abs(t) > critical(alpha, df=n - 1)))
        assert exceeded == pytest.approx(alpha, abs=4 * math.sqrt(alpha / len(t)))


def test_what_is_infinitely_far_has_no_chance() -> None:
    assert p_value(math.inf, df=5) == 0
    assert p_value(0, df=5) == 1
