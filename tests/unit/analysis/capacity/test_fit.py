from __future__ import annotations

import math
from dataclasses import replace

import pytest

from sloproof.analysis.capacity.fit import fit, headroom
from sloproof.analysis.capacity.observation import Observation

RATES = (75.0, 87.5, 100.0, 112.5, 125.0)


def trials(**margins: dict[float, float]) -> list[Observation]:
    """Return four trials of each rate, with the margin of each objective by rate."""
    return [
        Observation(
            rate_per_s=rate,
            seconds=1,
            valid=True,
            margins={name: by_rate[rate] for name, by_rate in margins.items()},
        )
        for rate in RATES
        for _ in range(4)
    ]


def crossing(at: float, *, of: float = 150) -> dict[float, float]:
    """Return the margins of a queue of so many a second that is at its objective's limit at a rate."""
    return {rate: math.log((of - at) / (of - rate)) for rate in RATES}


def test_a_queue_is_met_exactly() -> None:
    fitted = fit(trials(latency=crossing(104.0)), seed=1)

    assert fitted.estimate_per_s == pytest.approx(104)
    assert fitted.at_least_per_s == pytest.approx(104)
    assert fitted.at_most_per_s == pytest.approx(104)


def test_the_objective_that_is_missed_first_decides() -> None:
    fitted = fit(trials(reads=crossing(115), submits=crossing(95), never=dict.fromkeys(RATES, -5.0)), seed=1)

    assert fitted.binding == "submits"
    assert fitted.estimate_per_s == pytest.approx(95)
    assert {line.objective for line in fitted.lines} == {"reads", "submits"}


def test_a_quarter_of_wild_trials_hardly_moves_it() -> None:
    wild = trials(latency=crossing(100))
    for at in range(0, 20, 4):
        wild[at] = Observation(
            rate_per_s=wild[at].rate_per_s, seconds=1, valid=True, margins={"latency": 9.0}
        )

    assert fit(wild, seed=1).estimate_per_s == pytest.approx(100, rel=0.05)


def test_a_step_from_far_below_to_far_above_is_found_between_its_two_rates() -> None:
    step = {rate: -math.inf if rate <= 100 else math.inf for rate in RATES}

    fitted = fit(trials(stability=step), seed=1)

    assert fitted.estimate_per_s == 106.25
    assert fitted.at_least_per_s == 100
    assert fitted.at_most_per_s == 125  # no trial at 112.5 may be drawn
    assert fitted.lines == ()


def test_between_two_rates_of_which_one_tells_nothing_the_limit_may_be_anywhere() -> None:
    step = trials(stability={75.0: -9, 87.5: -9, 100.0: 9, 112.5: 9, 125.0: 9})
    torn = [
        replace(each, margins={"stability": (-9.0, 9.0)[n % 2]}) if each.rate_per_s == 100 else each
        for n, each in enumerate(step)
    ]

    fitted = fit(torn, seed=1)
    assert fitted.estimate_per_s == 100
    assert (fitted.at_least_per_s, fitted.at_most_per_s) == (87.5, 125)


def test_an_objective_that_only_says_yes_or_no_beside_one_with_a_line_does_not_blur_it() -> None:
    step = {rate: -math.inf if rate <= 112.5 else math.inf for rate in RATES}
    fitted = fit(trials(latency=crossing(95), stability=step), seed=1)

    assert fitted.binding == "latency"
    assert fitted.at_least_per_s == pytest.approx(95)


def test_nothing_is_foretold_far_beyond_the_rates_that_were_tried() -> None:
    beyond = fit(trials(latency=crossing(140)), seed=1)
    short = fit(trials(latency=crossing(60)), seed=1)

    assert beyond.beyond
    assert (beyond.at_least_per_s, beyond.estimate_per_s, beyond.at_most_per_s) == (125, None, None)
    assert beyond.binding is None
    assert not short.beyond
    assert (short.estimate_per_s, short.at_most_per_s) == (None, 75)
    assert short.at_least_per_s == pytest.approx(60)
    assert fit(trials(latency=crossing(30)), seed=1).at_least_per_s is None


def test_where_no_higher_rate_could_be_tried_none_is_foretold_at_all() -> None:
    near = trials(latency=crossing(128, of=400))

    assert fit(near, seed=1).estimate_per_s == pytest.approx(128)
    assert fit(near, seed=1, capped=True).estimate_per_s is None
    assert fit(near, seed=1, capped=True).beyond


def test_objectives_that_are_all_met_or_all_missed_have_no_crossing() -> None:
    assert fit(trials(latency=dict.fromkeys(RATES, -2.0)), seed=1).beyond
    assert fit(trials(latency=dict.fromkeys(RATES, 2.0)), seed=1).at_least_per_s is None


def test_the_same_seed_gives_the_same_bounds() -> None:
    noisy = trials(latency=crossing(100))
    noisy = [
        replace(each, margins={"latency": each.worst + (n % 3 - 1) * 0.2}) for n, each in enumerate(noisy)
    ]

    assert fit(noisy, seed=1) == fit(noisy, seed=1)


def test_a_line_takes_two_rates() -> None:
    with pytest.raises(ValueError, match="two rates"):
        fit(trials(latency=crossing(100))[:4], seed=1)


def test_headroom_is_limited_on_both_sides() -> None:
    assert [headroom(margin) for margin in (-math.inf, 0.0, math.inf)] == [1.0, 0.0, -1.0]
