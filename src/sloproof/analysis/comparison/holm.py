"""What several comparisons at once may claim together; it knows only their p-values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Step:
    """A p-value among others: adjusted for their number, and the level at which it was tested by itself."""

    p_adjusted: float
    alpha: float


def holm(p_values: Sequence[float], *, alpha: float) -> list[Step]:
    """Return the step of each p-value, in their order.

    The least of m is tested at alpha/m, the next at alpha/(m - 1), and so on until one is not significant:
    from there on all are tested at the level of that one. So the probability of any false claim among all is
    at most alpha, however they depend on each other, and an interval at a step's own level excludes 0 exactly
    when its adjusted p is at most alpha.
    Source: Holm, "A Simple Sequentially Rejective Multiple Test Procedure" (1979).

    >>> holm([0.04, 0.01], alpha=0.05)
    [Step(p_adjusted=0.04, alpha=0.05), Step(p_adjusted=0.02, alpha=0.025)]
    >>> holm([0.04, 0.03], alpha=0.05)
    [Step(p_adjusted=0.06, alpha=0.025), Step(p_adjusted=0.06, alpha=0.025)]
    """
    steps: dict[int, Step] = {}
    p_adjusted, at_least = 0.0, len(p_values)
    for place, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        left = len(p_values) - place
        if p_adjusted <= alpha:  # every one before was significant
            at_least = left
        p_adjusted = min(1.0, max(p_adjusted, left * p_values[index]))
        steps[index] = Step(p_adjusted=p_adjusted, alpha=alpha / at_least)
    return [steps[index] for index in range(len(p_values))]
