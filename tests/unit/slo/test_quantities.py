"""Quantities are read exactly, or not at all."""

from __future__ import annotations

import contextlib
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloproof.slo.quantities import (
    SECONDS_PER_UNIT,
    parse_duration,
    parse_positive_duration,
    parse_rate,
    parse_target,
    shown,
)

if TYPE_CHECKING:
    from collections.abc import Callable

# What the format takes: up to nine digits on either side of the point.
numbers = st.decimals(min_value=0, max_value=999_999_999, places=9, allow_nan=False).map(lambda d: f"{d:f}")


@given(number=numbers, unit=st.sampled_from(sorted(SECONDS_PER_UNIT)))
def test_a_duration_is_its_number_times_its_unit_exactly(number: str, unit: str) -> None:
    assert Fraction(parse_duration(f"{number}{unit}")) == Fraction(number) * Fraction(SECONDS_PER_UNIT[unit])


@given(st.decimals(min_value=0, max_value=100, places=9, allow_nan=False).filter(lambda d: 0 < d < 100))
def test_a_percentage_and_its_ratio_are_the_same_target_exactly(percentage: Decimal) -> None:
    target = parse_target(f"{percentage:f}%")

    assert Fraction(target) == Fraction(percentage) / 100
    assert Fraction(1 - target) == 1 - Fraction(target)


@given(st.text(max_size=12) | st.from_regex(r"\d{0,3}(\.\d{0,3})? ?%?", fullmatch=True))
def test_any_text_is_a_target_between_0_and_1_or_refused(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert 0 < parse_target(text) < 1


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("250ms", "0.25"),
        ("2s", "2"),
        ("5 m", "300"),
        ("1.5h", "5400"),
        ("30d", "2592000"),
        ("1w", "604800"),
        ("100us", "0.0001"),
        ("0s", "0"),
    ],
)
def test_a_duration_is_read_in_seconds(text: str, seconds: str) -> None:
    assert parse_duration(text) == Decimal(seconds)


@pytest.mark.parametrize(("text", "rate"), [("300/s", "300"), ("10 / m", "0.1666666666666666666666666667")])
def test_a_rate_is_read_per_second(text: str, rate: str) -> None:
    assert parse_rate(text) == Decimal(rate)


@pytest.mark.parametrize(
    ("parse", "value", "message"),
    [
        pytest.param(parse_duration, "250", "'250' has no unit: write 250ms or 250s", id="no unit"),
        pytest.param(parse_duration, "-2s", "'-2s' is not a duration: write a number and", id="negative"),
        pytest.param(parse_duration, "2 s ", "'2 s ' is not a duration", id="trailing space"),
        pytest.param(parse_duration, "1h30m", "'1h30m' is not a duration", id="two units"),
        pytest.param(parse_duration, "٣s", "'٣s' is not a duration", id="digits of another script"),
        pytest.param(parse_duration, None, "an empty value is not a duration", id="empty"),
        pytest.param(parse_positive_duration, "0h", "'0h' is no time at all", id="zero"),
        pytest.param(parse_target, "9.9", "'9.9' is more than 1: write 9.9% or 0.099", id="no percent sign"),
        pytest.param(parse_target, "1e-1", "'1e-1' is not a target", id="exponent"),
        pytest.param(parse_target, "100.0%", "'100.0%' leaves no error budget", id="100 %"),
        pytest.param(parse_target, "0.0", "'0.0' asks for nothing", id="0 %"),
        pytest.param(
            parse_rate, "300", "'300' has no unit of time: write 300/s or 300/m", id="rate, no unit"
        ),
        pytest.param(parse_rate, "0/s", "'0/s' never happens: write a rate above 0", id="rate of zero"),
        pytest.param(parse_rate, "fast", "'fast' is not a rate: write a number per unit", id="word"),
        pytest.param(parse_rate, ["1/s"], "a list is not a rate: write a number per unit", id="list"),
    ],
)
def test_what_is_no_quantity_is_refused_with_what_would_be_right(
    parse: Callable[[object], Decimal], value: object, message: str
) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is compared below
        parse(value)

    assert str(caught.value).startswith(message)


def test_a_long_value_is_cut_in_a_message() -> None:
    assert shown("x" * 100) == f"'{'x' * 57}…'"
