from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest

from sloproof.analysis.capacity.conclusion import conclude, judge_capacity
from sloproof.analysis.capacity.observation import Observation
from sloproof.analysis.capacity.search import (
    Ending,
    Proposal,
    Step,
    most_trials,
    needed_trials,
    so_far,
    step,
)
from sloproof.analysis.verdicts import Verdict
from tests.unit.analysis.capacity.simulation import TRUTH_PER_S, Server, cliff, plan, queue, searched


def calm(**changes: float) -> Server:
    """Return a server without noise."""
    return Server(margin=queue, seed=1, noise=0, hiccup_ratio=0, **changes)


def test_rates_double_until_one_is_missed_and_are_then_bisected() -> None:
    _, seen = searched(plan(), calm())

    finding, _ = searched(plan(), calm())
    bracket = [each.rate_per_s for each, its in zip(seen, finding.steps, strict=True) if its is Step.BRACKET]
    # one trial where all is clear, two where they agree
    assert bracket == [50, 100, 200, 400, 800, 800, 566, 566, 673, 673]
    assert (finding.met_per_s, finding.missed_per_s) == (673, 800)


def test_the_fit_tries_five_rates_around_the_bracket_in_random_order_each_as_often_as_planned() -> None:
    finding, _ = searched(plan(trials=4), calm())
    rates = [each.rate_per_s for each in finding.evidence]

    assert finding.ending is Ending.FITTED
    assert sorted(set(rates)) == [550, 642, 734, 825, 917]
    assert all(rates.count(rate) == 4 for rate in set(rates))
    rounds = [tuple(rates[at : at + 5]) for at in range(0, 20, 5)]
    assert len(set(rounds)) > 1
    assert rates != sorted(rates)


def test_the_same_observations_lead_to_the_same_step_wherever_a_search_is_taken_up() -> None:
    given = plan(seed=7)
    _, seen = searched(given, Server(margin=queue, seed=3))

    for at, each in enumerate(seen):
        proposal = step(given, seen[:at])
        assert isinstance(proposal, Proposal)
        assert proposal.rate_per_s == each.rate_per_s


def test_another_seed_draws_another_order() -> None:
    one, other = ([each.rate_per_s for each in searched(plan(seed=seed), calm())[1]] for seed in (1, 2))
    assert one != other
    assert sorted(one) == sorted(other)


def test_a_fit_whose_trials_are_all_on_one_side_moves_there() -> None:
    """What a bracket of bad luck does to a search: the limit lies far above what it saw."""
    hiccups = iter([True] * 2)

    def unlucky(rate_per_s: float) -> float:
        return 1.0 if rate_per_s >= 400 and next(hiccups, False) else queue(rate_per_s)

    finding, _ = searched(plan(trials=6), Server(margin=unlucky, seed=1, noise=0, hiccup_ratio=0))
    conclusion = conclude(finding, seed=1)

    assert finding.missed_per_s is not None
    assert finding.missed_per_s < 0.8 * TRUTH_PER_S
    assert max(each.rate_per_s for each in finding.evidence) > TRUTH_PER_S
    assert conclusion.estimate_per_s == pytest.approx(TRUTH_PER_S, rel=0.05)


def test_the_highest_rate_asked_for_is_a_lower_bound_and_no_estimate() -> None:
    finding, seen = searched(plan(to_per_s=500), calm())
    conclusion = conclude(finding, seed=1)

    assert conclusion.ending is Ending.TOP
    assert conclusion.at_least_per_s == 500
    assert conclusion.estimate_per_s is None
    assert [its for its in finding.steps if its is Step.CONFIRM] == [Step.CONFIRM] * 6
    assert len(seen) < 20


def test_one_hiccup_of_ten_does_not_keep_a_rate_from_being_shown_and_two_do() -> None:
    for missed, shown in (({3}, True), ({3, 7}, False)):
        server, confirms, margins = calm(), 0, list[float]()
        given, seen = plan(to_per_s=500), list[Observation]()
        while isinstance(next_ := step(given, seen), Proposal) and next_.step is not Step.FIT:
            each = server.try_(next_)
            if next_.step is Step.CONFIRM:
                confirms += 1
                margins.append(1.0 if confirms in missed else -1.0)
                each = replace(each, margins={"latency": margins[-1]})
            seen.append(each)
        assert (not isinstance(next_, Proposal) and next_.shown) is shown
        assert confirms == (10 if shown else 7)


def test_the_generator_s_own_limit_is_a_lower_bound_and_no_evidence_against_the_subject() -> None:
    finding, seen = searched(plan(), calm(valid_up_to_per_s=650))
    conclusion = conclude(finding, seed=1)

    assert conclusion.ending is Ending.GENERATOR
    assert conclusion.estimate_per_s is None
    assert conclusion.at_most_per_s is None
    assert conclusion.at_least_per_s is not None
    assert 500 <= conclusion.at_least_per_s <= 650
    assert finding.missed_per_s is None
    assert any(not each.valid for each in seen)
    assert all(each.valid for each in finding.evidence)


