"""A verdict needs the whole interval on one side of the target, and enough events."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloproof.analysis.counts import Counts
from sloproof.analysis.estimates import Estimate
from sloproof.analysis.intervals import lower_rank
from sloproof.analysis.verdicts import Verdict, floor_events, judge, judge_estimates, judge_integrity

MET, VIOLATED, INCONCLUSIVE = Verdict
TARGET = Decimal("0.99")
GOOD = Counts(good=1_000, total=1_000)
EXACT = Counts(good=990, total=1_000)
BAD = Counts(good=989, total=1_000)
EMPTY = Counts(good=0, total=0)

CASES = {
    "all trials meet it": ([GOOD] * 6, MET, "6 of 6 trials met 99 %: the whole interval meets it"),
    "exactly on target is met": ([EXACT] * 6, MET, "6 of 6 trials met 99 %: the whole interval meets it"),
    "all trials miss it": ([BAD] * 6, VIOLATED, "0 of 6 trials met 99 %: the whole interval misses it"),
    "one of ten may miss": ([GOOD] * 9 + [BAD], MET, "9 of 10 trials met 99 %: the whole interval meets it"),
    "one of six may not": (
        [GOOD] * 5 + [BAD],
        INCONCLUSIVE,
        (
            "5 of 6 trials met 99 %: the interval holds values on both sides of it; "
            "24 further trials would probably decide"
        ),
    ),
    "a draw": (
        [GOOD] * 3 + [BAD] * 3,
        INCONCLUSIVE,
        (
            "3 of 6 trials met 99 %: the interval holds values on both sides of it; "
            "more than 200 further trials would be needed to decide"
        ),
    ),
    "too few trials": (
        [GOOD] * 5,
        INCONCLUSIVE,
        "5 trials saw events, an interval takes 6; 1 further trial would probably decide",
    ),
    "no trial": (
        [],
        INCONCLUSIVE,
        "no trial saw an event, an interval takes 6; 6 further trials would probably decide",
    ),
    "trials without an event are no evidence": (
        [EMPTY] * 20,
        INCONCLUSIVE,
        "no trial saw an event, an interval takes 6; 6 further trials would probably decide",
    ),
    "an empty trial does not make up the number": (
        [GOOD] * 5 + [EMPTY],
        INCONCLUSIVE,
        "5 trials saw events, an interval takes 6; 1 further trial would probably decide",
    ),
    "too few events to show it": (
        [Counts(good=49, total=49)] * 6,
        INCONCLUSIVE,
        (
            "6 of 6 trials met 99 %, but 294 events cannot show 99 % even with none bad: it takes 299; "
            "1 further trial would probably decide"
        ),
    ),
    "just enough events": (
        [Counts(good=49, total=49)] * 5 + [Counts(good=54, total=54)],
        MET,
        "6 of 6 trials met 99 %: the whole interval meets it",
    ),
    "few events suffice to violate it": (
        [Counts(good=0, total=5)] * 6,
        VIOLATED,
        "0 of 6 trials met 99 %: the whole interval misses it",
    ),
}


@pytest.mark.parametrize(("trials", "verdict", "reason"), CASES.values(), ids=CASES)
def test_a_verdict_rests_on_the_whole_interval(trials: list[Counts], verdict: Verdict, reason: str) -> None:
    judgement = judge(TARGET, trials)

    assert (judgement.verdict, judgement.reason) == (verdict, reason)
    assert judgement.total == sum(trials, start=EMPTY)


def test_a_judgement_says_how_many_more_trials_would_decide_and_nothing_once_decided() -> None:
    assert judge(TARGET, [GOOD] * 5).more_trials == 1
    assert judge(TARGET, [GOOD] * 6).more_trials is None


def test_the_interval_is_that_of_the_trials_ratios() -> None:
    interval = judge(TARGET, [Counts(good=n, total=1_000) for n in (980, 981, 982, 982, 983, 984)]).interval

    assert interval
    assert (interval.low, interval.median, interval.high) == (0.98, 0.982, 0.984)


def test_a_target_that_no_float_can_hold_is_compared_exactly() -> None:
    total = 10**18
    barely, not_quite = Counts(good=999 * 10**15, total=total), Counts(good=999 * 10**15 - 1, total=total)

    assert barely.ratio == not_quite.ratio  # floats cannot tell them apart
    assert judge(Decimal("0.999"), [barely] * 6).verdict is MET
    assert judge(Decimal("0.999"), [not_quite] * 6).verdict is VIOLATED


trials = st.lists(
    st.tuples(st.integers(0, 500), st.integers(0, 500)).map(lambda p: Counts(good=min(p), total=max(p))),
    max_size=30,
)
targets = st.decimals("0.5", "0.9999", places=4)


@given(targets, trials)
def test_a_verdict_agrees_with_its_interval(target: Decimal, trials: list[Counts]) -> None:
    judgement = judge(target, trials)

    match judgement.verdict, judgement.interval:
        case Verdict.MET, interval:
            assert interval
            assert Fraction(interval.low) >= Fraction(float(target))
            assert judgement.total.total >= floor_events(target)
        case Verdict.VIOLATED, interval:
            assert interval
            assert Fraction(interval.high) <= Fraction(float(target))
        case _, interval:
            assert (
                interval is None
                or interval.low <= target <= interval.high
                or (judgement.total.total < floor_events(target))
            )


@given(targets, trials, st.integers(0, 29), st.integers(1, 100))
def test_more_good_events_never_turn_a_verdict_for_the_worse(
    target: Decimal, trials: list[Counts], index: int, more: int
) -> None:
    order = [VIOLATED, INCONCLUSIVE, MET]
    better = [
        Counts(good=each.good + more, total=each.total + more) if at == index and each.total else each
        for at, each in enumerate(trials)
    ]

    assert order.index(judge(target, better).verdict) >= order.index(judge(target, trials).verdict)


@given(targets)
def test_the_floor_is_the_least_number_of_good_events_that_shows_a_target(target: Decimal) -> None:
    floor = floor_events(target)

    assert target**floor <= Decimal("0.05") < target ** (floor - 1)


@pytest.mark.parametrize("target", ["0.9", "0.99", "0.999"])
@pytest.mark.parametrize("n", [6, 8, 10, 15, 20, 40])
def test_below_the_floor_a_service_on_target_is_hardly_ever_called_violated(target: str, n: int) -> None:
    """Trials of equal size below the floor miss the target with their first bad event."""
    miss = 1 - float(target) ** ((floor_events(Decimal(target)) - 1) // n)
    rank = lower_rank(n)
    assert rank

    chance = sum(comb(n, meets) * (1 - miss) ** meets * miss ** (n - meets) for meets in range(rank))

    assert chance < 0.005


def test_one_violation_of_integrity_outweighs_every_clean_trial() -> None:
    judgement = judge_integrity([(), (), ("1 of 900 accepted jobs was lost", "1 ended twice"), ()])

    assert judgement.verdict is VIOLATED
    assert judgement.total == Counts(good=3, total=4)
    assert judgement.reason == "violated in 1 of 4 trials, first: 1 of 900 accepted jobs was lost"
    assert judgement.more_trials is None


def test_integrity_is_met_when_every_trial_kept_it() -> None:
    judgement = judge_integrity([()])

    assert (judgement.verdict, judgement.reason) == (MET, "kept in 1 of 1 trial")


def test_integrity_without_a_trial_is_inconclusive() -> None:
    judgement = judge_integrity([])

    assert (judgement.verdict, judgement.more_trials) == (INCONCLUSIVE, 1)
    assert judgement.reason == "no trial has ended; 1 further trial would probably decide"


def test_a_ratio_without_counts_is_judged_by_its_trials_and_says_that_it_has_none() -> None:
    alone = Estimate(good=None, total=None, ratio=0.995)

    judged = judge_estimates(Decimal("0.99"), [alone] * 6)

    assert judged.verdict is Verdict.MET
    assert "how many events each saw is not known" in judged.reason
    assert judged.total == Counts(0, 0)
    assert judge_estimates(Decimal("0.999"), [alone] * 6).verdict is Verdict.VIOLATED
    assert judge_estimates(Decimal("0.99"), [alone] * 5).verdict is Verdict.INCONCLUSIVE


def test_what_prometheus_extrapolates_is_judged_as_what_was_counted() -> None:
    trials = [
        Estimate.of(good=good * 1.0001, total=1000 * 1.0001) for good in (990, 991, 990, 995, 990, 1000)
    ]

    judged = judge_estimates(Decimal("0.99"), trials)

    assert judged.verdict is Verdict.MET  # 990 of 1,000 is just enough, whatever the factor
    assert judged.total.total == 6001


def test_a_prometheus_that_saw_too_few_events_to_show_a_target_shows_it_not() -> None:
    judged = judge_estimates(Decimal("0.999"), [Estimate.of(good=10.0, total=10.0)] * 6)

    assert judged.verdict is Verdict.INCONCLUSIVE
    assert "60 events cannot show 99.9 %" in judged.reason


def test_a_prometheus_that_saw_no_event_decides_nothing() -> None:
    judged = judge_estimates(Decimal("0.99"), [Estimate.of(good=0.0, total=0.0)] * 6)

    assert judged.verdict is Verdict.INCONCLUSIVE
    assert judged.reason.startswith("no trial saw an event")
