"""The rate at which margins cross zero, from noisy trials around it, with bounds by the bootstrap."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sloproof.analysis.capacity.observation import Observation

CONFIDENCE_RATIO = 0.975
UPPER_RATIO = 0.995
"""Of the draws, for an upper bound that holds in 97.5 % (simulated): trials have hiccups to one side only."""
RESAMPLES = 1_000
REACH_RATIO = 1.1
"""So far beyond the rates that were tried a line is still believed."""

FURTHEST_RATIO = 2.0
"""A lower bound may be that far below: the lower, the more surely it holds, and the less it says."""
ALL_OR_NOTHING = 0.95
LEAST_GRADED_RATIO = 0.5


def headroom(margin: float) -> float:
    """Return what is left of an objective's limit: threshold/latency - 1, and no more than 1.

    1: half of the limit is used, or less; 0: all of it; -1: far beyond. In a queue it is a straight line over
    the rate, the mean time in it being 1/(capacity - rate), where the latency and its logarithm are bent; and
    what is far from the limit, on the flat part of the curve or in collapse, cannot draw the line to itself.
    Source: Kleinrock, Queueing Systems I (1975), section 3.2 (M/M/1).

    >>> headroom(0), headroom(math.log(2)), headroom(-3)
    (0.0, -0.5, 1.0)
    """
    return min(1.0, math.expm1(-max(margin, -1.0)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A straight line of an objective's headroom over the rate: ``intercept + slope_s · rate_per_s``."""

    objective: str
    intercept: float
    slope_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """The capacity as trials around it show it; ``None`` where it lies outside of the rates that were tried.

    It is not less than ``at_least_per_s``, and not more than ``at_most_per_s``, each with a confidence of
    97.5 %. ``binding`` is the objective that is missed first. ``beyond``: the limit lies above the highest
    of the rates that were tried.
    """

    at_least_per_s: float | None
    estimate_per_s: float | None
    at_most_per_s: float | None
    binding: str | None
    beyond: bool
    lines: tuple[Line, ...]


def fit(trials: Sequence[Observation], *, seed: int, capped: bool = False) -> Fit:
    """Return the capacity from the valid trials around it.

    The headroom of each objective is fitted by the line of Theil and Sen, which a quarter of wild trials
    cannot move far; where most trials say no more than yes or no, by the rate that parts them best. The
    capacity is the least of the rates at which an objective's headroom comes down to zero. The bounds are
    percentiles of the same over trials drawn again with replacement. `capped`: no higher rate could be tried,
    and so none is foretold.
    Sources: Sen, "Estimates of the Regression Coefficient Based on Kendall's Tau" (1968); Efron and
    Tibshirani, An Introduction to the Bootstrap (1993), sections 9.5 (resampling pairs) and 13.3.

    Raises ValueError: fewer than two rates.
    """
    rates = np.array([each.rate_per_s for each in trials])
    if len(np.unique(rates)) < 2:  # noqa: PLR2004 - a line takes two points
        raise ValueError("a fit takes trials at two rates or more")
    rooms = _headrooms(trials)
    again = np.random.default_rng(seed).integers(0, len(trials), (RESAMPLES, len(trials)))
    graded = {name: _graded(room) for name, room in rooms.items()}
    found = {
        name: float(_limits(rates[np.newaxis], room[np.newaxis], graded=graded[name]).mean())
        for name, room in rooms.items()
    }
    lower, upper = np.min(
        [_limits(rates[again], room[again], graded=graded[name]) for name, room in rooms.items()], axis=0
    )
    binding = min(found, key=lambda name: found[name])
    low, high = float(rates.min()), float(rates.max())
    lowest, highest = low / REACH_RATIO, high if capped else high * REACH_RATIO
    estimate = found[binding]
    at_least = float(np.quantile(lower, 1 - CONFIDENCE_RATIO, method="lower"))
    at_most = float(np.quantile(upper, UPPER_RATIO, method="higher"))
    return Fit(
        at_least_per_s=min(at_least, high) if at_least >= low / FURTHEST_RATIO else None,
        estimate_per_s=estimate if lowest <= estimate <= highest else None,
        at_most_per_s=max(at_most, low) if at_most <= highest else None,
        binding=binding if estimate <= highest else None,
        beyond=estimate > highest,
        lines=tuple(_line(name, rates, room) for name, room in rooms.items() if graded[name]),
    )


