"""OpenSLO's files as SLO files: what is carried over, what becomes what, and what is told."""
# ruff: noqa: E501 - a row of a table reads best on one line

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from sloproof.slo.definition import Absence, ErrorRatio, Ratio
from sloproof.slo.tiers import Severity, default_tiers

if TYPE_CHECKING:
    from tests.unit.compile.interop.conftest import Desk

SLO = """
apiVersion: openslo/v1
kind: SLO
metadata:
  name: checkout-errors
spec:
  service: shop
  indicator:
    metadata: {{name: errors}}
    spec:
      {metric}
  timeWindow: [{{duration: {window}, isRolling: true}}]
  budgetingMethod: {method}
  objectives:
    - {objective}
  alertPolicies: {policies}
"""
COUNTED = (
    "ratioMetric: {counter: true, bad: {metricSource: {type: Prometheus, "
    "spec: {query: 'sum(x_total{code=\"500\"})'}}}, "
    "total: {metricSource: {type: Prometheus, spec: {query: sum(x_total)}}}}"
)
BAD = 'sum(increase(x_total{code="500"}[{{window}}]))'
TOTAL = "sum(increase(x_total[{{window}}]))"
INLINE = """[{{kind: AlertPolicy, metadata: {{name: p}}, spec: {{alertWhenBreaching: true, conditions: [
    {{kind: AlertCondition, metadata: {{name: {name}}}, spec: {{severity: {severity},
      condition: {{kind: burnrate, op: {op}, threshold: {threshold}, lookbackWindow: {window}, alertAfter: 0m}}}}}}]}}}}]"""
DEFAULTS = "no alert policy is given: sloproof's default tiers apply (alerting.disable turns them off)"


def slo(
    metric: str = COUNTED,
    *,
    window: str = "30d",
    method: str = "Occurrences",
    objective: str = "{target: 0.999}",
    policies: str = "",
) -> str:
    return SLO.format(metric=metric, window=window, method=method, objective=objective, policies=policies)


def inline(
    *, name: str = "burn", severity: str = "page", op: str = "gt", threshold: str = "14.4", window: str = "1h"
) -> str:
    return INLINE.format(name=name, severity=severity, op=op, threshold=threshold, window=window)


def metric(query: str, *, counter: str = "counter: true, ") -> str:
    source = f"{{metricSource: {{type: Prometheus, spec: {{query: '{query}'}}}}}}"
    return f"ratioMetric: {{{counter}good: {source}, total: {source}}}"


def threshold(query: str) -> str:
    return f"thresholdMetric: {{metricSource: {{type: Prometheus, spec: {{query: '{query}'}}}}}}"


def raw(query: str, *, kind: str) -> str:
    return f"ratioMetric: {{rawType: {kind}, raw: {{metricSource: {{type: Prometheus, spec: {{query: '{query}'}}}}}}}}"


def messages(desk: Desk, text: str) -> str:
    return "\n".join(message for _, message in desk.notes("openslo", text))


def test_a_ratio_of_counters_gets_a_window_and_keeps_the_rest(desk: Desk) -> None:
    text = slo().replace("  name: checkout-errors", "  name: checkout-errors\n  labels: {team: basket}")

    (found,) = desk.load("openslo", text)
    (objective,) = found.objectives

    assert (found.service, objective.name) == ("shop", "checkout-errors")
    assert (objective.target, objective.window_s) == (Decimal("0.999"), Decimal(30 * 86_400))
    assert objective.labels == {"team": "basket"}
    assert objective.indicator == Ratio(bad=BAD, total=TOTAL)
    assert objective.alerting.tiers == default_tiers(Decimal(30 * 86_400))
    assert [line for line, _ in desk.notes("openslo", text)] == [7, 12, 12]