def test_a_generator_that_ends_within_the_fit_bounds_its_rates() -> None:
    """The bracket sees rates missed beyond the ceiling of a bad minute, and the fit finds it."""
    finding, _ = searched(
        plan(), Server(margin=cliff, seed=1, noise=0, hiccup_ratio=0, valid_up_to_per_s=810)
    )
    conclusion = conclude(finding, seed=1)

    assert max(each.rate_per_s for each in finding.evidence) <= 810
    assert conclusion.at_least_per_s is not None
    assert conclusion.at_least_per_s <= TRUTH_PER_S


def test_trials_that_a_busy_machine_spoils_are_repeated_and_do_not_bound_the_search() -> None:
    spoilt = random.Random(1)  # noqa: S311 - not a secret
    server, given, seen = Server(margin=queue, seed=4), plan(), list[Observation]()
    while isinstance(next_ := step(given, seen), Proposal):
        seen.append(replace(server.try_(next_), valid=spoilt.random() > 0.3))
    conclusion = conclude(next_, seed=1)

    assert conclusion.ending is Ending.FITTED
    assert sum(not each.valid for each in seen) > 5
    assert len(next_.evidence) == 20
    assert conclusion.estimate_per_s == pytest.approx(TRUTH_PER_S, rel=0.1)


def test_a_generator_that_cannot_even_do_the_lowest_rate_says_nothing() -> None:
    finding, seen = searched(plan(), calm(valid_up_to_per_s=10))
    conclusion = conclude(finding, seed=1)

    assert conclusion.ending is Ending.UNMEASURED
    assert len(seen) == 2
    assert (conclusion.at_least_per_s, conclusion.at_most_per_s) == (None, None)
    assert judge_capacity(conclusion, demanded_per_s=None) is Verdict.INCONCLUSIVE


def test_a_subject_that_misses_the_lowest_rate_has_an_upper_bound() -> None:
    finding, seen = searched(plan(from_per_s=900), calm())
    conclusion = conclude(finding, seed=1)

    assert conclusion.ending is Ending.BOTTOM
    assert (conclusion.at_least_per_s, conclusion.at_most_per_s) == (None, 900)
    assert conclusion.binding == "latency"
    assert len(seen) == 2 + 6
    assert judge_capacity(conclusion, demanded_per_s=None) is Verdict.VIOLATED
    assert judge_capacity(conclusion, demanded_per_s=900) is Verdict.VIOLATED


@pytest.mark.parametrize("budget_s", [5, 35, 95, 205, 255, 275, 1000])
def test_no_search_takes_longer_than_its_time(budget_s: float) -> None:
    finding, seen = searched(plan(budget_s=budget_s), Server(margin=queue, seed=5))

    assert sum(each.seconds for each in seen) <= budget_s
    assert finding.ending in {Ending.BUDGET, Ending.FITTED}


def test_trials_that_take_longer_than_foreseen_end_the_search_earlier_not_later() -> None:
    _, seen = searched(plan(budget_s=300), Server(margin=queue, seed=5, seconds=25))

    assert len(seen) == 12


def test_a_fit_that_the_time_cut_short_counts_when_it_has_fifteen_trials() -> None:
    _, whole = searched(plan(), calm())
    bracket = len(whole) - 20
    early, _ = searched(plan(budget_s=10 * (bracket + 14)), calm())
    late, _ = searched(plan(budget_s=10 * (bracket + 15)), calm())

    assert early.ending is Ending.BUDGET
    assert conclude(early, seed=1).at_least_per_s is None
    assert late.ending is Ending.FITTED
    assert conclude(late, seed=1).at_least_per_s is not None


def test_what_a_search_has_come_to_can_be_said_before_its_end() -> None:
    given = plan()
    _, seen = searched(given, calm())

    assert so_far(given, []).ending is Ending.BUDGET
    assert so_far(given, seen[:6]).met_per_s == 400
    assert so_far(given, seen[:-2]).ending is Ending.FITTED
    assert so_far(given, seen) == step(given, seen)


def test_the_time_for_a_search_is_foreseen() -> None:
    given = plan(budget_s=300, trial_s=11)

    _, seen = searched(plan(), Server(margin=queue, seed=2))
    assert most_trials(given) == 27
    assert abs(needed_trials(given) - len(seen)) <= 6


def test_demands_are_judged_by_the_bounds() -> None:
    finding, _ = searched(plan(), Server(margin=queue, seed=2))
    conclusion = conclude(finding, seed=2)
    assert conclusion.at_least_per_s is not None
    assert conclusion.at_most_per_s is not None
    assert conclusion.at_least_per_s < TRUTH_PER_S < conclusion.at_most_per_s

    verdicts = {
        demanded: judge_capacity(conclusion, demanded_per_s=demanded)
        for demanded in (conclusion.at_least_per_s, TRUTH_PER_S, math.ceil(conclusion.at_most_per_s))
    }
    assert list(verdicts.values()) == [Verdict.MET, Verdict.INCONCLUSIVE, Verdict.VIOLATED]
    assert judge_capacity(conclusion, demanded_per_s=None) is Verdict.MET