def _headrooms(trials: Sequence[Observation]) -> dict[str, NDArray[np.float64]]:
    """Return each objective's headroom in every trial; one that a trial did not see has all of it there."""
    names = sorted({name for each in trials for name in each.margins})
    return {
        name: np.array([headroom(each.margins.get(name, -math.inf)) for each in trials]) for name in names
    }


def _crossings(rates: NDArray[np.float64], rooms: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return where each row's line comes down to zero; 0 or +inf where it does not, by the side it is on."""
    slopes, intercepts = _theil_sen(rates, rooms)
    with np.errstate(divide="ignore", invalid="ignore"):
        crossings = -intercepts / slopes
    flat = np.where(np.median(rooms, axis=1) < 0, 0.0, np.inf)
    return np.where(slopes < 0, crossings, flat)


def _splits(rates: NDArray[np.float64], rooms: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return between which two rates each row's trials are parted best into met below and missed above.

    Of headrooms that only say yes or no: most pairs of trials are alike, and a line through them is flat.
    Several cuts may part them equally well; it is then the lower rate of the first and the higher of the
    last, 0 and +inf standing for none.
    """
    order = np.argsort(rates, axis=1, kind="stable")
    rates, missed = np.take_along_axis(rates, order, 1), np.take_along_axis(rooms, order, 1) < 0
    nothing = np.zeros((len(rates), 1))
    below = np.hstack(
        [nothing, np.cumsum(missed, axis=1)]
    )  # missed, and yet below a cut after so many trials
    above = np.hstack([np.cumsum(~missed[:, ::-1], axis=1)[:, ::-1], nothing])
    under, over = np.hstack([nothing, rates]), np.hstack([rates, np.full_like(nothing, np.inf)])
    wrong = np.where(under < over, below + above, np.inf)
    best = wrong == wrong.min(axis=1, keepdims=True)
    return np.array([np.where(best, under, np.inf).min(axis=1), np.where(best, over, 0.0).max(axis=1)])


def _limits(rates: NDArray[np.float64], rooms: NDArray[np.float64], *, graded: bool) -> NDArray[np.float64]:
    """Return the two rates between which each row's limit lies; they are one where a line says which."""
    return np.array([_crossings(rates, rooms)] * 2) if graded else _splits(rates, rooms)


def _graded(room: NDArray[np.float64]) -> bool:
    """Tell whether at least half of an objective's headrooms are more than a yes or a no."""
    return float(np.mean(np.abs(room) < ALL_OR_NOTHING)) >= LEAST_GRADED_RATIO


def _theil_sen(
    rates: NDArray[np.float64], rooms: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return each row's median slope over all pairs of trials at different rates, and its intercept."""
    one, other = np.triu_indices(rates.shape[1], 1)
    run, rise = rates[:, other] - rates[:, one], rooms[:, other] - rooms[:, one]
    apart = run != 0
    slopes = np.sort(np.where(apart, rise / np.where(apart, run, 1), np.inf), axis=1)
    pairs = apart.sum(axis=1, keepdims=True)
    middle = np.hstack([np.maximum(pairs - 1, 0) // 2, pairs // 2])
    medians = np.take_along_axis(slopes, middle, axis=1).mean(axis=1)
    medians = np.where(pairs[:, 0] > 0, medians, 0.0)  # all trials drawn at one rate: no slope
    return medians, np.median(rooms - medians[:, np.newaxis] * rates, axis=1)


def _line(objective: str, rates: NDArray[np.float64], rooms: NDArray[np.float64]) -> Line:
    slopes, intercepts = _theil_sen(rates[np.newaxis], rooms[np.newaxis])
    return Line(objective=objective, intercept=float(intercepts[0]), slope_s=float(slopes[0]))