@pytest.mark.parametrize(
    ("query", "expected", "told"),
    [
        pytest.param("sum(x_total)", TOTAL, "a counter's growth", id="a sum of counters"),
        pytest.param(
            "x_total offset 1h", "increase(x_total[{{window}}] offset 1h)", "several", id="an offset"
        ),
        pytest.param(
            "sum by (a) (x_total) + y_total",
            "sum by (a) (increase(x_total[{{window}}])) + increase(y_total[{{window}}])",
            "increase",
            id="a sum of sums",
        ),
        pytest.param(
            "sum(rate(x_total[1m]))", "sum(rate(x_total[{{window}}]))", "the range 1m became", id="a range"
        ),
        pytest.param(
            "sum(increase(x_total[{{.window}}]))", TOTAL, "no alert policy", id="a placeholder of Sloth's"
        ),
        pytest.param("sum(increase(x_total[{{window}}]))", TOTAL, "no alert policy", id="our placeholder"),
    ],
)
def test_queries_of_counters_become_counts_in_the_window(
    desk: Desk, query: str, expected: str, told: str
) -> None:
    text = slo(metric(query))

    assert desk.objective("openslo", text).indicator == Ratio(good=expected, total=expected)
    assert told in messages(desk, text)


def test_a_gauge_of_events_is_summed_over_the_window(desk: Desk) -> None:
    text = slo(metric("sum(events_in_last_minute)", counter="counter: false, "))

    query = "sum(sum_over_time(events_in_last_minute[{{window}}]))"
    assert desk.objective("openslo", text).indicator == Ratio(good=query, total=query)


@pytest.mark.parametrize(
    ("name", "function"),
    [
        pytest.param("x_total", "increase", id="a name of counters"),
        pytest.param("x_now", "sum_over_time", id="any other name"),
    ],
)
def test_whether_it_is_a_counter_is_read_off_its_name_and_told_where_nothing_says_it(
    desk: Desk, name: str, function: str
) -> None:
    text = slo(metric(f"sum({name})", counter=""))

    indicator = desk.objective("openslo", text).indicator

    assert indicator == Ratio(
        good=f"sum({function}({name}[{{{{window}}}}]))", total=f"sum({function}({name}[{{{{window}}}}]))"
    )
    assert "nothing says which it is" in messages(desk, text)


@pytest.mark.parametrize(
    ("kind", "query", "expected"),
    [
        pytest.param(
            "failure", "error_share", "avg(avg_over_time(error_share[{{window}}]))", id="a recorded share"
        ),
        pytest.param(
            "success",
            "sum(rate(a_total[5m])) / sum(rate(b_total[5m]))",
            "1 - (sum(rate(a_total[{{window}}])) / sum(rate(b_total[{{window}}])))",
            id="a quotient of good ones",
        ),
        pytest.param(
            "failure", "1 - avg(up)", "avg_over_time((1 - avg(up))[{{window}}:1m])", id="an expression"
        ),
    ],
)
def test_a_stored_ratio_is_taken_over_the_window(desk: Desk, kind: str, query: str, expected: str) -> None:
    assert desk.objective("openslo", slo(raw(query, kind=kind))).indicator == ErrorRatio(expected)


@pytest.mark.parametrize(("written", "operator"), [("lte", "<="), ("lt", "<"), ("gte", ">="), ("gt", ">")])
def test_a_threshold_becomes_the_share_of_time_beyond_it(desk: Desk, written: str, operator: str) -> None:
    text = slo(
        threshold("histogram_quantile(0.95, sum by (le) (rate(x_bucket[5m])))"),
        objective=f"{{op: {written}, value: 0.25, target: 0.99}}",
    )
    inner = f"avg((histogram_quantile(0.95, sum by (le) (rate(x_bucket[5m])))) {operator} bool 0.25)"

    assert desk.objective("openslo", text).indicator == ErrorRatio(
        f"1 - avg_over_time(({inner})[{{{{window}}}}:1m])"
    )


def test_time_slices_of_a_ratio_are_good_from_their_target_on(desk: Desk) -> None:
    text = slo(method="Timeslices", objective="{target: 0.99, timeSliceTarget: 0.95, timeSliceWindow: 5m}")

    bad, total = BAD.replace("{{window}}", "5m"), TOTAL.replace("{{window}}", "5m")
    assert desk.objective("openslo", text).indicator == ErrorRatio(
        f"1 - avg_over_time(((1 - (sum({bad}) or vector(0)) / (sum({total}) > 0)) >= bool 0.95)[{{{{window}}}}:5m])"
    )
    assert "one every 5m" in messages(desk, text)


