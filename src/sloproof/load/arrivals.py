"""When each iteration is meant to start and which task it runs; pure, it sends nothing.

The plan depends on its arguments alone, so configurations given the same seed get the same arrivals and the
same mix of tasks, and every trial has the number of requests per endpoint that was asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from sloproof.load.curves import curve
from sloproof.load.shapes import CONSTANT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sloproof.load.shapes import RateShape, Recording


class Arrival(StrEnum):
    """The law of the intended starts."""

    CONSTANT = "constant"
    POISSON = "poisson"


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Intended starts in seconds from the beginning of the phase, ascending; each with its task's index."""

    offsets_s: NDArray[np.float64]
    tasks: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offsets_s)


def plan(  # noqa: PLR0913 - a phase with a default
    arrival: Arrival,
    *,
    rate: float,
    duration_s: float,
    weights: Sequence[float],
    seed: int,
    shape: RateShape | Recording = CONSTANT,
) -> Plan:
    """Plan as many arrivals as a shape expects; tasks are shuffled, in exact proportion to ``weights``.

    Points of the rate 1 are carried to the times at which the shape expects as many arrivals: under the
    constant law the k-th comes when k are expected, and Poisson arrivals stay Poisson, at the shape's rate.
    Source: Kingman, Poisson Processes (1993), section 2.3, the mapping theorem.

    >>> plan(Arrival.CONSTANT, rate=2, duration_s=2, weights=[3, 1], seed=1).offsets_s.tolist()
    [0.0, 0.5, 1.0, 1.5]
    """
    rng = np.random.default_rng(seed)
    expected = curve(shape, rate=rate, duration_s=duration_s)
    total = float(expected.count_until(expected.duration_s))
    count = round(total)
    match arrival:
        case Arrival.CONSTANT:
            points = np.arange(count, dtype=float)
        case Arrival.POISSON:
            points = _poisson(count, total, rng)
    # Rounding may carry a point to the very end, which is no longer in the phase.
    offsets_s = np.minimum(expected.time_of(points), np.nextafter(expected.duration_s, 0))
    tasks = np.repeat(np.arange(len(weights)), shares(count, weights))
    return Plan(offsets_s, rng.permutation(tasks))


def shares(count: int, weights: Sequence[float]) -> list[int]:
    """Split ``count`` in proportion to ``weights`` by the largest remainder; ties go to the first.

    Each share is within one of its exact value. Source: the Hamilton method of apportionment.

    >>> shares(10, [1, 1, 1])
    [4, 3, 3]
    """
    total = sum(weights)
    exact = [count * weight / total for weight in weights]
    whole = [int(part) for part in exact]
    by_remainder = sorted(range(len(weights)), key=lambda i: whole[i] - exact[i])
    for i in by_remainder[: count - sum(whole)]:
        whole[i] += 1
    return whole


def _poisson(count: int, length: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw the points of a Poisson process of the rate 1 that has ``count`` of them in ``length``.

    Given their number, the points of a homogeneous Poisson process are independent uniforms, put in order.
    Source: Kingman, Poisson Processes (1993), section 2.4.
    """
    return np.sort(rng.uniform(0, length, count))
