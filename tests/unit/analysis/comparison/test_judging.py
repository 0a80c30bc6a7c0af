"""What is said of two configurations, and when nothing is."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from sloproof.analysis.comparison.judging import Pair, compare
from sloproof.analysis.comparison.outcome import Design, Kind, Margin, Relation
from tests.unit.analysis.comparison.trials import OBJECTIVES, Broken, Made, compared, of_bad, of_p99

STEADY = (0.100, 0.101, 0.099, 0.100, 0.102, 0.098)
DRIFTING = (0.1, 0.2, 0.4, 0.3, 0.15, 0.12)  # the machine, which both of a block have to bear


@pytest.mark.parametrize(
    ("factor", "relation"),
    [
        pytest.param(1.6, Relation.SLOWER, id="slower"),
        pytest.param(1 / 1.6, Relation.FASTER, id="faster"),
        pytest.param(1.0, Relation.EQUIVALENT, id="the same"),
        pytest.param(1.05, Relation.INCONCLUSIVE, id="on the margin"),
        pytest.param(1 / 1.05, Relation.INCONCLUSIVE, id="on the other margin"),
    ],
)
def test_a_ratio_is_judged_by_where_its_whole_interval_lies(factor: float, relation: Relation) -> None:
    noise = (1.01, 0.99, 1.0, 1.005, 0.995, 1.0)
    after = [value * factor * each for value, each in zip(DRIFTING, noise, strict=True)]

    found = compared(of_p99(DRIFTING), of_p99(after))["submit p99"]

    assert found.relation is relation
    assert found.effect
    assert found.effect.estimate == pytest.approx(factor, rel=1e-3)
    assert found.effect.low < factor < found.effect.high
    assert found.robust
    assert found.robust.estimate == pytest.approx(factor, rel=0.01)
    assert found.trials == 6


def test_what_differs_but_not_by_more_than_the_margin_is_no_regression() -> None:
    after = [value * 1.03 * each for value, each in zip(STEADY, (1, 1.002, 0.998, 1, 1, 1.001), strict=True)]

    found = compared(of_p99(STEADY), of_p99(after))["submit p99"]

    assert found.p_value is not None
    assert found.p_value < 0.001
    assert found.relation is Relation.EQUIVALENT


def test_swapping_the_two_turns_the_verdict_round() -> None:
    after = [value * 1.2 for value in STEADY[1:]] + [0.13]

    there = compared(of_p99(STEADY), of_p99(after))["submit p99"]
    back = compared(of_p99(after), of_p99(STEADY))["submit p99"]

    assert there.effect
    assert back.effect
    assert (there.relation, back.relation) == (Relation.SLOWER, Relation.FASTER)
    assert there.effect.low == pytest.approx(1 / back.effect.high)


def test_blocks_are_paired_by_their_number_and_those_that_lack_one_side_are_left_out() -> None:
    before = of_p99([*STEADY, 0.5])
    after = [*of_p99([1.1 * value for value in STEADY]), Made(block=9, p99_s=7.0)]

    found = compared(list(reversed(before)), after)["submit p99"]

    assert found.trials == 6
    assert found.effect
    assert found.effect.estimate == pytest.approx(1.1)
    assert found.effect.low == pytest.approx(found.effect.high)  # every block says the same


@pytest.mark.parametrize(
    ("after", "reason"),
    [
        pytest.param(of_p99(STEADY[:5]), "5 blocks hold both, an interval takes 6", id="five blocks"),
        pytest.param(
            [*of_p99(STEADY[:5]), Made(block=6, valid=False)], "5 blocks hold both", id="one invalid trial"
        ),
        pytest.param(
            of_p99([*STEADY[:5], None]), "5 blocks hold both", id="too few requests for a p99 in one"
        ),
        pytest.param([], "0 blocks hold both", id="nothing"),
    ],
)
def test_fewer_than_six_blocks_decide_nothing(after: list[Made], reason: str) -> None:
    found = compared(of_p99(STEADY), after)["submit p99"]

    assert found.relation is Relation.INCONCLUSIVE
    assert reason in found.reason
    assert (found.effect, found.robust, found.p_value) == (None, None, None)


def test_what_was_never_answered_is_compared_by_ranks_alone() -> None:
    found = compared(of_p99(STEADY), of_p99([math.inf, math.inf, 0.2, 0.21, math.inf, 0.22]))["submit p99"]

    assert found.relation is Relation.SLOWER
    assert found.effect == found.robust
    assert found.effect
    assert found.effect.high == math.inf
    assert found.effect.low == pytest.approx(0.2 / 0.099)
    assert found.reason == "by ranks alone: never answered in 3 trials"


def test_ranks_of_six_blocks_cannot_decide_among_several_pairs_and_say_so() -> None:
    never = of_p99([math.inf] * 6)
    pairs = [
        Pair(baseline="a", current="b", before=of_p99(STEADY), after=never),
        Pair(baseline="a", current="c", before=of_p99(STEADY), after=never),
    ]

    found = next(compare(pairs, OBJECTIVES, design=Design.BLOCKS, margin=Margin()))

    assert found.relation is Relation.INCONCLUSIVE
    assert found.reason.endswith("6 trials are too few for ranks to decide among 2 pairs")
    assert found.robust


def test_how_much_slower_one_never_is_than_another_nobody_knows() -> None:
    before, after = of_p99([math.inf, *STEADY[1:]]), of_p99([*STEADY[:5], math.inf])

    found = compared(before, after)["submit p99"]

    assert found.relation is Relation.INCONCLUSIVE
    assert "both have trials with a percentile that was never answered" in found.reason


def test_a_latency_of_nothing_has_no_ratio() -> None:
    found = compared(of_p99([0.0, *STEADY[1:]]), of_p99(STEADY))["submit p99"]

    assert found.relation is Relation.INCONCLUSIVE
    assert found.reason == "a latency of 0 has no ratio to another"


@pytest.mark.parametrize(
    ("before", "after", "relation"),
    [
        pytest.param([0, 1, 0, 2, 1, 0], [30, 31, 28, 33, 30, 29], Relation.WORSE, id="3 % more bad"),
        pytest.param([30, 31, 28, 33, 30, 29], [0, 1, 0, 2, 1, 0], Relation.BETTER, id="3 % fewer bad"),
        pytest.param([0] * 6, [0, 0, 0, 0, 0, 1], Relation.EQUIVALENT, id="a single bad event"),
        pytest.param([0] * 6, [0, 0, 60, 0, 0, 0], Relation.INCONCLUSIVE, id="one bad trial"),
        pytest.param([1000] * 6, [1000] * 6, Relation.EQUIVALENT, id="both down"),
        pytest.param([0] * 6, [1000] * 6, Relation.WORSE, id="one down"),
    ],
)
def test_bad_events_are_compared_as_a_difference_of_shares(
    before: list[int], after: list[int], relation: Relation
) -> None:
    found = compared(of_bad(before), of_bad(after))["submit-latency bad events"]

    assert found.relation is relation
    assert found.effect
    assert found.effect.estimate == pytest.approx((sum(after) - sum(before)) / 6000)
    assert found.margin == pytest.approx(0.25 * 0.01)
    assert found.metric.kind is Kind.ERRORS


def test_no_bad_event_at_all_shows_only_as_much_as_so_many_events_can() -> None:
    few = compared(of_bad([0] * 6, total=100), of_bad([0] * 6, total=100))["submit-latency bad events"]
    many = compared(of_bad([0] * 6), of_bad([0] * 6))["submit-latency bad events"]

    assert few.relation is Relation.INCONCLUSIVE
    assert few.reason == "no event was bad, and they are too few to show so small a difference"
    assert few.effect
    assert few.effect.high == pytest.approx(-few.effect.low) == pytest.approx(1 - 0.025 ** (1 / 600))
    assert many.relation is Relation.EQUIVALENT


def test_an_interval_of_shares_excludes_nought_exactly_when_its_p_says_so() -> None:
    for bad in range(60):
        after = of_bad([bad, bad, bad, bad + 1, bad, bad])
        found = compared(of_bad([0] * 6, total=200), after)["submit-latency bad events"]
        assert found.effect
        assert found.p_value is not None
        assert (found.effect.low > 0) == (found.p_value < 0.05), bad


@pytest.mark.parametrize(
    ("before", "after", "relation"),
    [
        pytest.param(0, 1, Relation.WORSE, id="lost a job where none was lost"),
        pytest.param(1, 0, Relation.BETTER, id="loses none any more"),
        pytest.param(0, 0, Relation.EQUIVALENT, id="both whole"),
        pytest.param(1, 3, Relation.INCONCLUSIVE, id="both broken"),
    ],
)
def test_a_single_breach_of_integrity_is_a_regression(before: int, after: int, relation: Relation) -> None:
    def side(broken: int) -> list[Made]:
        lost = Broken(violations=("1 of 9 accepted jobs were lost",))
        return [replace(each, integrity=lost) if each.block <= broken else each for each in of_p99(STEADY)]

    found = compared(side(before), side(after))["integrity"]

    assert found.relation is relation
    assert found.reason == f"violated in {after} of 6 trials, against {before} of 6"


def test_two_runs_are_compared_as_two_groups_of_any_size() -> None:
    found = compared(of_p99(STEADY), of_p99([0.16, 0.17, 0.16, 0.15, 0.16, 0.17, 0.16]), design=Design.RUNS)

    submit = found["submit p99"]
    assert submit.relation is Relation.SLOWER
    assert submit.trials == 6
    assert submit.effect
    assert submit.effect.estimate == pytest.approx(1.61, abs=0.02)
    few = compared(of_p99(STEADY), of_p99(STEADY[:5]), design=Design.RUNS)["submit p99"]
    assert few.reason == "one side has 5 valid trials, an interval takes 6 of each"


def test_a_margin_is_as_wide_to_either_side() -> None:
    wide = Margin(latency_ratio=0.5)
    faster = of_p99([0.6 * value for value in STEADY])  # beyond 1/1.5, though within 50 %

    assert compared(of_p99(STEADY), faster, margin=wide)["submit p99"].relation is Relation.FASTER
    assert compared(faster, of_p99(STEADY), margin=wide)["submit p99"].relation is Relation.SLOWER


def test_invalid_trials_count_for_no_bad_events() -> None:
    after = [*of_bad([0] * 6), Made(block=7, bad=1000, valid=False)]

    found = compared(of_bad([0] * 7), after)["submit-latency bad events"]

    assert found.trials == 6
    assert found.relation is Relation.EQUIVALENT


def test_a_wider_margin_makes_less_matter() -> None:
    after = [value * 1.2 for value in STEADY]

    found = compared(of_p99(STEADY), of_p99(after), margin=Margin(latency_ratio=0.3))["submit p99"]

    assert found.relation is Relation.EQUIVALENT