def test_ratio_time_slices_count_the_ratio_of_each_slice(desk: Desk) -> None:
    text = slo(
        metric("sum(x_total)"), method="RatioTimeslices", objective="{target: 0.99, timeSliceWindow: 1}"
    )

    total = TOTAL.replace("{{window}}", "1m")
    assert desk.objective("openslo", text).indicator == ErrorRatio(
        f"1 - avg_over_time(((sum({total}) or vector(0)) / (sum({total}) > 0))[{{{{window}}}}:1m])"
    )


def test_time_slices_of_a_value_are_good_where_it_is_as_wanted_for_long_enough(desk: Desk) -> None:
    text = slo(
        threshold("max(lag_seconds)"),
        method="Timeslices",
        objective="{op: lt, value: 2, target: 0.99, timeSliceTarget: 0.9, timeSliceWindow: 1h}",
    )
    inner = "avg_over_time((avg((max(lag_seconds)) < bool 2))[1h:1m])"

    assert desk.objective("openslo", text).indicator == ErrorRatio(
        f"1 - avg_over_time((({inner}) >= bool 0.9)[{{{{window}}}}:1h])"
    )


@pytest.mark.parametrize(
    ("window", "days", "told"),
    [
        pytest.param("4w", 28, "", id="weeks"),
        pytest.param("1M", 30, "1M became 30d", id="a month, which has no one length"),
        pytest.param("1Q", 90, "1Q became 90d", id="a quarter"),
        pytest.param(
            "1d, calendar: {startTime: 2026-01-01 00:00:00, timeZone: UTC}", 1, "calendar", id="calendar"
        ),
    ],
)
def test_windows_become_rolling_ones(desk: Desk, window: str, days: int, told: str) -> None:
    text = slo(window=window)

    assert desk.objective("openslo", text).window_s == days * 86_400
    assert told in messages(desk, text)


def test_a_window_that_is_not_rolling_is_told(desk: Desk) -> None:
    text = slo().replace("isRolling: true", "isRolling: false")

    assert "the calendar window is not carried over: it became the rolling window of 30d" in messages(
        desk, text
    )


def test_without_a_window_it_is_the_one_that_is_asked_for(desk: Desk) -> None:
    text = slo().replace("  timeWindow: [{duration: 30d, isRolling: true}]\n", "")

    assert desk.objective("openslo", text).window_s == 30 * 86_400
    assert "no time window is given" in messages(desk, text)


def test_each_objective_of_an_slo_is_one_of_ours_by_its_name_or_number(desk: Desk) -> None:
    text = slo(objective="{target: 0.99, displayName: Fast}\n    - {targetPercent: 99.99}")

    (found,) = desk.load("openslo", text)

    assert [(each.name, each.target) for each in found.objectives] == [
        ("checkout-errors-fast", Decimal("0.99")),
        ("checkout-errors-2", Decimal("0.9999")),
    ]


def test_objectives_with_indicators_of_their_own_stand_for_themselves(desk: Desk) -> None:
    own = raw("avg(a)", kind="failure")
    text = slo(
        objective=f"{{target: 0.99, compositeWeight: 2, indicator: {{metadata: {{name: a}}, spec: {{{own}}}}}}}"
    )

    assert desk.objective("openslo", text).indicator == ErrorRatio("avg_over_time((avg(a))[{{window}}:1m])")
    assert "each objective stands for itself" in messages(desk, text)


def test_an_indicator_may_be_a_document_of_its_own_and_others_are_told(desk: Desk) -> None:
    sli = "apiVersion: openslo/v1\nkind: SLI\nmetadata: {{name: {name}}}\nspec:\n  {metric}\n"
    text = "---\n".join(
        [
            slo().replace(
                slo().split("  timeWindow")[0].split("  service: shop\n")[1], "  indicatorRef: errors\n"
            ),
            sli.format(name="errors", metric=COUNTED),
            sli.format(name="spare", metric=COUNTED),
            "apiVersion: openslo/v1\nkind: DataSource\nmetadata: {name: prod}\nspec: {type: Prometheus}\n",
            "apiVersion: openslo/v1\nkind: AlertNotificationTarget\nmetadata: {name: mail}\nspec: {target: mail}\n",
            "apiVersion: openslo/v1\nkind: Service\nmetadata: {name: shop, displayName: The shop}\nspec: {}\n",
        ]
    )
    assert desk.objective("openslo", text).indicator == Ratio(bad=BAD, total=TOTAL)
    told = messages(desk, text)
    for words in (
        "SLI 'spare' is not carried over",
        "DataSource 'prod' is not carried over",
        "AlertNotificationTarget 'mail' is not carried over",
        "'metadata.displayName' is not carried over",
    ):
        assert words in told
    assert "errors" not in told


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("type: Datadog", id="by its type"),
        pytest.param("metricSourceRef: metrics", id="by its data source"),
    ],
)
def test_a_query_that_is_no_promql_is_left_out_and_the_others_are_carried_over(
    desk: Desk, source: str
) -> None:
    other = slo().replace("type: Prometheus", source).replace("checkout-errors", "other")
    data = "apiVersion: openslo/v1\nkind: DataSource\nmetadata: {name: metrics}\nspec: {type: Datadog}\n"

    text = f"{slo()}---{other}---\n{data}"

    assert desk.objective("openslo", text).name == "checkout-errors"
    assert "a query of Datadog is no PromQL, so this SLO is left out" in messages(desk, text)


