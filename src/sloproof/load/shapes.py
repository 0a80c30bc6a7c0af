"""How the rate of the intended starts is to go over a phase, as it is asked for and sent to the generator.

A shape begins at the phase's rate. Its times are counted from the beginning of the phase.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import inf
from pathlib import Path  # noqa: TC003 - resolved when a message is read
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    """The rate stays as it is."""

    kind: Literal["constant"] = "constant"


CONSTANT = Constant()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ramp:
    """The rate goes in a straight line to ``to_per_s``, all phase long or for ``over_s``, and stays there."""

    to_per_s: float
    over_s: float | None = None
    kind: Literal["ramp"] = "ramp"

    def __post_init__(self) -> None:
        _check_positive(self.to_per_s, *([] if self.over_s is None else [self.over_s]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """From ``at_s`` on the rate is ``to_per_s``."""

    at_s: float
    to_per_s: float

    def __post_init__(self) -> None:
        _check_positive(self.at_s, self.to_per_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """The rate jumps from step to step, which are in the order of time."""

    steps: tuple[Step, ...]
    kind: Literal["steps"] = "steps"

    def __post_init__(self) -> None:
        for step, following in pairwise(self.steps):
            if step.at_s >= following.at_s:
                raise ValueError(
                    f"the step at {following.at_s:g}s comes after that at {step.at_s:g}s: "
                    "write steps in the order of time, each later than the last"
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class Spike:
    """The rate is ``to_per_s`` for a while, and as before after it."""

    to_per_s: float
    at_s: float
    for_s: float
    kind: Literal["spike"] = "spike"

    def __post_init__(self) -> None:
        _check_positive(self.to_per_s, self.at_s, self.for_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Diurnal:
    """The rate swings to ``to_per_s``, which it reaches after half a period, and back: a cosine."""

    to_per_s: float
    period_s: float
    kind: Literal["diurnal"] = "diurnal"

    def __post_init__(self) -> None:
        _check_positive(self.to_per_s, self.period_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """The starts are those that a file has recorded, ``speed`` times as fast."""

    file: Path
    speed: float = 1.0
    kind: Literal["replay"] = "replay"

    def __post_init__(self) -> None:
        _check_positive(self.speed)


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """The starts that a file has recorded: seconds since the first of them, ascending; two or more differ."""

    offsets_s: NDArray[np.float64]

    @property
    def length_s(self) -> float:
        """Return how long it takes, the gap after the last start being as long as the mean of the others."""
        return float(self.offsets_s[-1]) * len(self.offsets_s) / (len(self.offsets_s) - 1)

    def played(self, speed: float) -> Recording:
        """Return what is left of it when it runs ``speed`` times as fast."""
        return Recording(self.offsets_s / speed)


RateShape = Constant | Ramp | Steps | Spike | Diurnal
Shape = RateShape | Replay


def _check_positive(*values: float) -> None:
    if not all(0 < value < inf for value in values):
        raise ValueError("every rate, time and speed of a shape is more than 0")
