"""Proofs are the same for the same definition, cover every tier, and say what they leave out."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from sloproof.compile import conventions as names
from sloproof.compile.proofs import Unproved, prove, unproved
from sloproof.compile.proofs.burns import detection
from sloproof.compile.proofs.case import Subject
from sloproof.compile.proofs.quiet import period
from sloproof.slo.burnrate import detection_s, reset_s
from sloproof.slo.definition import (
    Alerting,
    Availability,
    Definition,
    ErrorRatio,
    EventLatency,
    Indicator,
    Latency,
    Metrics,
    Objective,
    Ratio,
    Up,
)
from sloproof.slo.quantities import parse_duration
from sloproof.slo.tiers import DAY, default_tiers

MONTH_S = Decimal(30 * DAY)
LATENCY = Latency(method="POST", route="/a", threshold_s=Decimal("0.25"))


def objective(name: str, indicator: Indicator, *, target: str = "0.99") -> Objective:
    return Objective(
        name=name,
        description="",
        target=Decimal(target),
        indicator=indicator,
        window_s=MONTH_S,
        alerting=Alerting(tiers=default_tiers(MONTH_S)),
        line=1,
    )


def definition(*objectives: Objective, native: bool = False) -> Definition:
    return Definition(
        service="shop",
        window_s=MONTH_S,
        metrics=Metrics(requests="request_seconds", matchers={"job": "shop"}, native=native),
        objectives=objectives,
    )


def proved(of: Definition) -> list[dict[str, Any]]:
    files: dict[str, dict[str, Any]] = prove(of)
    return [test for data in files.values() for test in data["tests"]]


def named(tests: list[dict[str, Any]], start: str) -> list[dict[str, Any]]:
    return [test for test in tests if test["name"].startswith(start)]


def test_proofs_are_a_function_of_the_definition() -> None:
    of = definition(objective("a", LATENCY), objective("b", Availability()))

    assert repr(prove(of)) == repr(prove(of))


def test_each_file_has_the_pace_that_its_name_tells_and_reads_the_rules_beside_it() -> None:
    files = prove(definition(objective("a", LATENCY)))

    assert {name: data["evaluation_interval"] for name, data in files.items()} == {
        "shop.test.yaml": "30s",
        "shop.6m.test.yaml": "6m",
        "shop.24m.test.yaml": "24m",
        "shop.1h12m.test.yaml": "1h12m",
        "shop.12h.test.yaml": "12h",
    }
    assert all(data["rule_files"] == ["shop.rules.yaml"] for data in files.values())


@pytest.mark.parametrize("tier", ["page-fast", "page-slow", "ticket-fast", "ticket-slow"])
def test_every_tier_is_timed_and_held_to_its_threshold(tier: str) -> None:
    tests = proved(definition(objective("a", LATENCY)))

    assert len(named(tests, f"{tier} fires and ends when predicted")) == 1
    assert len(named(tests, f"{tier} is silent just below its threshold")) == 1


@pytest.mark.parametrize("tier", default_tiers(MONTH_S), ids=lambda tier: tier.name)
def test_the_times_of_a_tier_lie_around_those_of_the_closed_forms(tier: Any) -> None:  # noqa: ANN401 - a tier
    of = objective("a", Availability(), target="0.999")
    case = detection(Subject(definition(of), of), tier)
    ratio = 3 * float(tier.threshold(of.budget))
    found_s = detection_s(tier, budget=of.budget, error_ratio=ratio)
    goes_on_s = reset_s(tier, budget=of.budget, error_ratio=ratio)
    assert found_s is not None
    assert goes_on_s is not None

    early, late, still, over, remembers = case.expectations[-5:]

    slack_s = 2 * (case.pace_s + case.step_s)
    assert [bool(each.samples) for each in (early, late, still, over)] == [False, True, True, False]
    assert late.at_s - early.at_s <= slack_s
    assert over.at_s - still.at_s <= slack_s
    begun_s = late.at_s - found_s
    assert begun_s - tier.long_s >= 0, "the window is full before the fault begins"
    assert goes_on_s <= tier.short_s
    assert remembers.at_s == over.at_s
    assert names.error_ratio(tier.long_s) in remembers.expr


def test_objectives_that_see_each_others_metrics_are_proved_apart() -> None:
    apart = definition(objective("a", LATENCY), objective("b", Availability()))
    together = definition(objective("a", LATENCY), objective("b", Availability(route="/b")))

    assert {test["name"] for test in named(proved(apart), "page-fast is silent")} == {
        "page-fast is silent just below its threshold (a)",
        "page-fast is silent just below its threshold (b)",
    }
    assert {test["name"] for test in named(proved(together), "page-fast is silent")} == {
        "page-fast is silent just below its threshold (a, b)",
    }


def test_up_to_a_target_that_others_are_scraped_from_is_proved_apart() -> None:
    of = definition(objective("a", LATENCY), objective("b", Up(metric="up", matchers={"job": "shop"})))

    assert len(named(proved(of), "page-fast is silent")) == 2


def test_a_tier_that_cannot_fire_is_silent_in_a_total_outage() -> None:
    tests = proved(definition(objective("a", Availability(), target="0.9")))

    assert not named(tests, "page-fast")
    outage = named(tests, "A total outage")[0]
    silent = [each["expr"] for each in outage["promql_expr_test"] if not each["exp_samples"]]
    assert len(silent) == 1
    assert 'tier="page-fast"' in silent[0]


def test_an_outage_tells_all_that_its_alerts_say() -> None:
    outage = named(proved(definition(objective("a", LATENCY))), "A total outage")[0]

    (said,) = outage["alert_rule_test"]
    assert [alert["exp_labels"]["tier"] for alert in said["exp_alerts"]] == [
        tier.name for tier in default_tiers(MONTH_S)
    ]
    assert said["exp_alerts"][0]["exp_annotations"]["summary"] == (
        "shop-a: its error budget burns 100.0 times too fast"
    )


def test_what_a_template_of_ones_own_says_is_left_open() -> None:
    one = objective("a", LATENCY)
    own = replace(one, alerting=replace(one.alerting, annotations={"x": "{{ $labels.tier }}"}))

    assert not any("alert_rule_test" in test for test in proved(definition(own)))


def test_no_test_lasts_longer_than_twice_its_longest_window() -> None:
    of = definition(objective("a", LATENCY), objective("b", Availability(), target="0.999"))

    for test in proved(of):
        longest_s = 30 * DAY if test["name"].startswith("An event counts as long") else 3 * DAY
        last = max(float(_seconds(each["eval_time"])) for each in test["promql_expr_test"])
        assert last <= 2 * longest_s


@pytest.mark.parametrize("days", [7, 28, 30, 90, 365])
def test_an_event_is_in_the_budget_until_its_window_has_passed(days: int) -> None:
    whole_s = days * DAY
    of = replace(objective("a", LATENCY), window_s=Decimal(whole_s))
    case = period(Subject(definition(of), of))
    still, over = (each.at_s for each in case.expectations)

    assert still < whole_s <= still + 2 * case.pace_s
    assert over > whole_s + whole_s / 6
    assert whole_s / case.pace_s <= 61
    assert case.pace_s % case.step_s == 0


@pytest.mark.parametrize(
    ("least", "proved_so"),
    [
        pytest.param(1, False, id="one is enough"),
        pytest.param(2, True, id="a pair"),
        pytest.param(5, True, id="the usual"),
        pytest.param(20, True, id="more at once"),
    ],
)
def test_failures_far_apart_are_proved_where_more_than_one_is_asked_for(
    least: int, *, proved_so: bool
) -> None:
    of = objective("a", LATENCY)
    of = replace(of, alerting=replace(of.alerting, minimum_failures=least))

    assert bool(named(proved(definition(of)), "Failures far apart")) is proved_so


@pytest.mark.parametrize(
    "indicator",
    [
        pytest.param(replace(LATENCY, threshold_s=Decimal(2)), id="of requests"),
        pytest.param(EventLatency(event="e", histogram="h", threshold_s=Decimal(2)), id="of events"),
    ],
)
def test_a_bound_with_two_spellings_is_proved_in_both(indicator: Indicator) -> None:
    (test,) = named(proved(definition(objective("a", indicator))), "The bound 2 is 2.0")

    buckets = [each["series"] for each in test["input_series"] if "_bucket" in each["series"]]
    assert [each.partition('le="')[2].partition('"')[0] for each in buckets] == ["2", "2.0"]


def test_a_quiet_outage_that_no_tier_finds_soon_is_left_out() -> None:
    assert not named(proved(definition(objective("a", LATENCY, target="0.5"))), "A quiet service's outage")


def test_a_quotient_of_two_counters_is_proved() -> None:
    query = "sum(rate(a[{{window}}])) / sum(rate(b[{{window}}]))"

    (test,) = named(proved(definition(objective("a", ErrorRatio(query)))), "page-fast is silent")

    assert [each["series"] for each in test["input_series"]] == ["a", "b"]


def test_a_window_that_is_the_budgets_own_is_not_held_to_what_it_has_recorded_itself() -> None:
    of = objective("a", LATENCY)
    (*_, slow) = default_tiers(MONTH_S)
    of = replace(of, window_s=Decimal(slow.long_s))

    last = detection(Subject(definition(of), of), slow).expectations[-1]

    assert last.expr.startswith("count(ALERTS")


def test_failures_far_apart_are_left_out_where_the_windows_are_too_long_or_too_short() -> None:
    unfireable = objective("a", LATENCY, target="0.9")
    (quick, *_) = default_tiers(MONTH_S)
    own = objective("b", LATENCY)
    own = replace(own, alerting=replace(own.alerting, tiers=(replace(quick, short_s=120),)))

    for of in (unfireable, own):
        assert not named(proved(definition(of)), "Failures far apart")


@pytest.mark.parametrize(
    ("indicator", "native", "why"),
    [
        pytest.param(LATENCY, True, "promtool 2.42 takes no native histograms", id="native histogram"),
        pytest.param(
            Ratio(bad='rate(x{c=~"5.."}[{{window}}])', total="rate(x[{{window}}])"),
            False,
            "x is selected by c=~",
            id="pattern",
        ),
        pytest.param(ErrorRatio("f(x[{{window}}])"), False, "can't be made up", id="any query"),
        pytest.param(
            Ratio(good="sum(rat(x[{{window}}]))", total="sum(rate(x[{{window}}]))"),
            False,
            "it is no PromQL: unknown function",
            id="no PromQL",
        ),
        pytest.param(
            Ratio(bad="sum(rate(x[{{window}}]))", total="sum(rate(y[{{window}}])"),
            False,
            "it is no PromQL: unclosed left parenthesis",
            id="no PromQL of all events",
        ),
    ],
)
def test_what_is_unproved_is_told_with_the_reason(indicator: Indicator, why: str, *, native: bool) -> None:
    (found,) = unproved(definition(objective("a", indicator), native=native))

    assert found.objective == "a"
    assert found.tier is None
    assert why in found.reason


def test_a_tier_of_a_gauge_with_too_few_samples_is_told() -> None:
    of = definition(objective("a", Up(metric="x", matchers={}), target="0.9999"))
    found = unproved(of)

    assert not named(proved(of), "ticket-slow fires")
    assert (
        Unproved(objective="a", tier="ticket-slow", reason="so few samples would not reach 5 failures")
        in found
    )


@pytest.mark.parametrize(
    "query",
    [
        pytest.param("f(x[{{window}}])", id="an unknown function"),
        pytest.param("1 - sum(rate(x[{{window}}])", id="an open parenthesis"),
        pytest.param("1 - avg_over_time(rate(x[1m])[{{window}}:1m])", id="a subquery"),
        pytest.param('sum(rate(x{a=~"[[:digit:]]"}[{{window}}]))', id="a pattern of RE2"),
    ],
)
def test_an_unproved_objective_leaves_the_others_their_tests(query: str) -> None:
    of = definition(objective("a", ErrorRatio(query)), objective("b", LATENCY))

    assert named(proved(of), "page-fast fires")[0]["name"].endswith("(b)")


@pytest.mark.parametrize(
    ("indicator", "absent"),
    [
        pytest.param(
            Up(metric="x", matchers={}), {"Each event", "A new", "No failure", "Others'"}, id="a gauge"
        ),
        pytest.param(
            ErrorRatio("1 - avg_over_time(x[{{window}}])"),
            {"Each event", "Idle time", "One failed", "A new"},
            id="an average",
        ),
        pytest.param(
            EventLatency(event="e", histogram="h", threshold_s=Decimal("0.5")),
            {"The bound"},
            id="one spelling",
        ),
    ],
)
def test_only_what_means_something_for_an_indicator_is_tested(indicator: Indicator, absent: set[str]) -> None:
    tests = proved(definition(objective("a", indicator)))

    assert tests
    assert not [test["name"] for test in tests for start in absent if test["name"].startswith(start)]


def _seconds(text: str) -> Decimal:
    total, number = Decimal(0), ""
    for letter in text:
        if letter.isdigit():
            number += letter
        else:
            total, number = total + parse_duration(f"{number}{letter}"), ""
    return total