def test_conditions_become_tiers_with_a_short_window(desk: Desk) -> None:
    text = slo(policies=inline(threshold="10", window="2h", severity="sev1"))

    (tier,) = desk.objective("openslo", text).alerting.tiers

    assert (tier.name, tier.severity, tier.factor, tier.long_s, tier.short_s) == (
        "burn",
        Severity.PAGE,
        Decimal(10),
        7_200,
        600,
    )
    told = messages(desk, text)
    assert "a short one, which ends an alert soon after its cause does, was added, 10m" in told
    assert "the severity 'sev1' became page" in told


def test_policies_and_conditions_may_be_documents_of_their_own(desk: Desk) -> None:
    policy = (
        "apiVersion: openslo/v1\nkind: AlertPolicy\nmetadata: {name: burns}\nspec:\n  conditions: [{conditionRef: fast}]\n"
        "  alertWhenNoData: true\n  alertWhenResolved: true\n  notificationTargets: [{targetRef: mail}]\n"
    )
    condition = (
        "apiVersion: openslo/v1\nkind: AlertCondition\nmetadata: {name: fast}\nspec:\n  severity: ticket\n"
        "  condition: {kind: burnrate, threshold: 3, lookbackWindow: 1d, alertAfter: 5m}\n"
    )
    text = f"{slo(policies='[{alertPolicyRef: burns}]')}---\n{policy}---\n{condition}"

    (tier,) = desk.objective("openslo", text).alerting.tiers

    assert (tier.severity, tier.factor, tier.long_s) == (Severity.TICKET, Decimal(3), 86_400)
    told = messages(desk, text)
    for words in ("alertWhenResolved", "notificationTargets[0]", "alertAfter' 5m"):
        assert words in told
    assert "AlertPolicy 'burns'" not in told
    assert "AlertCondition 'fast'" not in told


@pytest.mark.parametrize(
    ("policies", "told"),
    [
        pytest.param(inline(op="lt"), "our alerts fire above", id="below a burn rate"),
        pytest.param(inline(threshold="1000"), "more than the whole error budget", id="beyond the budget"),
        pytest.param(
            inline().replace("burnrate", "average"), "the condition of kind 'average'", id="no burn rate"
        ),
        pytest.param(
            inline().replace("alertWhenBreaching: true", "alertWhenBreaching: false"),
            "makes no alert",
            id="off",
        ),
    ],
)
def test_conditions_that_are_no_tier_are_told_and_the_defaults_apply(
    desk: Desk, policies: str, told: str
) -> None:
    text = slo(policies=policies)

    assert desk.objective("openslo", text).alerting.tiers == default_tiers(Decimal(30 * 86_400))
    assert told.replace("our alerts", "alerts") in messages(desk, text)
    assert "no alert policy could be carried over" in messages(desk, text)


def test_a_slower_or_finer_burn_rate_than_ours_is_told(desk: Desk) -> None:
    slow, fine = slo(policies=inline(threshold="0.5")), slo(policies=inline(threshold="2.00015"))

    assert desk.objective("openslo", slow).alerting.tiers[0].factor == 1
    assert "the burn rate 0.5 became 1" in messages(desk, slow)
    assert "the burn rate 2.00015 became 2" in messages(desk, fine)


