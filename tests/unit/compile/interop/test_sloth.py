"""Sloth's files as SLO files: what is carried over, what becomes what, and what is told."""
# ruff: noqa: E501 - a row of a table reads best on one line

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from sloproof.slo.definition import ErrorRatio, Ratio
from sloproof.slo.tiers import default_tiers

if TYPE_CHECKING:
    from tests.unit.compile.interop.conftest import Desk

PLAIN = """
version: "prometheus/v1"
service: "shop"
labels:
  owner: "basket"
slos:
  - name: "requests-availability"
    objective: 99.9
    description: "Requests are answered."
    labels:
      path: "checkout"
    sli:
      events:
        error_query: sum(rate(http_requests_total{job="shop",code=~"(5..|429)"}[{{.window}}]))
        total_query: sum(rate(http_requests_total{job="shop"}[{{.window}}]))
    alerting:
      name: SLOErrorBudgetBurn
      labels:
        category: "availability"
      annotations:
        summary: "Too many errors"
        runbook_url: https://runbooks.example/shop
      ticket_alert:
        disable: true
"""
KUBERNETES = """
apiVersion: sloth.slok.dev/v1
kind: PrometheusServiceLevel
metadata:
  name: shop-slo
  namespace: monitoring
spec:
  service: shop
  slos:
    - name: availability
      objective: 99.95
      sli:
        raw:
          errorRatioQuery: 1 - avg_over_time(probe_success{job="shop"}[{{ .window }}])
      alerting:
        pageAlert:
          disable: true
"""
MINIMAL = """
version: prometheus/v1
service: shop
slos:
  - name: availability
    objective: {objective}
    sli: {{events: {{error_query: '{error}', total_query: '{total}'}}}}
"""
ERROR, TOTAL = 'sum(rate(x_total{code="500"}[{{.window}}]))', "sum(rate(x_total[{{.window}}]))"


def minimal(*, objective: str = "99.9", error: str = ERROR, total: str = TOTAL) -> str:
    return MINIMAL.format(objective=objective, error=error, total=total)


def test_a_plain_file_keeps_names_labels_queries_and_alerts(desk: Desk) -> None:
    (found,) = desk.load("sloth", PLAIN)
    (objective,) = found.objectives

    assert (found.service, objective.name) == ("shop", "requests-availability")
    assert objective.description == "Requests are answered."
    assert objective.target == Decimal("0.999")
    assert objective.window_s == 30 * 86_400
    assert objective.labels == {"owner": "basket", "path": "checkout"}
    assert objective.indicator == Ratio(
        bad='sum(rate(http_requests_total{job="shop",code=~"(5..|429)"}[{{window}}]))',
        total='sum(rate(http_requests_total{job="shop"}[{{window}}]))',
    )
    assert [tier.name for tier in objective.alerting.tiers] == ["page-fast", "page-slow"]
    assert objective.alerting.labels == {"category": "availability"}
    assert objective.alerting.annotations == {"summary": "Too many errors"}
    assert objective.alerting.runbook == "https://runbooks.example/shop"
    assert desk.notes("sloth", PLAIN) == []


def test_an_object_of_kubernetes_is_read_in_its_own_spelling_and_its_metadata_is_told(desk: Desk) -> None:
    objective = desk.objective("sloth", KUBERNETES)

    assert objective.target == Decimal("0.9995")
    assert objective.indicator == ErrorRatio('1 - avg_over_time(probe_success{job="shop"}[{{window}}])')
    assert [tier.name for tier in objective.alerting.tiers] == ["ticket-fast", "ticket-slow"]
    assert [line for line, _ in desk.notes("sloth", KUBERNETES)] == [4]


@pytest.mark.parametrize(
    ("written", "target"),
    [
        pytest.param("99", "0.99", id="a whole number"),
        pytest.param("99.99", "0.9999", id="a float that has no exact binary form"),
        pytest.param("'99.5'", "0.995", id="a text"),
        pytest.param("9.99e1", "0.999", id="with an exponent"),
    ],
)
def test_targets_are_exact(desk: Desk, written: str, target: str) -> None:
    assert desk.objective("sloth", minimal(objective=written)).target == Decimal(target)


