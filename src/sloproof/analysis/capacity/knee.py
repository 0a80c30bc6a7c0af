"""Where a curve of latency over rate begins to rise; a mark in a chart, and evidence of nothing."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

LEAST_RATES = 4


def knee(points: Iterable[tuple[float, float]]) -> float | None:
    """Return the rate at which the curve lies furthest below the straight line between its ends.

    `points` are rates with latencies, of which each rate's median counts. It knows no objective and has no
    interval. ``None`` with fewer than four rates, or where the curve lies nowhere below that line.
    Source: Satopää et al., "Finding a 'Kneedle' in a Haystack" (2011), without its smoothing.

    >>> knee([(1, 1.0), (2, 1.1), (3, 1.2), (4, 9.0)])
    3
    """
    by_rate: dict[float, list[float]] = {}
    for rate, latency in points:
        by_rate.setdefault(rate, []).append(latency)
    if len(by_rate) < LEAST_RATES:
        return None
    curve = [(rate, statistics.median(values)) for rate, values in sorted(by_rate.items())]
    (first, low), (last, high) = curve[0], curve[-1]
    below = {rate: low + (high - low) * (rate - first) / (last - first) - value for rate, value in curve}
    furthest = max(below, key=lambda rate: below[rate])
    return furthest if below[furthest] > 0 else None