def test_annotations_of_ours_are_read_and_others_told(desk: Desk) -> None:
    text = slo().replace(
        "  name: checkout-errors",
        "  name: checkout-errors\n  annotations:\n    other.dev/a: b\n    sloproof.dev/alerting: "
        '\'{"minimum_failures": 9, "absence": {"severity": "ticket", "after": "1h"}}\'',
    )
    alerting = desk.objective("openslo", text).alerting

    assert alerting.minimum_failures == 9
    assert alerting.absence == Absence(severity=Severity.TICKET, after_s=3_600)
    assert "the annotation 'other.dev/a' is not carried over" in messages(desk, text)


def test_a_label_with_several_values_becomes_one_text(desk: Desk) -> None:
    text = slo().replace("  name: checkout-errors", "  name: checkout-errors\n  labels: {tags: [a, b]}")

    assert desk.objective("openslo", text).labels == {"tags": "a,b"}
    assert "became one text, 'a,b'" in messages(desk, text)


ALPHA = """
apiVersion: openslo/v1alpha
kind: SLO
metadata:
  name: requests
  displayName: Requests
spec:
  service: apiserver
  description: They are answered.
  budgetingMethod: Occurrences
  timeWindows: [{{count: {count}, unit: {unit}, isRolling: true}}]
  objectives:
    - target: 0.999
      value: 0
      ratioMetrics:
        {incremental}
        good: {{source: prometheus, queryType: promql, query: '{query}'}}
        total: {{source: prometheus, queryType: promql, query: 'sum(increase(r_total[{{{{.window}}}}]))'}}
"""


def alpha(
    *,
    count: str = "30",
    unit: str = "Day",
    incremental: str = "incremental: true",
    query: str = 'sum(increase(r_total{code!="500"}[{{.window}}]))',
) -> str:
    return ALPHA.format(count=count, unit=unit, incremental=incremental, query=query)


def test_the_old_form_is_read_too(desk: Desk) -> None:
    objective = desk.objective("openslo", alpha())

    assert objective.description == "Requests: They are answered."
    assert objective.indicator == Ratio(
        good='sum(increase(r_total{code!="500"}[{{window}}]))', total="sum(increase(r_total[{{window}}]))"
    )
    assert desk.notes("openslo", alpha()) == [(7, DEFAULTS)]


@pytest.mark.parametrize(
    ("count", "unit", "days"),
    [("2", "Week", 14), ("86400", "Second", 1), ("1", "Month", 30), ("1", "Quarter", 90)],
)
def test_windows_of_the_old_form_are_counted(desk: Desk, count: str, unit: str, days: int) -> None:
    assert desk.objective("openslo", alpha(count=count, unit=unit)).window_s == days * 86_400


def test_a_threshold_of_the_old_form_is_read_too(desk: Desk) -> None:
    text = """
apiVersion: openslo/v1alpha
kind: SLO
metadata: {name: lag}
spec:
  service: apiserver
  budgetingMethod: Occurrences
  indicator: {thresholdMetric: {source: prometheus, queryType: promql, query: max(lag_seconds)}}
  timeWindows: [{count: 7, unit: Day}]
  objectives: [{target: 0.9, op: lte, value: 1}]
"""
    assert desk.objective("openslo", text).indicator == ErrorRatio(
        "1 - avg_over_time((avg((max(lag_seconds)) <= bool 1))[{{window}}:1m])"
    )


def test_stored_ratios_in_time_slices_are_read_once_a_slice(desk: Desk) -> None:
    sliced = {
        "method": "Timeslices",
        "objective": "{target: 0.99, timeSliceTarget: 0.95, timeSliceWindow: 1h}",
    }
    failed, good = "sum(rate(b_total[5m])) / sum(rate(t_total[5m]))", "good_share"

    assert desk.objective("openslo", slo(raw(failed, kind="failure"), **sliced)).indicator == ErrorRatio(
        f"1 - avg_over_time(((1 - ({failed.replace('5m', '1h')})) >= bool 0.95)[{{{{window}}}}:1h])"
    )
    assert desk.objective("openslo", slo(raw(good, kind="success"), **sliced)).indicator == ErrorRatio(
        "1 - avg_over_time(((good_share) >= bool 0.95)[{{window}}:1h])"
    )
    told = messages(desk, slo(raw(good, kind="success"), **sliced))
    assert "one every 1h, of which shorter windows see none most of the time" in told


