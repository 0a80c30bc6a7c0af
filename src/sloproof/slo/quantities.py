"""Durations, targets and rates as people write them, for pydantic models; it knows no file and no field."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

SECONDS_PER_UNIT = {
    "us": Decimal("0.000001"),
    "ms": Decimal("0.001"),
    "s": Decimal(1),
    "m": Decimal(60),
    "h": Decimal(3_600),
    "d": Decimal(86_400),
    "w": Decimal(604_800),
}
# Few enough digits that no product or quotient below is ever rounded.
NUMBER = r"([0-9]{1,9}(?:\.[0-9]{1,9})?)"
DURATION = re.compile(rf"{NUMBER} ?({'|'.join(SECONDS_PER_UNIT)})")
TARGET = re.compile(rf"{NUMBER} ?(%?)")
RATE = re.compile(rf"{NUMBER} ?/ ?([smhd])")


def parse_duration(text: object) -> Decimal:
    """Return the exact seconds of a duration: a number and one of the units us, ms, s, m, h, d, w.

    Raises ValueError on anything else, a number without a unit above all: it would be read as seconds by
    half of the readers, and as milliseconds by the other.

    >>> parse_duration("250ms")
    Decimal('0.250')
    """
    if not isinstance(text, str) or not (match := DURATION.fullmatch(text)):
        if isinstance(text, str) and re.fullmatch(NUMBER, text):
            raise ValueError(f"'{text}' has no unit: write {text}ms or {text}s")
        raise ValueError(
            f"{shown(text)} is not a duration: write a number and a unit, e.g. 250ms, 2s, 5m, 30d"
        )
    return Decimal(match[1]) * SECONDS_PER_UNIT[match[2]]


def parse_positive_duration(text: object) -> Decimal:
    """Return the exact seconds of a duration that is longer than none; raises ValueError otherwise."""
    if not (seconds := parse_duration(text)):
        raise ValueError(f"{shown(text)} is no time at all: write a longer duration, e.g. 250ms or 30d")
    return seconds


def parse_target(text: object) -> Decimal:
    """Return the exact ratio of good events that an objective asks for, above 0 and below 1.

    Raises ValueError on 100 % and more (no error budget: a single bad event would break it for ever), on
    0 and less, and on numbers above 1 without a percent sign.

    >>> parse_target("99.9%"), 1 - parse_target("99.9%")
    (Decimal('0.999'), Decimal('0.001'))
    """
    if not isinstance(text, str) or not (match := TARGET.fullmatch(text)):
        raise ValueError(f"{shown(text)} is not a target: write a percentage below 100, e.g. 99.9%, or 0.999")
    number, percent = Decimal(match[1]), match[2]
    if not percent and 1 < number < 100:  # noqa: PLR2004 - a hundred per cent
        raise ValueError(f"'{text}' is more than 1: write {text}% or {number.scaleb(-2).normalize()}")
    ratio = number.scaleb(-2).normalize() if percent else number
    if ratio >= 1:
        raise ValueError(f"'{text}' leaves no error budget: write a percentage below 100, e.g. 99.9%")
    if not ratio:
        raise ValueError(f"'{text}' asks for nothing: write a percentage above 0, e.g. 99.9%")
    return ratio


def parse_rate(text: object) -> Decimal:
    """Return the events per second of a rate: a number above 0, a slash, and one of s, m, h, d.

    Raises ValueError on anything else. A rate that has no exact decimal is rounded to 28 digits.

    >>> parse_rate("300/s"), parse_rate("90/m")
    (Decimal('300'), Decimal('1.5'))
    """
    if not isinstance(text, str) or not (match := RATE.fullmatch(text)):
        if isinstance(text, str) and re.fullmatch(NUMBER, text):
            raise ValueError(f"'{text}' has no unit of time: write {text}/s or {text}/m")
        raise ValueError(f"{shown(text)} is not a rate: write a number per unit of time, e.g. 300/s or 10/m")
    if not (rate := Decimal(match[1]) / SECONDS_PER_UNIT[match[2]]):
        raise ValueError(f"'{text}' never happens: write a rate above 0, e.g. 300/s or 10/m")
    return rate


def parse_whole_seconds(text: object) -> int:
    """Return a duration that is a whole number of seconds, as Prometheus rules take them, above 0.

    >>> parse_whole_seconds("5m")
    300
    """
    seconds = parse_positive_duration(text)
    if seconds != int(seconds):
        raise ValueError(f"{shown(text)} is no whole number of seconds: write e.g. 30s or 5m")
    return int(seconds)


def parse_share(text: object) -> Decimal:
    """Return the exact ratio of a share of an error budget, above 0 and up to 1.

    >>> parse_share("2%")
    Decimal('0.02')
    """
    if not isinstance(text, str) or not (match := TARGET.fullmatch(text)):
        raise ValueError(f"{shown(text)} is not a share of the error budget: write a percentage, e.g. 2%")
    number, percent = Decimal(match[1]), match[2]
    ratio = number.scaleb(-2).normalize() if percent else number
    if not 0 < ratio <= 1:
        raise ValueError(f"'{text}' is not between 0 and 100 %: write how much of the budget, e.g. 2%")
    return ratio


def parse_margin(text: object) -> float:
    """Return the ratio of a difference that makes no matter, above 0 and below 1.

    >>> parse_margin("5%")
    0.05
    """
    if not isinstance(text, str) or not (match := TARGET.fullmatch(text)) or not match[2]:
        raise ValueError(f"{shown(text)} is not a margin: write a percentage, e.g. 5%")
    if not 0 < (ratio := Decimal(match[1]).scaleb(-2)) < 1:
        raise ValueError(f"'{text}' is not between 0 and 100 %: write what makes no matter, e.g. 5%")
    return float(ratio)


@cache
def in_units(seconds: int | Decimal) -> str:
    """Return a duration of whole milliseconds as Prometheus writes it, in its largest units: 5m, 1h30m, 3d.

    >>> in_units(5_400), in_units(300), in_units(2_592_000), in_units(Decimal("19.002"))
    ('1h30m', '5m', '30d', '19s2ms')
    """
    parts = []
    left_ms = int(seconds * 1_000)
    for unit in ("d", "h", "m", "s", "ms"):
        count, left_ms = divmod(left_ms, int(SECONDS_PER_UNIT[unit] * 1_000))
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def shown(value: object) -> str:
    """Return a value of a YAML file as a reader would name it; long texts are cut."""
    match value:
        case None:
            return "an empty value"
        case dict():
            return "a mapping"
        case list() | tuple():
            return "a list"
        case _:
            text = str(value)
            return f"'{text}'" if len(text) <= 60 else f"'{text[:57]}…'"  # noqa: PLR2004 - fits a line


def _json(pattern: re.Pattern[str], example: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^{pattern.pattern}$", "examples": [example]})


# Exact, and longer than 0: what is promised.
Threshold = Annotated[Decimal, BeforeValidator(parse_positive_duration), _json(DURATION, "250ms")]
Window = Annotated[Decimal, BeforeValidator(parse_positive_duration), _json(DURATION, "30d")]
Target = Annotated[Decimal, BeforeValidator(parse_target), _json(TARGET, "99.9%")]
WholeSeconds = Annotated[int, BeforeValidator(parse_whole_seconds), _json(DURATION, "5m")]
Share = Annotated[Decimal, BeforeValidator(parse_share), _json(TARGET, "2%")]
# Floats, as clocks and schedules take them; a duration may be 0.
MarginRatio = Annotated[float, BeforeValidator(parse_margin), _json(TARGET, "5%")]
DurationSeconds = Annotated[float, BeforeValidator(parse_duration), _json(DURATION, "5s")]
RatePerSecond = Annotated[float, BeforeValidator(parse_rate), _json(RATE, "300/s")]