def test_a_target_that_looks_like_a_ratio_is_told_and_stays_a_percentage(desk: Desk) -> None:
    text = minimal(objective="0.999")

    assert desk.objective("sloth", text).target == Decimal("0.00999")
    assert desk.notes("sloth", text) == [
        (6, "the target 0.999 is read as a percentage, so nearly every event may be bad: write 99.9 if it is meant as a ratio")
    ]  # fmt: skip


@pytest.mark.parametrize("placeholder", ["{{.window}}", "{{ .window }}", "{{.window }}", "{{- .window -}}"])
def test_the_placeholder_may_be_spaced_as_in_any_template_of_go(desk: Desk, placeholder: str) -> None:
    text = minimal(error=ERROR.replace("{{.window}}", placeholder))

    indicator = desk.objective("sloth", text).indicator

    assert indicator == Ratio(
        bad='sum(rate(x_total{code="500"}[{{window}}]))', total="sum(rate(x_total[{{window}}]))"
    )


def test_a_query_of_several_lines_keeps_them(desk: Desk) -> None:
    text = minimal().replace(
        f"'{ERROR}'", '"sum(rate(a_total[{{.window}}]))\\n-\\nsum(rate(b_total[{{.window}}]))"'
    )

    indicator = desk.objective("sloth", text).indicator

    assert isinstance(indicator, Ratio)
    assert indicator.bad == "sum(rate(a_total[{{window}}]))\n-\nsum(rate(b_total[{{window}}]))"


def test_without_alerting_the_default_tiers_apply(desk: Desk) -> None:
    assert desk.objective("sloth", minimal()).alerting.tiers == default_tiers(Decimal(30 * 86_400))


def test_labels_that_pages_and_tickets_share_are_carried_and_others_are_told(desk: Desk) -> None:
    text = (
        minimal()
        + """
    alerting:
      name: ShopErrors
      page_alert: {labels: {severity: critical, channel: '#shop', pager: 'yes'}}
      ticket_alert: {labels: {severity: warning, channel: '#shop'}}
"""
    )
    assert desk.objective("sloth", text).alerting.labels == {"channel": "#shop"}
    assert desk.notes("sloth", text) == [
        (10, "the alert name 'ShopErrors' is not carried over: all alerts are called SLOErrorBudgetBurn, and differ in their labels"),
        (11, "'slos[0].alerting.page_alert.labels.pager' is not carried over: labels and annotations of ours go to pages and tickets alike"),
        (11, "'slos[0].alerting.page_alert.labels.severity' critical is not carried over: sloproof sets the label 'severity' itself"),
        (12, "'slos[0].alerting.ticket_alert.labels.severity' warning is not carried over: sloproof sets the label 'severity' itself"),
    ]  # fmt: skip


def test_labels_of_the_only_alert_that_is_enabled_are_those_of_all(desk: Desk) -> None:
    text = (
        minimal()
        + """
    alerting:
      page_alert: {labels: {channel: '#shop'}}
      ticket_alert: {disable: true, labels: {channel: '#other'}}
"""
    )
    assert desk.objective("sloth", text).alerting.labels == {"channel": "#shop"}
    assert [line for line, _ in desk.notes("sloth", text)] == [11]


def test_reserved_and_impossible_label_names_are_told(desk: Desk) -> None:
    text = minimal().replace(
        "    sli:", "    labels: {tier: '2', team.name: basket, sloth_id: mine}\n    sli:"
    )

    assert desk.objective("sloth", text).labels == {"team_name": "basket"}
    assert desk.notes("sloth", text) == [
        (7, "the label 'sloth_id' is not carried over: its name is a reserved one"),
        (7, "the label 'team.name' became 'team_name': Prometheus takes no other characters"),
        (7, "the label 'tier' is not carried over: sloproof sets it to the name of the alert's tier"),
    ]


