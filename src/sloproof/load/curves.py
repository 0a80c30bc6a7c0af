"""How many starts a shape expects until when, and when how many: functions of time; they draw nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, assert_never

import numpy as np

from sloproof.load.shapes import Constant, Diurnal, Ramp, Recording, Spike, Steps

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from sloproof.load.shapes import RateShape

HALVINGS = 60
"""After as many, an interval between two floats holds no third."""


class Curve(Protocol):
    """The expected number of starts as a function of time, and time as a function of that number."""

    @property
    def duration_s(self) -> float:
        """How long the phase takes."""
        ...

    def count_until(self, t_s: ArrayLike) -> NDArray[np.float64]:
        """Return how many starts are expected in the first ``t_s`` seconds: the integral of the rate."""
        ...

    def time_of(self, count: ArrayLike) -> NDArray[np.float64]:
        """Return when ``count`` starts have been expected, the inverse of ``count_until``."""
        ...


class Lines:
    """A rate that goes in straight lines, one after the other; each begins where it likes.

    >>> ramp = Lines(seconds=[2], begin_per_s=[1], end_per_s=[3])
    >>> ramp.rate_at(1).item(), ramp.count_until(2).item(), ramp.time_of(4).item()
    (2.0, 4.0, 2.0)
    """

    def __init__(self, *, seconds: ArrayLike, begin_per_s: ArrayLike, end_per_s: ArrayLike) -> None:
        self._seconds, self._begin_per_s, self._end_per_s = (
            np.asarray(each, dtype=float) for each in (seconds, begin_per_s, end_per_s)
        )
        counts = self._seconds * (self._begin_per_s + self._end_per_s) / 2
        self._begins_s = np.concatenate(([0.0], np.cumsum(self._seconds)))
        self._counts = np.concatenate(([0.0], np.cumsum(counts)))

    @property
    def duration_s(self) -> float:
        """How long all lines together take."""
        return float(self._begins_s[-1])

    def rate_at(self, t_s: ArrayLike) -> NDArray[np.float64]:
        """Return the rate per second; where two lines meet, that of the second."""
        line, since_s = self._line(self._begins_s, t_s)
        rate_per_s: NDArray[np.float64] = self._begin_per_s[line] + self._slope(line) * since_s
        return rate_per_s

    def count_until(self, t_s: ArrayLike) -> NDArray[np.float64]:
        """Return the integral of the rate from 0 to ``t_s``."""
        line, since_s = self._line(self._begins_s, t_s)
        mean_per_s = self._begin_per_s[line] + self._slope(line) * since_s / 2
        count: NDArray[np.float64] = self._counts[line] + mean_per_s * since_s
        return count

    def time_of(self, count: ArrayLike) -> NDArray[np.float64]:
        """Return the time at which the integral is ``count``.

        Within a line that is the root of ``slope/2 · t² + begin · t = rest``, written so that nothing
        cancels, and exactly ``rest / begin`` where the line is flat.
        Source: Press et al., Numerical Recipes (2007), section 5.6, "Quadratic and Cubic Equations".
        """
        line, rest = self._line(self._counts, count)
        begin = self._begin_per_s[line]
        root = np.sqrt(np.maximum(begin**2 + 2 * self._slope(line) * rest, 0))
        t_s: NDArray[np.float64] = self._begins_s[line] + 2 * rest / (begin + root)
        return t_s

    def _slope(self, line: NDArray[np.int64]) -> NDArray[np.float64]:
        slopes: NDArray[np.float64] = (self._end_per_s - self._begin_per_s) / self._seconds
        return slopes[line]

    def _line(
        self, bounds: NDArray[np.float64], at: ArrayLike
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return in which line something lies, and how far behind the line's beginning."""
        at = np.asarray(at, dtype=float)
        line = np.clip(np.searchsorted(bounds, at, side="right") - 1, 0, len(self._seconds) - 1)
        return line, at - bounds[line]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """A rate that swings between two, beginning with ``begin_per_s``."""

    begin_per_s: float
    turn_per_s: float
    period_s: float
    duration_s: float

    def rate_at(self, t_s: ArrayLike) -> NDArray[np.float64]:
        """Return the rate per second."""
        return self._mean_per_s - self._swing_per_s * np.cos(self._angle(t_s))

    def count_until(self, t_s: ArrayLike) -> NDArray[np.float64]:
        """Return the integral of the rate from 0 to ``t_s``."""
        swing = self._swing_per_s * self.period_s / (2 * np.pi) * np.sin(self._angle(t_s))
        count: NDArray[np.float64] = self._mean_per_s * np.asarray(t_s, dtype=float) - swing
        return count

    def time_of(self, count: ArrayLike) -> NDArray[np.float64]:
        """Return the time at which the integral is ``count``, between the bounds of the phase.

        This is Kepler's equation, which no formula solves; halving always does, since the integral ascends.
        """
        count = np.asarray(count, dtype=float)
        low_s, high_s = np.zeros_like(count), np.full_like(count, self.duration_s)
        for _ in range(HALVINGS):
            middle_s = (low_s + high_s) / 2
            below = self.count_until(middle_s) < count
            low_s, high_s = np.where(below, middle_s, low_s), np.where(below, high_s, middle_s)
        return high_s

    @property
    def _mean_per_s(self) -> float:
        return (self.begin_per_s + self.turn_per_s) / 2

    @property
    def _swing_per_s(self) -> float:
        return (self.turn_per_s - self.begin_per_s) / 2

    def _angle(self, t_s: ArrayLike) -> NDArray[np.float64]:
        return 2 * np.pi / self.period_s * np.asarray(t_s, dtype=float)


