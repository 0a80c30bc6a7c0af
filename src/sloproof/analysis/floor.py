"""What this machine's clients measure of a server that does nothing: no objective tighter than that shows."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import TypeAdapter

from sloproof.analysis.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from decimal import Decimal

    from numpy.typing import NDArray

    from sloproof.analysis.verdicts import Judgement

KEY = "noise_floor"
"""Under which a run's calibration holds it: a floor, or why there is none."""
QUANTILES = (0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9995, 0.9999)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseFloor:
    """The latency of clients against a server that does nothing, at the run's own rate.

    ``quantiles`` are (q, seconds), q rising, the last of them the maximum at q = 1; of few ``requests`` the
    high ones are rough. ``problems`` say why the generator was not sound even so.
    ``highest_valid_rate_per_s`` is the highest of the rates tried at which it was, ``None`` where it was at
    none; where ``lowest_invalid_rate_per_s`` is ``None``, it was at all of them.
    """

    rate_per_s: float
    users: int
    requests: int
    quantiles: tuple[tuple[float, float], ...]
    dispatch_lag_p99_s: float
    cpu_ratio: float | None
    wait_ratio: float | None
    problems: tuple[str, ...]
    highest_valid_rate_per_s: float | None
    lowest_invalid_rate_per_s: float | None

    @classmethod
    def of(cls, calibration: Mapping[str, Any]) -> NoiseFloor | None:
        """Return the floor that a run has measured, if it has. Raises ValueError."""
        found = calibration.get(KEY)
        return None if found is None or isinstance(found, str) else FLOOR.validate_python(found)

    def least_s(self, ratio: float) -> float:
        """Return what a share of the requests takes at least: the greatest known quantile up to there."""
        return max((seconds for q, seconds in self.quantiles if q <= ratio), default=0.0)

    def within(self, threshold_s: float) -> float:
        """Return which share of the requests at least took no longer than a threshold."""
        return max((q for q, seconds in self.quantiles if seconds <= threshold_s), default=0.0)


FLOOR = TypeAdapter(NoiseFloor)


def quantiles(latency_s: NDArray[np.float64]) -> tuple[tuple[float, float], ...]:
    """Return the quantiles of a floor by nearest rank that have values beyond them, and the maximum.

    Requests that were never answered, as under more load than even nothing can take, have none.

    >>> quantiles(np.arange(1.0, 101.0))[-2:]
    ((0.99, 99.0), (1.0, 100.0))
    """
    known = [q for q in QUANTILES if len(latency_s) * (1 - q) > 1 - 1e-9]
    at = [*known, 1.0]
    values = np.quantile(latency_s, at, method="inverted_cdf")
    return tuple((q, value) for q, value in zip(at, values.tolist(), strict=True) if math.isfinite(value))


def is_below(floor: NoiseFloor, *, target: Decimal | float, threshold_s: float) -> bool:
    """Tell whether an objective is tighter than the floor: even a server that does nothing would miss it.

    What a generator measured that was not sound itself is no floor.
    """
    return not floor.problems and floor.least_s(float(target)) > threshold_s


def judged_by(floor: NoiseFloor, judgement: Judgement, *, target: Decimal, threshold_s: float) -> Judgement:
    """Return a judgement as far as a machine with this floor can make it.

    Of an objective below the floor it can make none: what misses may be the machine's doing, and what meets
    contradicts the calibration. Except that a violation stands where the machine cannot have made it: where
    the typical trial would miss the target even with as many more good events as a server that does nothing
    had bad ones.
    """
    if not is_below(floor, target=target, threshold_s=threshold_s):
        return judgement
    of_the_machine = 1 - floor.within(threshold_s)
    if (
        judgement.verdict is Verdict.VIOLATED
        and judgement.interval is not None
        and judgement.interval.high + of_the_machine < float(target)
    ):
        return judgement
    return replace(
        judgement,
        verdict=Verdict.INCONCLUSIVE,
        reason=too_tight(floor, target=target, threshold_s=threshold_s),
        more_trials=None,
    )


def too_tight(floor: NoiseFloor, *, target: Decimal | float, threshold_s: float) -> str:
    """Return in words that an objective is below the floor."""
    least_s, share = floor.least_s(float(target)), f"{100 * float(target):g} %"
    return (
        f"tighter than this machine's noise floor of {least_s * 1e3:.3g} ms: {share} within "
        f"{threshold_s * 1e3:.3g} ms is more than a server that does nothing was seen to reach here"
    )


def too_tight_objectives(
    floor: NoiseFloor, asked: Iterable[tuple[str, str | None, float | None]]
) -> Iterator[tuple[str, str]]:
    """Yield each objective below the floor by its name, with that in words.

    `asked` are names with their targets and thresholds in seconds; without both none is below it.
    """
    for name, target, threshold_s in asked:
        if target is None or threshold_s is None:
            continue
        ratio = float(target)
        if is_below(floor, target=ratio, threshold_s=threshold_s):
            yield name, too_tight(floor, target=ratio, threshold_s=threshold_s)


def too_fast(floor: NoiseFloor, rate_per_s: float) -> str | None:
    """Return in words that a rate is higher than any that this machine's generator can keep, if it is."""
    highest, rate = floor.highest_valid_rate_per_s, f"{rate_per_s:,g}/s"
    if highest is None:
        return f"{rate} is more than this machine's generator was seen to keep: it kept no rate tried"
    if rate_per_s > highest:
        return f"{rate} is more than the {highest:,g}/s that this machine's generator was seen to keep"
    return None
