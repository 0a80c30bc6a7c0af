"""What the search promises, simulated: how far off its estimates are, and how often its bounds are wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from sloproof.analysis.capacity.conclusion import conclude
from tests.unit.analysis.capacity.simulation import TRUTH_PER_S, Server, cliff, gate, plan, queue, searched

if TYPE_CHECKING:
    from collections.abc import Callable

REPLICATIONS = 200


@pytest.mark.parametrize(
    ("margin", "trials", "drift"),
    [
        pytest.param(queue, 3, 0.0, id="a queue, 3 trials a rate"),
        pytest.param(queue, 4, 0.0, id="a queue, 4 trials a rate"),
        pytest.param(cliff, 3, 0.0, id="a cliff, 3 trials a rate"),
        pytest.param(gate, 4, 0.05, id="a gate that drifts, 4 trials a rate"),
    ],
)
def test_the_lower_bound_holds_and_the_estimate_is_near(
    margin: Callable[[float], float], trials: int, drift: float, capsys: pytest.CaptureFixture[str]
) -> None:
    estimates, at_least, at_most, needed = [], [], [], []
    for seed in range(REPLICATIONS):
        server = Server(margin=margin, seed=seed, drift=drift)
        finding, seen = searched(plan(trials=trials, seed=seed), server)
        conclusion = conclude(finding, seed=seed)
        estimates.append(conclusion.estimate_per_s or np.nan)
        at_least.append(conclusion.at_least_per_s or 0.0)
        at_most.append(conclusion.at_most_per_s or np.inf)
        needed.append(len(seen))

    errors = np.array(estimates) / TRUTH_PER_S - 1
    low, middle, high = np.nanquantile(errors, (0.05, 0.5, 0.95))
    rmse = np.sqrt(np.nanmean(errors**2))
    holds, caps = (np.array(at_least) <= TRUTH_PER_S).mean(), (np.array(at_most) >= TRUTH_PER_S).mean()
    without = np.mean([bound == 0 for bound in at_least])
    with capsys.disabled():
        print(  # noqa: T201 - the figures that the documents quote
            f"\n{margin.__name__}, {trials} trials a rate: errors {low:+.1%} … {middle:+.1%} … {high:+.1%}, "
            f"RMSE {rmse:.1%}; the lower bound held in {holds:.1%}, the upper in {caps:.1%}; "
            f"typical bound {np.median(at_least) / TRUTH_PER_S:.1%} of the truth, none in {without:.1%}; "
            f"{np.mean(needed):.1f} trials in the mean, {max(needed)} at most"
        )
    assert holds >= 0.975
    assert caps >= 0.975
    assert rmse <= 0.045  # of the line through log latencies in the simulation this is to better
    assert np.isnan(errors).mean() <= 0.05
    assert without <= 0.10
    assert np.median(at_least) >= 0.8 * TRUTH_PER_S


def test_a_rate_that_is_just_too_high_is_seldom_shown_by_the_sign_test() -> None:
    """The highest rate asked for is missed by the typical trial, by a hair: a coin that decides."""
    shown = 0
    for seed in range(1000):
        server = Server(margin=lambda _: 1e-9, seed=seed, hiccup_ratio=0)
        finding, _ = searched(plan(from_per_s=700, to_per_s=800, trials=3, seed=seed), server)
        conclusion = conclude(finding, seed=seed)
        shown += conclusion.at_least_per_s is not None and finding.shown

    assert shown / 1000 <= 0.025
