"""What an experiment file says of the traffic: its law, rate, shape and phases, and what that comes to."""

from __future__ import annotations

import math
from pathlib import Path  # noqa: TC003 - resolved by pydantic
from typing import TYPE_CHECKING, Annotated, Literal, Self, TypeVar

import numpy as np
from pydantic import BaseModel, Field, model_validator

from sloproof.experiment.shapes import (
    ConstantSection,
    PlayedSection,
    PositiveSeconds,
    ReplaySection,
    ShapeSection,
    check_inside,
    in_words,
)
from sloproof.load.arrivals import Arrival
from sloproof.load.curves import curve
from sloproof.load.protocol import MAX_ARRIVALS, MAX_USERS
from sloproof.load.recording import read_recording
from sloproof.load.shapes import Replay
from sloproof.load.workers import MAX_WORKERS
from sloproof.slo.fileformat import Section
from sloproof.slo.quantities import RatePerSecond  # noqa: TC001 - as above

if TYPE_CHECKING:
    from collections.abc import Callable

    from sloproof.load.curves import Curve

T = TypeVar("T", bound=BaseModel)


class ProfileSpec(Section):
    """A traffic profile: what differs from the traffic under `load`."""

    arrival: Literal["constant", "poisson"] | None = None
    rate: RatePerSecond | None = None
    shape: ShapeSection | None = None
    warmup: PositiveSeconds | None = None
    duration: PositiveSeconds | None = None
    users: Annotated[int, Field(ge=1, le=MAX_USERS)] | None = None

    @model_validator(mode="after")
    def _has_one_law(self) -> Self:
        _check_law(self, self.shape)
        return self


class LoadSpec(Section):
    """The traffic of one trial: an open-loop schedule of a Locust file's tasks.

    `rate` is that of the warm-up, and of the load as long as its shape does not change it. A replay may do
    without a `duration`, which cuts it.
    """

    locustfile: Path
    arrival: Literal["constant", "poisson"] = "poisson"
    rate: RatePerSecond
    shape: ShapeSection = ShapeSection(constant=ConstantSection())
    warmup: PositiveSeconds
    duration: PositiveSeconds = math.inf
    users: Annotated[int, Field(ge=1, le=MAX_USERS)] = 64
    timeout: PositiveSeconds = 10.0
    workers: Annotated[int, Field(ge=1, le=MAX_WORKERS)] = 1

    @model_validator(mode="after")
    def _is_bounded(self) -> Self:
        _check_law(self, self.shape)
        self.check_bounds()
        return self

    def check_bounds(self) -> None:
        """Raise ValueError where a phase has no request, too many or too little time, or a worker no user."""
        if self.users < self.workers:
            raise ValueError(f"users: {self.users} for {self.workers} workers; each takes at least one")
        phases = {"warmup": (self.rate * self.warmup, self.warmup)}
        if not isinstance(shape := self.shape.shape(), Replay):  # a recording is bounded by its file
            if self.duration == math.inf:
                raise ValueError("missing key 'duration', e.g. duration: 18s")
            check_inside(shape, self.duration)
            load = curve(shape, rate=self.rate, duration_s=self.duration)
            phases["duration"] = (load.count_until(self.duration).item(), self.duration)
        for name, (requests, seconds) in phases.items():
            if not 1 <= requests <= MAX_ARRIVALS:
                shaped = "" if self.shape.constant or name == "warmup" else f" as a {self.in_words()}"
                raise ValueError(
                    f"{name}: {self.rate:g}/s{shaped} for {seconds:g}s are {requests:,.0f} requests; "
                    f"a phase has 1 to {MAX_ARRIVALS:,}"
                )

    def at(self, rate_per_s: float) -> Self:
        """Return the same traffic at another rate."""
        return self.model_copy(update={"rate": rate_per_s})

    def under(self, profile: ProfileSpec) -> Self:
        """Return the traffic of a profile. Raises ValueError where it draws what was recorded."""
        _check_law(profile, profile.shape or self.shape)
        given = {name: getattr(profile, name) for name in type(profile).model_fields}
        return self.model_copy(update={name: each for name, each in given.items() if each is not None})

    @property
    def law(self) -> Arrival:
        """Return the law of its arrivals; those of a replay come when they came."""
        return Arrival.CONSTANT if self.shape.replay else Arrival(self.arrival)

    @property
    def arrivals(self) -> str:
        """Return the law in a word."""
        return "recorded" if self.shape.replay else self.arrival

    @property
    def seconds(self) -> float:
        """Return how long its phases take."""
        return self.warmup + self.load_s

    @property
    def load_s(self) -> float:
        """Return how long the load phase takes: `duration`, or as long as a recording that ends earlier."""
        return self._curve.duration_s

    @property
    def load_requests(self) -> int:
        """Return how many arrivals the load phase has."""
        return round(self._curve.count_until(self.load_s).item())

    @property
    def requests(self) -> int:
        """Return how many arrivals warm-up and load have together."""
        return round(self.rate * self.warmup) + self.load_requests

    @property
    def busiest_per_s(self) -> float:
        """Return the greatest rate that it holds for about a second, warm-up included."""
        edges_s = np.linspace(0, self.load_s, max(1, int(self.load_s)) + 1)
        rates_per_s = np.diff(self._curve.count_until(edges_s)) / edges_s[1]
        return max(self.rate, float(f"{rates_per_s.max():.6g}"))

    def in_words(self) -> str:
        """Return how the rate goes over the load phase."""
        return in_words(self.shape.shape(), rate=self.rate, duration_s=self.duration)

    @property
    def _curve(self) -> Curve:
        replay, shape = self.shape.replay, self.shape.shape()
        if isinstance(replay, PlayedSection):
            return curve(replay.recording.played(replay.speed), rate=self.rate, duration_s=self.duration)
        if isinstance(shape, Replay):
            raise TypeError(f"{shape.file} has not been read: experiments are loaded before they run")
        return curve(shape, rate=self.rate, duration_s=self.duration)


def played(replay: ReplaySection) -> PlayedSection:
    """Return a replay with what its file holds. Raises InvalidFile."""
    return PlayedSection(file=replay.file, speed=replay.speed, recording=read_recording(replay.file))


def replaying(spec: T, shape: ShapeSection, change: Callable[[ReplaySection], ReplaySection]) -> T:
    """Return a section of traffic with its replay changed, if it is one."""
    if shape.replay is None:
        return spec
    changed = shape.model_copy(update={"replay": change(shape.replay)})
    return spec.model_copy(update={"shape": changed})


def _check_law(spec: ProfileSpec | LoadSpec, shape: ShapeSection | None) -> None:
    if shape is not None and shape.replay is not None and "arrival" in spec.model_fields_set:
        raise ValueError("arrival: recorded arrivals come when they came: leave it out beside a replay")
