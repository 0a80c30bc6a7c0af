"""What an experiment file says of how the rate goes over the load phase, and in words."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - resolved by pydantic
from typing import TYPE_CHECKING, Annotated, Self, assert_never

from pydantic import AfterValidator, ConfigDict, Field, InstanceOf, model_validator

from sloproof.load.shapes import (
    CONSTANT,
    Constant,
    Diurnal,
    Ramp,
    RateShape,
    Recording,
    Replay,
    Shape,
    Spike,
    Step,
    Steps,
)
from sloproof.slo.fileformat import Section
from sloproof.slo.quantities import DurationSeconds, RatePerSecond

if TYPE_CHECKING:
    from collections.abc import Iterator

SHAPES_IN_USE = "{ramp: {to: 200/s}}"
LEAST_SPEED, MOST_SPEED = 0.001, 1_000


def _some_time(seconds: float) -> float:
    if not seconds > 0:
        raise ValueError("0s is no time at all: write a duration longer than 0, e.g. 10s")
    return seconds


def _usual(speed: float) -> float:
    if not LEAST_SPEED <= speed <= MOST_SPEED:
        raise ValueError(f"{speed:g} is not between {LEAST_SPEED} and {MOST_SPEED:,}: write e.g. 2")
    return speed


PositiveSeconds = Annotated[DurationSeconds, AfterValidator(_some_time)]
Speed = Annotated[float, AfterValidator(_usual)]


class ConstantSection(Section):
    """The rate stays as it is."""

    def shape(self) -> Constant:
        """Return it for the generator."""
        return CONSTANT


class RampSection(Section):
    """The rate goes in a straight line."""

    to: RatePerSecond
    over: PositiveSeconds | None = None

    def shape(self) -> Ramp:
        """Return it for the generator."""
        return Ramp(to_per_s=self.to, over_s=self.over)


class StepSection(Section):
    """From a time on there is another rate."""

    at: PositiveSeconds = Field(examples=["6s"])
    to: RatePerSecond


class SpikeSection(Section):
    """For a while there is another rate."""

    to: RatePerSecond
    at: PositiveSeconds = Field(examples=["8s"])
    for_: PositiveSeconds = Field(alias="for", examples=["2s"])

    def shape(self) -> Spike:
        """Return it for the generator."""
        return Spike(to_per_s=self.to, at_s=self.at, for_s=self.for_)


class DiurnalSection(Section):
    """The rate swings to another and back."""

    to: RatePerSecond
    period: PositiveSeconds = Field(examples=["24s"])

    def shape(self) -> Diurnal:
        """Return it for the generator."""
        return Diurnal(to_per_s=self.to, period_s=self.period)


class ReplaySection(Section):
    """The requests start when a file says that others once did."""

    file: Path = Field(examples=["arrivals.txt"])
    speed: Speed = 1.0

    def shape(self) -> Replay:
        """Return it for the generator."""
        return Replay(file=self.file, speed=self.speed)


class PlayedSection(ReplaySection):
    """A replay whose file was read; no experiment file can say so."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    recording: InstanceOf[Recording]


Kind = ConstantSection | RampSection | tuple[StepSection, ...] | SpikeSection | DiurnalSection | ReplaySection


class ShapeSection(Section):
    """How the rate goes: exactly one of these kinds."""

    constant: ConstantSection | None = None
    ramp: RampSection | None = None
    steps: tuple[StepSection, ...] | None = Field(None, min_length=1)
    spike: SpikeSection | None = None
    diurnal: DiurnalSection | None = None
    replay: ReplaySection | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (given := len(list(self._given()))) != 1:
            kinds = ", ".join(type(self).model_fields)
            raise ValueError(f"takes exactly one of {kinds}, not {given}, e.g. {SHAPES_IN_USE}")
        self.shape()  # raises ValueError where steps are in no order
        return self

    def shape(self) -> Shape:
        """Return it for the generator."""
        kind = next(self._given())
        if isinstance(kind, tuple):
            return Steps(steps=tuple(Step(at_s=each.at, to_per_s=each.to) for each in kind))
        return kind.shape()

    def _given(self) -> Iterator[Kind]:
        kinds = (getattr(self, name) for name in type(self).model_fields)
        return (kind for kind in kinds if kind is not None)


def check_inside(shape: RateShape, duration_s: float) -> None:
    """Raise ValueError where a shape has not gone through all its parts when the phase ends."""
    match shape:
        case Ramp(over_s=float(over_s)):
            what, at_s, inside = "the ramp ends", over_s, over_s <= duration_s
        case Steps(steps=(*_, last)):
            what, at_s, inside = "the last step comes", last.at_s, last.at_s < duration_s
        case Spike(at_s=begins_s, for_s=for_s):
            what, at_s = "the spike ends", begins_s + for_s
            inside = at_s <= duration_s
        case _:
            return
    if not inside:
        raise ValueError(
            f"shape: {what} at {at_s:g}s, and the load at {duration_s:g}s: shorten it, or lengthen duration"
        )


def in_words(shape: Shape, *, rate: float, duration_s: float) -> str:
    """Return how the rate goes, as people say it.

    >>> in_words(Ramp(to_per_s=200), rate=50, duration_s=18)
    'ramp from 50/s to 200/s over 18 s'
    """
    match shape:
        case Constant():
            return "constant"
        case Ramp(to_per_s=to, over_s=over_s):
            then = "" if over_s in {None, duration_s} else f", then {to:g}/s"
            return f"ramp from {rate:g}/s to {to:g}/s over {over_s or duration_s:g} s{then}"
        case Steps(steps=steps):
            later = (f"{step.to_per_s:g}/s from {step.at_s:g} s" for step in steps)
            return f"steps of {', '.join([f'{rate:g}/s', *later])}"
        case Spike(to_per_s=to, at_s=at_s, for_s=for_s):
            return f"{rate:g}/s with a spike to {to:g}/s at {at_s:g} s for {for_s:g} s"
        case Diurnal(to_per_s=to, period_s=period_s):
            return f"diurnal from {rate:g}/s to {to:g}/s and back every {period_s:g} s"
        case Replay(file=file, speed=speed):
            return f"replay of {file.name}" + ("" if speed == 1 else f" at {speed:g} × its speed")
        case _:
            assert_never(shape)