def test_names_that_are_none_of_ours_are_changed_and_told_and_stay_apart(desk: Desk) -> None:
    text = """
version: prometheus/v1
service: My_Shop
slos:
  - {name: Errors, objective: 99, sli: {raw: {error_ratio_query: 'avg(x[{{.window}}:1m])'}}}
"""
    text = text.replace("avg(x[{{.window}}:1m])", "avg_over_time(avg(x)[{{.window}}:1m])")
    again = text.rstrip().splitlines()[-1].replace("Errors", "errors")
    twice = f"{text}{again}\n"

    (found,) = desk.load("sloth", twice)

    assert found.service == "my-shop"
    assert [objective.name for objective in found.objectives] == ["errors", "errors-2"]
    assert [line for line, _ in desk.notes("sloth", twice)] == [3, 5, 6]


def test_several_documents_give_a_file_for_each_service_and_one_service_a_single_file(desk: Desk) -> None:
    text = "---".join(
        [
            minimal(),
            minimal().replace("service: shop", "service: mail"),
            minimal().replace("name: availability", "name: other").replace("slos:", "labels: {a: b}\nslos:"),
        ]
    )
    shop, mail = desk.load("sloth", f"# three\n---\n{text}")

    assert (shop.service, mail.service) == ("shop", "mail")
    assert [(each.name, each.labels) for each in shop.objectives] == [
        ("availability", {}),
        ("other", {"a": "b"}),
    ]


def test_a_plugin_is_told_by_name_and_the_other_slos_are_carried_over(desk: Desk) -> None:
    text = (
        minimal()
        + """
  - name: latency
    objective: 99
    sli:
      plugin:
        id: sloth-common/http/latency
        options: {bucket: "0.3"}
"""
    )
    assert desk.objective("sloth", text).name == "availability"
    (note,) = desk.notes("sloth", text)
    assert note[0] == 13
    assert "the SLI plugin 'sloth-common/http/latency' cannot be carried over" in note[1]


def test_plugins_of_slos_are_told_one_by_one(desk: Desk) -> None:
    text = (
        minimal().replace(
            "slos:\n",
            "slo_plugins: {chain: [{id: sloth.dev/core/debug/v1, priority: 1, config: {msg: a}}]}\nslos:\n",
        )
        + """
    plugins: {chain: [{id: sloth.dev/contrib/info_labels/v1}]}
"""
    )
    assert [(line, message.split("'")[1]) for line, message in desk.notes("sloth", text)] == [
        (4, "sloth.dev/core/debug/v1"),
        (10, "sloth.dev/contrib/info_labels/v1"),
    ]


def test_what_nobody_knows_is_told_with_its_path_and_line(desk: Desk) -> None:
    text = minimal().replace("    sli:", "    colour: red\n    sli:") + "shape: round\n"

    assert desk.notes("sloth", text) == [
        (7, "'slos[0].colour' is not carried over: sloproof has nothing like it"),
        (9, "'shape' is not carried over: sloproof has nothing like it"),
    ]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        pytest.param("sum by (code) (rate(x_total[{{.window}}]))", "several series", id="grouped"),
        pytest.param("rate(x_total[{{.window}}])", "several series", id="not summed"),
        pytest.param(
            "sum(rate(x_total[{{.window}}])) - sum(rate(y_total[5m]))", "fixed range 5m", id="fixed"
        ),
    ],
)
def test_a_query_that_means_something_else_here_is_told(desk: Desk, query: str, told: str) -> None:
    (note,) = desk.notes("sloth", minimal(error=query))

    assert note[0] == 7
    assert told in note[1]


def test_a_rate_over_a_count_is_left_out_for_its_ratio_is_no_share_of_events(desk: Desk) -> None:
    text = minimal() + minimal(total="sum(increase(x_total[{{.window}}]))").split("slos:\n")[1].replace(
        "availability", "mixed"
    )
    assert desk.objective("sloth", text).name == "availability"
    assert "events per second" in desk.notes("sloth", text)[0][1]


def test_alerts_that_are_all_disabled_leave_the_one_on_absence_which_is_told(desk: Desk) -> None:
    text = (
        minimal()
        + """
    alerting: {page_alert: {disable: true}, ticket_alert: {disable: true}}
"""
    )
    assert desk.objective("sloth", text).alerting.tiers == ()
    assert "the one that tells of absent metrics remains" in desk.notes("sloth", text)[0][1]
