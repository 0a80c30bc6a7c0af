"""Exact percentiles of samples and the points of their curve; it knows neither files nor charts."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

QUANTILES = (0.5, 0.9, 0.99)
"""Those that are reported and compared."""
RARE_QUANTILES = (0.999,)
"""Those that are left out where no trial has requests enough for them, as in most runs."""
MIN_SAMPLES_BEYOND = 10
MAX_POINTS = 400


def percentile(values: NDArray[np.float64], q: float) -> float | None:
    """Return the q-th quantile, 0 < q < 1, as `percentiles` does.

    >>> percentile(np.arange(1.0, 1001.0), 0.99)
    990.0
    """
    return percentiles(values, (q,))[q]


def percentiles(values: NDArray[np.float64], qs: Sequence[float]) -> dict[float, float | None]:
    """Return the q-th quantile for each q, 0 < q < 1, by nearest rank.

    It is the least value that a share q does not exceed.

    So it agrees with an SLI counted over the same values: the share at or below a threshold is at least q if
    and only if this is at most the threshold. Interpolating definitions do not have that property. +inf
    (never answered) is a value like any other; NaN raises ValueError. ``None`` with fewer than ten values
    beyond it (a p99 takes 1,000, a p99.9 10,000): it would be the luck of a few requests.
    Source: Hyndman and Fan, "Sample Quantiles in Statistical Packages" (1996), definition 1.

    >>> percentiles(np.arange(1.0, 1001.0), (0.5, 0.99, 0.999))
    {0.5: 500.0, 0.99: 990.0, 0.999: None}
    """
    if np.isnan(values).any():
        raise ValueError("a percentile of NaN means nothing: a request that was never answered counts as inf")
    n = len(values)
    ordered = np.sort(values)  # vectorised, so quicker than to look for more than one place
    return {q: float(ordered[nearest_rank(n, q) - 1]) if n >= least_samples(q) else None for q in qs}


@cache
def least_samples(q: float) -> int:
    """Return how many values the q-th quantile takes, so that ten lie beyond it.

    >>> least_samples(0.99), least_samples(0.999)
    (1000, 10000)
    """
    return math.ceil(MIN_SAMPLES_BEYOND / (1 - _exact(q)))


def nearest_rank(n: int, q: float) -> int:
    """Return which of n values in order is their q-th quantile, counted from 1.

    >>> nearest_rank(1000, 0.99), nearest_rank(3, 0.5), nearest_rank(100, 0.07)
    (990, 2, 7)
    """
    exact = _exact(q)
    return -(-n * exact.numerator // exact.denominator)  # rounded up


@cache
def _exact(q: float) -> Fraction:
    """Return a share as it was written, not the binary number next to it."""
    return Fraction(str(q))


def curve(trials: Sequence[NDArray[np.float64]]) -> tuple[tuple[float, float], ...]:
    """Return points (q, value) of the percentile curve of all trials merged, at most 400, q rising.

    Their spacing suits an axis of 1/(1 - q), on a logarithmic scale: as many points between p90 and p99 as
    between p99 and p99.9. The k-th least of n values stands at q = (k - 1/2)/n, where it is the nearest-rank
    percentile, and the greatest has a place. The curve ends where values are infinite.

    >>> curve([np.array([2.0, 1.0]), np.array([4.0, 3.0])])
    ((0.125, 1.0), (0.375, 2.0), (0.625, 3.0), (0.875, 4.0))
    """
    merged = np.sort(np.concatenate(trials)) if trials else np.array([])
    if not (n := len(merged)):
        return ()
    inverse_tails = np.geomspace(1, 2 * n, num=MAX_POINTS)
    ranks = np.unique(np.clip(np.rint(n + 0.5 - n / inverse_tails).astype(int), 1, n))
    finite = ranks[np.isfinite(merged[ranks - 1])]
    return tuple(zip(((finite - 0.5) / n).tolist(), merged[finite - 1].tolist(), strict=True))
