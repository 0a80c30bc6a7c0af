"""How workers share one plan and one pool of users: nothing is left out, nothing is done twice; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sloproof.load.arrivals import Plan, shares

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Share:
    """The part of one worker among several: of arrivals in their order every ``of``-th, from ``index`` on."""

    index: int
    of: int

    def __post_init__(self) -> None:
        if not 0 <= self.index < self.of:
            raise ValueError(f"share {self.index} of {self.of}: the first is 0, the last {self.of - 1}")

    def part(self, plan: Plan) -> Plan:
        """Return the arrivals of a plan that are this worker's, each at the time it had in the plan."""
        return Plan(plan.offsets_s[self.index :: self.of], plan.tasks[self.index :: self.of])


WHOLE = Share(0, 1)


def allot(users: int, weights: Sequence[float], *, workers: int) -> list[list[int]]:
    """Return for each worker how many users of each class it has.

    Classes get users by the largest remainder, and these are dealt out to the workers in turn, class after
    class: of each class, and of all, no worker has more than one user more than another.

    >>> allot(10, [3, 1], workers=4)
    [[2, 1], [2, 1], [2, 0], [2, 0]]
    """
    dealt = [[0] * len(weights) for _ in range(workers)]
    turn = 0
    for kind, count in enumerate(shares(users, weights)):
        for _ in range(count):
            dealt[turn % workers][kind] += 1
            turn += 1
    return dealt
