"""Pyrra's files as SLO files: what is carried over, what becomes what, and what is told."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from sloproof.slo.definition import Ratio, Up
from sloproof.slo.tiers import default_tiers

if TYPE_CHECKING:
    from tests.unit.compile.interop.conftest import Desk

SLO = """
apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata:
  name: checkout-errors
  labels:
    pyrra.dev/service: shop
    pyrra.dev/team: basket
spec:
  target: '{target}'
  window: {window}
  description: Requests are answered.
  indicator:
    {indicator}
"""
RATIO = "ratio: {errors: {metric: 'x_total{code=~\"5..\"}'}, total: {metric: x_total}}"
DEFAULT_TIERS = (
    5,
    "Pyrra's four alerts became sloproof's default tiers, which differ a little in windows and factors",
)


def slo(indicator: str = RATIO, *, target: str = "99.9", window: str = "4w") -> str:
    return SLO.format(indicator=indicator, target=target, window=window)


def test_a_ratio_keeps_target_window_labels_and_selectors(desk: Desk) -> None:
    (found,) = desk.load("pyrra", slo())
    (objective,) = found.objectives

    assert (found.service, objective.name) == ("shop", "checkout-errors")
    assert objective.description == "Requests are answered."
    assert objective.target == Decimal("0.999")
    assert objective.window_s == 28 * 86_400
    assert objective.labels == {"team": "basket"}
    assert objective.indicator == Ratio(
        bad='sum(increase(x_total{code=~"5.."}[{{window}}]))', total="sum(increase(x_total[{{window}}]))"
    )
    assert objective.alerting.tiers == default_tiers(Decimal(28 * 86_400))
    assert desk.notes("pyrra", slo()) == [DEFAULT_TIERS]


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        pytest.param("28d", 28 * 86_400, id="days"),
        pytest.param("1w2d", 9 * 86_400, id="weeks and days"),
        pytest.param("36h", 36 * 3_600, id="hours"),
        pytest.param("1y", 365 * 86_400, id="a year"),
    ],
)
def test_windows_are_durations_of_prometheus(desk: Desk, written: str, seconds: int) -> None:
    assert desk.objective("pyrra", slo(window=written)).window_s == seconds


def test_a_bucket_is_found_however_its_bound_is_written(desk: Desk) -> None:
    text = slo("latency: {success: {metric: 'x_seconds_bucket{le=\"1\"}'}, total: {metric: x_seconds_count}}")

    assert desk.objective("pyrra", text).indicator == Ratio(
        good='sum(increase(x_seconds_bucket{le=~"1|1\\\\.0"}[{{window}}]))',
        total="sum(increase(x_seconds_count[{{window}}]))",
    )
    assert [line for line, _ in desk.notes("pyrra", text)] == [5, 14]


def test_a_bucket_whose_bound_has_one_spelling_stays_as_it_is(desk: Desk) -> None:
    text = slo(
        "latency: {success: {metric: 'x_seconds_bucket{le=\"0.25\"}'}, total: {metric: x_seconds_count}}"
    )
    assert desk.notes("pyrra", text) == [DEFAULT_TIERS]


def test_a_native_histogram_is_read_by_the_fraction_below_the_latency(desk: Desk) -> None:
    text = slo("latencyNative: {latency: 250ms, total: {metric: 'x_seconds{job=\"shop\"}'}}")

    gained = 'sum(increase(x_seconds{job="shop"}[{{window}}]))'
    assert desk.objective("pyrra", text).indicator == Ratio(
        good=f"histogram_fraction(0, 0.25, {gained}) * histogram_count({gained})",
        total=f"histogram_count({gained})",
    )


def test_a_gauge_with_exact_labels_is_up_and_another_is_a_ratio_of_samples(desk: Desk) -> None:
    exact = slo("bool_gauge: {metric: 'probe_success{job=\"shop\"}'}")
    other = slo("bool_gauge: {metric: 'probe_success{job=~\"shop.*\"}'}")

    assert desk.objective("pyrra", exact).indicator == Up(metric="probe_success", matchers={"job": "shop"})
    assert desk.objective("pyrra", other).indicator == Ratio(
        good='sum(sum_over_time(probe_success{job=~"shop.*"}[{{window}}]))',
        total='sum(count_over_time(probe_success{job=~"shop.*"}[{{window}}]))',
    )


@pytest.mark.parametrize(
    ("alerting", "lines"),
    [
        pytest.param("{disabled: true}", [15], id="disabled, as it was called first"),
        pytest.param("{burnrates: false}", [], id="no burn rates"),
    ],
)
def test_disabled_alerts_stay_disabled(desk: Desk, alerting: str, lines: list[int]) -> None:
    text = f"{slo()}  alerting: {alerting}\n"

    assert desk.objective("pyrra", text).alerting.tiers == ()
    assert [line for line, _ in desk.notes("pyrra", text)] == lines


def test_names_of_alerts_absence_and_grouping_are_told(desk: Desk) -> None:
    text = (
        slo(RATIO[:-1] + ", grouping: [route, method]}")
        + "  alerting: {name: Burn, absentName: Gone, absent: false}\n"
    )

    assert desk.objective("pyrra", text).alerting.tiers
    told = desk.notes("pyrra", text)
    assert [line for line, _ in told] == [5, 14, 15, 15, 15]
    assert "one objective for all of route, method together" in told[1][1]


def test_labels_of_the_object_alone_and_its_other_metadata_are_told(desk: Desk) -> None:
    text = (
        slo()
        .replace("  labels:", "  namespace: monitoring\n  labels:\n    role: alert-rules")
        .replace("  window:", "  partial_response_strategy: warn\n  window:")
    )
    assert [line for line, _ in desk.notes("pyrra", text)] == [5, 6, 8, 13]


def test_the_service_is_given_or_labelled_or_that_of_the_file(desk: Desk) -> None:
    unlabelled = slo().replace("    pyrra.dev/service: shop\n", "")

    assert [each.service for each in desk.load("pyrra", slo(), service="given")] == ["given"]
    assert [each.service for each in desk.load("pyrra", unlabelled)] == ["pyrra"]
    assert "Pyrra knows no services" in desk.notes("pyrra", unlabelled)[0][1]


def test_slos_of_one_service_become_one_file_with_windows_of_their_own(desk: Desk) -> None:
    other = slo(window="7d").replace("checkout-errors", "search-errors")

    (found,) = desk.load("pyrra", f"{slo()}---{other}")

    assert [(each.name, int(each.window_s) // 86_400) for each in found.objectives] == [
        ("checkout-errors", 28),
        ("search-errors", 7),
    ]


def test_a_target_below_one_per_cent_is_told_and_stays_a_percentage(desk: Desk) -> None:
    text = slo(target="0.99")

    assert desk.objective("pyrra", text).target == Decimal("0.0099")
    assert [line for line, _ in desk.notes("pyrra", text)] == [5, 10]


def test_a_bound_that_is_a_pattern_stays_as_it_is_and_no_grouping_is_no_note(desk: Desk) -> None:
    success = 'x_seconds_bucket{le=~"1|1.0"}'
    text = slo(
        f"latency: {{grouping: [], success: {{metric: '{success}'}}, total: {{metric: x_seconds_count}}}}"
    )

    assert desk.objective("pyrra", text).indicator == Ratio(
        good=f"sum(increase({success}[{{{{window}}}}]))", total="sum(increase(x_seconds_count[{{window}}]))"
    )
    assert desk.notes("pyrra", text) == [DEFAULT_TIERS]


def test_the_name_of_the_objective_that_every_service_has_is_not_taken(desk: Desk) -> None:
    assert (
        desk.objective("pyrra", slo().replace("checkout-errors", "integrity")).name == "integrity-of-events"
    )
