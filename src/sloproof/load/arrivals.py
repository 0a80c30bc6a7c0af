"""When each iteration is meant to start and which task it runs; pure, it sends nothing.

The plan depends on its arguments alone, so configurations given the same seed get the same arrivals and the
same mix of tasks, and every trial has the number of requests per endpoint that was asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


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


def plan(arrival: Arrival, *, rate: float, duration_s: float, weights: Sequence[float], seed: int) -> Plan:
    """Plan ``round(rate · duration_s)`` arrivals, tasks shuffled but in exact proportion to ``weights``.

    >>> plan(Arrival.CONSTANT, rate=2, duration_s=2, weights=[3, 1], seed=1).offsets_s.tolist()
    [0.0, 0.5, 1.0, 1.5]
    """
    rng = np.random.default_rng(seed)
    count = round(rate * duration_s)
    match arrival:
        case Arrival.CONSTANT:
            offsets_s = np.arange(count) / rate
        case Arrival.POISSON:
            offsets_s = _poisson(count, duration_s, rng)
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


def _poisson(count: int, duration_s: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw the points of a Poisson process that has ``count`` of them in ``duration_s``.

    Given their number, the points of a homogeneous Poisson process are independent uniforms, put in order.
    Source: Kingman, Poisson Processes (1993), section 2.4.
    """
    return np.sort(rng.uniform(0, duration_s, count))
