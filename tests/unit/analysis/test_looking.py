"""A verdict is kept from the look that first gave it, and nobody goes on for what no block can decide."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from sloproof.analysis.counts import Counts
from sloproof.analysis.looking import Looking, judge_looked, worth_going_on
from sloproof.analysis.verdicts import Verdict, judge

MET, VIOLATED, INCONCLUSIVE = Verdict
TARGET = Decimal("0.99")
GOOD, BAD, EMPTY = Counts(good=1_000, total=1_000), Counts(good=900, total=1_000), Counts(good=0, total=0)
LOOKS = (7, 13, 19, 24, 30)


def looked(outcomes: str, *, planned: tuple[int, ...] = LOOKS) -> tuple[list[tuple[int, Counts]], Looking]:
    """Return trials, + met and - missed, . without an event and x invalid, one a block."""
    kinds = {"+": GOOD, "-": BAD, ".": EMPTY}
    trials = [(block, kinds[each]) for block, each in enumerate(outcomes, start=1) if each != "x"]
    return trials, Looking(planned=planned, done=len(outcomes))


@pytest.mark.parametrize(
    ("outcomes", "verdict", "reason"),
    [
        pytest.param(
            "+++++++",
            MET,
            "7 of 7 trials met 99 %: the whole interval meets it; "
            "decided after 7 of at most 30 blocks, corrected for 5 looks",
            id="all alike at the first look",
        ),
        pytest.param(
            "-------", VIOLATED, "0 of 7 trials met 99 %: the whole interval misses it", id="all miss"
        ),
        pytest.param("++++++", INCONCLUSIVE, "the first look is after 7", id="nobody has looked yet"),
        pytest.param("+++-++++++++", INCONCLUSIVE, "undecided after 7", id="what came since waits"),
        pytest.param("+++-+++++++++", MET, "12 of 13 trials met 99 %", id="the second look decides"),
        pytest.param("+++++++------", MET, "decided after 7 of", id="what comes later changes nothing"),
        pytest.param(
            "x++++++", INCONCLUSIVE, "6 of 6 trials met 99 %: undecided after 7", id="one is invalid"
        ),
        pytest.param(".......", INCONCLUSIVE, "no trial saw an event", id="no event"),
        pytest.param("+-" * 15, INCONCLUSIVE, "15 of 30 trials met 99 %: undecided after 30", id="a draw"),
    ],
)
def test_the_first_look_that_decides_is_final(outcomes: str, verdict: Verdict, reason: str) -> None:
    judgement = judge_looked(TARGET, *looked(outcomes))

    assert judgement.verdict is verdict
    assert reason in judgement.reason


def test_an_interval_is_that_of_its_look_and_agrees_with_the_verdict() -> None:
    trials, looking = looked("+++-+++++++++----")

    judgement = judge_looked(TARGET, trials, looking)

    assert judgement.verdict is MET
    assert judgement.interval
    assert judgement.interval.low >= 0.99
    assert judgement.interval.confidence_ratio >= 0.95
    assert judgement.total.total == 17_000


def test_looked_at_once_a_run_is_judged_as_ever() -> None:
    for outcomes in ("++++++", "+++++-", "------", "+++---", "....++", "+++++"):
        trials, looking = looked(outcomes, planned=(len(outcomes),))

        once = judge(TARGET, [each for _, each in trials])
        judgement = judge_looked(TARGET, trials, looking)

        assert (judgement.verdict, judgement.interval) == (once.verdict, once.interval)


def test_few_events_never_show_that_a_target_is_met() -> None:
    trials = [(block, Counts(good=10, total=10)) for block in range(1, 8)]

    assert judge_looked(TARGET, trials, Looking(planned=LOOKS, done=7)).verdict is INCONCLUSIVE


@pytest.mark.parametrize(
    ("outcomes", "goes_on"),
    [
        pytest.param("+++++++", False, id="decided"),
        pytest.param("++++++-", True, id="one that differs"),
        pytest.param("x++++++", True, id="one too few"),
        pytest.param("+-+-+-+-+-+-+", False, id="a draw that would stay one"),
        pytest.param(".......", False, id="nothing to see"),
        pytest.param("x" * 7, False, id="nothing valid"),
        pytest.param("+-" * 15, False, id="no block is left"),
    ],
)
def test_a_run_goes_on_where_it_may_well_decide(outcomes: str, *, goes_on: bool) -> None:
    assert worth_going_on(TARGET, *looked(outcomes)) is goes_on


@pytest.mark.parametrize(("events", "goes_on"), [(9, False), (10, True)], ids=["too few", "just enough"])
def test_no_run_goes_on_to_events_too_few_to_show_its_target(events: int, *, goes_on: bool) -> None:
    good = [(block, Counts(good=events, total=events)) for block in range(1, 8)]

    assert worth_going_on(TARGET, good, Looking(planned=LOOKS, done=7)) is goes_on


def test_typical_trials_exactly_on_target_are_judged_wrongly_as_seldom_as_promised() -> None:
    """Run whole experiments, with their looks and their ends, of services exactly on target."""
    random, experiments, wrong = np.random.default_rng(5), 2_000, 0
    for outcomes in random.random((experiments, LOOKS[-1])) < 0.5:
        trials = [(block, GOOD if each else BAD) for block, each in enumerate(outcomes, start=1)]
        for look in LOOKS:
            looking = Looking(planned=LOOKS, done=look)
            if not worth_going_on(TARGET, trials[:look], looking):
                break
        wrong += judge_looked(TARGET, trials[:look], looking).verdict is not INCONCLUSIVE

    print(f"exactly on target, stopping as soon as decided: {wrong / experiments:.1%} decided")  # noqa: T201
    assert wrong / experiments <= 0.05
