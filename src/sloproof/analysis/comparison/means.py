"""The difference of two means with its interval by Student's t; it knows no metric."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sloproof.analysis.comparison import student

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanDifference:
    """An estimated difference, its standard error, and the degrees of freedom of that."""

    value: float
    error: float
    df: float

    @property
    def p_value(self) -> float:
        """The probability of a difference as large as this, were there none."""
        if not self.error:
            return 0.0 if self.value else 1.0
        return student.p_value(self.value / self.error, df=self.df)

    def interval(self, alpha: float) -> tuple[float, float]:
        """Return what holds the true difference with probability 1 - alpha; it excludes 0 if p < alpha."""
        half = student.critical(alpha, df=self.df) * self.error if self.error else 0.0
        return self.value - half, self.value + half


def paired(differences: Sequence[float]) -> MeanDifference:
    """Return the mean of differences within blocks, at least two.

    What a block does to both of its trials, such as a slow minute of the machine, cancels out.
    Source: Student, "The Probable Error of a Mean" (1908).

    >>> paired([1.0, 2.0, 3.0])
    MeanDifference(value=2.0, error=0.5773502691896258, df=2)
    """
    n = len(differences)
    return MeanDifference(
        value=statistics.fmean(differences), error=statistics.stdev(differences) / math.sqrt(n), df=n - 1
    )


def independent(baseline: Sequence[float], current: Sequence[float]) -> MeanDifference:
    """Return the difference of the means of two groups, at least two values each, of unequal variance.

    Source: Welch, "The Generalization of 'Student's' Problem when Several Different Population Variances
    are Involved" (1947).

    >>> independent([1.0, 2.0, 3.0], [3.0, 4.0, 5.0])
    MeanDifference(value=2.0, error=0.816496580927726, df=4.0)
    """
    parts = [statistics.variance(group) / len(group) for group in (baseline, current)]
    weights = [part**2 / (len(group) - 1) for part, group in zip(parts, (baseline, current), strict=True)]
    return MeanDifference(
        value=statistics.fmean(current) - statistics.fmean(baseline),
        error=math.sqrt(sum(parts)),
        df=sum(parts) ** 2 / sum(weights) if sum(weights) else len(baseline) + len(current) - 2,
    )