@dataclass(frozen=True, slots=True, eq=False)
class Recorded:
    """Starts that are known one by one: their number climbs by one at each."""

    offsets_s: NDArray[np.float64]
    duration_s: float

    def count_until(self, t_s: ArrayLike) -> NDArray[np.float64]:
        """Return how many starts lie before ``t_s``."""
        return np.searchsorted(self.offsets_s, np.asarray(t_s, dtype=float)).astype(float)

    def time_of(self, count: ArrayLike) -> NDArray[np.float64]:
        """Return the start that has so many before it, a part of one not counting."""
        starts_s: NDArray[np.float64] = self.offsets_s[np.asarray(count, dtype=float).astype(int)]
        return starts_s


def curve(shape: RateShape | Recording, *, rate: float, duration_s: float) -> Curve:
    """Return how many starts are expected when; a recording has no rate, and ends early if it is shorter.

    What lies beyond ``duration_s`` is cut off.

    >>> curve(Spike(to_per_s=30, at_s=2, for_s=1), rate=10, duration_s=5).count_until(5).item()
    70.0
    """
    match shape:
        case Constant():
            return _jumps([(0.0, rate)], duration_s)
        case Ramp(to_per_s=to, over_s=over_s):
            return _ramp(rate, to, duration_s if over_s is None else min(over_s, duration_s), duration_s)
        case Steps(steps=steps):
            return _jumps([(0.0, rate), *((step.at_s, step.to_per_s) for step in steps)], duration_s)
        case Spike(to_per_s=to, at_s=at_s, for_s=for_s):
            return _jumps([(0.0, rate), (at_s, to), (at_s + for_s, rate)], duration_s)
        case Diurnal(to_per_s=to, period_s=period_s):
            return Wave(begin_per_s=rate, turn_per_s=to, period_s=period_s, duration_s=duration_s)
        case Recording(offsets_s=offsets_s):
            return Recorded(offsets_s, min(shape.length_s, duration_s))
        case _:
            assert_never(shape)


def _ramp(rate: float, to: float, over_s: float, duration_s: float) -> Lines:
    lines = [(over_s, rate, to), (duration_s - over_s, to, to)]
    seconds, begins, ends = zip(*(line for line in lines if line[0] > 0), strict=True)
    return Lines(seconds=seconds, begin_per_s=begins, end_per_s=ends)


def _jumps(rates: list[tuple[float, float]], duration_s: float) -> Lines:
    """Return rates that each hold from a time on until the next; those that begin too late are left out."""
    kept = [(at_s, rate) for at_s, rate in rates if at_s < duration_s]
    begins_s, levels = zip(*kept, strict=True)
    return Lines(seconds=np.diff([*begins_s, duration_s]), begin_per_s=levels, end_per_s=levels)
