"""An objective that is tighter than what the machine's own clients measure of nothing is not verified."""

from __future__ import annotations

from dataclasses import asdict, replace
from decimal import Decimal

import numpy as np
import pytest

from sloproof.analysis.counts import Counts
from sloproof.analysis.floor import (
    KEY,
    NoiseFloor,
    is_below,
    judged_by,
    quantiles,
    too_fast,
    too_tight_objectives,
)
from sloproof.analysis.verdicts import Verdict, judge

TARGET = Decimal("0.99")
FLOOR = NoiseFloor(
    rate_per_s=150.0,
    users=64,
    requests=450,
    quantiles=((0.5, 0.001), (0.9, 0.0015), (0.99, 0.0021), (0.995, 0.004), (1.0, 0.01)),
    dispatch_lag_p99_s=0.001,
    cpu_ratio=0.2,
    wait_ratio=0.01,
    problems=(),
    highest_valid_rate_per_s=1200.0,
    lowest_invalid_rate_per_s=1700.0,
)
ALL_GOOD, MANY_BAD, FEW_BAD = (Counts(good=good, total=1_000) for good in (1_000, 800, 950))


@pytest.mark.parametrize(
    ("target", "threshold_s", "below"),
    [
        pytest.param("0.99", 0.0020, True, id="just tighter"),
        pytest.param("0.99", 0.0021, False, id="just not"),
        pytest.param("0.999", 0.0030, True, id="by the greatest quantile that is known up to the target"),
        pytest.param("0.999", 0.0050, False, id="the maximum is of no target"),
        pytest.param("0.95", 0.0016, False, id="between two quantiles"),
        pytest.param("0.4", 0.0001, False, id="below all that is known"),
    ],
)
def test_an_objective_is_below_the_floor_where_nothing_itself_would_miss_it(
    target: str, threshold_s: float, below: bool
) -> None:
    assert is_below(FLOOR, target=Decimal(target), threshold_s=threshold_s) is below


@pytest.mark.parametrize(
    ("trials", "threshold_s", "verdict"),
    [
        pytest.param([ALL_GOOD] * 6, 0.0020, Verdict.INCONCLUSIVE, id="met below the floor"),
        pytest.param([FEW_BAD] * 6, 0.0020, Verdict.INCONCLUSIVE, id="violated as the machine could"),
        pytest.param(
            [MANY_BAD] * 6, 0.0020, Verdict.VIOLATED, id="violated by more than the machine's share"
        ),
        pytest.param([MANY_BAD] * 6, 0.0005, Verdict.INCONCLUSIVE, id="all of it may be the machine's"),
        pytest.param([ALL_GOOD] * 5, 0.0020, Verdict.INCONCLUSIVE, id="too few trials below the floor"),
        pytest.param([ALL_GOOD] * 6, 0.0500, Verdict.MET, id="met above it"),
        pytest.param([FEW_BAD] * 6, 0.0500, Verdict.VIOLATED, id="violated above it"),
    ],
)
def test_a_verdict_stands_only_where_the_machine_cannot_have_made_it(
    trials: list[Counts], threshold_s: float, verdict: Verdict
) -> None:
    judgement = judge(TARGET, trials)

    found = judged_by(FLOOR, judgement, target=TARGET, threshold_s=threshold_s)

    assert found.verdict is verdict
    assert found.total == judgement.total
    assert found.interval == judgement.interval


def test_the_reason_names_the_floor_and_no_number_of_trials_would_help() -> None:
    found = judged_by(FLOOR, judge(TARGET, [ALL_GOOD] * 5), target=TARGET, threshold_s=0.002)

    assert found.reason == (
        "tighter than this machine's noise floor of 2.1 ms: 99 % within 2 ms is more than a server that does "
        "nothing was seen to reach here"
    )
    assert found.more_trials is None


def test_what_an_unsound_generator_measured_is_no_floor() -> None:
    unsound = replace(FLOOR, problems=("the generator was late",))
    judgement = judge(TARGET, [ALL_GOOD] * 6)

    assert judged_by(unsound, judgement, target=TARGET, threshold_s=0.002) == judgement


def test_only_objectives_about_latency_are_below_it() -> None:
    asked = [
        ("a", "0.99", 0.001),
        ("b", "0.99", 0.25),
        ("availability", "0.999", None),
        ("whole", None, None),
    ]

    assert [name for name, _ in too_tight_objectives(FLOOR, asked)] == ["a"]


@pytest.mark.parametrize(
    ("floor", "rate", "words"),
    [
        pytest.param(FLOOR, 1200.0, None, id="as high as was valid"),
        pytest.param(
            FLOOR,
            1201.0,
            "1,201/s is more than the 1,200/s that this machine's generator was seen to keep",
            id="higher",
        ),
        pytest.param(
            replace(FLOOR, highest_valid_rate_per_s=None),
            10.0,
            "10/s is more than this machine's generator was seen to keep: it kept no rate tried",
            id="none was valid",
        ),
    ],
)
def test_a_rate_that_the_generator_cannot_keep_is_named(
    floor: NoiseFloor, rate: float, words: str | None
) -> None:
    assert too_fast(floor, rate) == words


def test_quantiles_end_where_no_value_lies_beyond_them() -> None:
    assert [q for q, _ in quantiles(np.arange(450.0))] == [0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 1.0]
    assert quantiles(np.array([3.0])) == ((1.0, 3.0),)


def test_requests_without_an_answer_have_no_quantile() -> None:
    half = np.array([0.001] * 60 + [np.inf] * 40)

    assert quantiles(half) == ((0.5, 0.001),)


@pytest.mark.parametrize(
    ("calibration", "floor"),
    [
        pytest.param({}, None, id="of a run before there were any"),
        pytest.param({"port_proxy": "not measured"}, None, id="only of the port proxy"),
        pytest.param({KEY: "not measured: no room"}, None, id="not measured"),
        pytest.param({KEY: asdict(FLOOR)}, FLOOR, id="as it was written"),
    ],
)
def test_a_floor_is_read_from_a_calibration(calibration: dict[str, object], floor: NoiseFloor | None) -> None:
    assert NoiseFloor.of(calibration) == floor