def test_a_stored_ratio_that_has_our_placeholder_stays_as_it_is(desk: Desk) -> None:
    query = "avg_over_time(x[{{window}}])"

    assert desk.objective("openslo", slo(raw(query, kind="failure"))).indicator == ErrorRatio(query)


def test_slices_without_a_length_and_a_target_that_means_nothing_are_told(desk: Desk) -> None:
    text = slo(
        metric("sum(x_total)"), method="RatioTimeslices", objective="{target: 0.9, timeSliceTarget: 0.9}"
    )

    told = messages(desk, text)

    assert "no timeSliceWindow is given: it became 1m" in told
    assert "'spec.objectives[0].timeSliceTarget' is not carried over" in told


def test_comparisons_beside_a_ratio_are_told(desk: Desk) -> None:
    text = slo(objective="{target: 0.9, op: gt, value: 1}")

    told = messages(desk, text)

    assert "'spec.objectives[0].op' is not carried over" in told
    assert "'spec.objectives[0].value' is not carried over" in told


def test_several_series_of_a_compared_value_are_told(desk: Desk) -> None:
    text = slo(threshold("lag_seconds"), objective="{target: 0.9, op: lt, value: 1}")

    assert "the mean of how many of them are good counts" in messages(desk, text)


def test_conditions_of_the_same_name_stay_apart_and_policies_may_be_named_without_a_key(desk: Desk) -> None:
    policy = (
        "apiVersion: openslo/v1\nkind: AlertPolicy\nmetadata: {name: NAME, displayName: Burn}\n"
        "spec:\n  alertWhenNoData: false\n  conditions: [{conditionRef: fast}]\n"
    )
    condition = (
        "apiVersion: openslo/v1\nkind: AlertCondition\nmetadata: {name: fast}\nspec:\n  severity: page\n"
        "  condition: {kind: burnrate, op: gte, threshold: 3, lookbackWindow: 1d}\n"
    )
    policies = [policy.replace("NAME", name) for name in ("a", "b", "c")]
    text = "---\n".join([slo(policies="[a, b, c]"), *policies, condition])

    assert [tier.name for tier in desk.objective("openslo", text).alerting.tiers] == [
        "fast",
        "fast-2",
        "fast-3",
    ]
    told = messages(desk, text)
    for words in ("metadata.displayName", "alertWhenNoData", "gte became gt"):
        assert words in told


def test_an_alert_policy_in_place_needs_no_name(desk: Desk) -> None:
    text = slo(policies=inline().replace("metadata: {name: p}, ", ""))

    assert [tier.name for tier in desk.objective("openslo", text).alerting.tiers] == ["burn"]


def test_an_indicator_in_place_needs_no_name(desk: Desk) -> None:
    text = slo().replace("    metadata: {name: errors}\n", "")

    assert desk.objective("openslo", text).indicator == Ratio(bad=BAD, total=TOTAL)


def test_a_service_may_say_nothing_but_its_name(desk: Desk) -> None:
    text = f"{slo()}---\napiVersion: openslo/v1\nkind: Service\nmetadata: {{name: shop}}\n"

    assert desk.notes("openslo", text) == desk.notes("openslo", slo())


def test_a_query_of_the_old_form_that_is_no_promql_is_left_out(desk: Desk) -> None:
    other = alpha().replace("queryType: promql", "queryType: sql").replace("name: requests", "name: other")

    text = f"{alpha()}---{other}"

    assert desk.objective("openslo", text).name == "requests"
    assert "a query of sql is no PromQL" in messages(desk, text)


def test_what_stands_in_a_condition_that_is_not_carried_over_is_told_with_it_as_a_whole(desk: Desk) -> None:
    text = slo(policies=inline(op="lte", threshold="2"))

    assert desk.notes("openslo", text)[-1][1] == (
        "the condition with op 'lte' is not carried over: alerts fire above a burn rate"
    )
    assert "sloproof has nothing like it" not in messages(desk, text)


def test_a_query_of_the_old_form_is_told_by_its_source_before_its_type(desk: Desk) -> None:
    other = alpha().replace("source: prometheus, queryType: promql", "source: datadog, queryType: query")

    assert "a query of datadog is no PromQL" in messages(
        desk, f"{alpha()}---{other.replace('name: requests', 'name: other')}"
    )
