"""An objective's rules: what they record, in which order, and what their alerts ask for."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import promql_parser
import pytest

from sloproof.compile.rules import Alert, Recording, compile_rules, windows_s
from sloproof.slo.definition import (
    Absence,
    Alerting,
    Availability,
    Definition,
    ErrorRatio,
    Metrics,
    Objective,
    Prometheus,
)
from sloproof.slo.tiers import DAY, HOUR, Severity, Share, default_tiers

MONTH_S = Decimal(30 * DAY)
OBJECTIVE = Objective(
    name="availability",
    description="",
    target=Decimal("0.999"),
    indicator=Availability(),
    window_s=MONTH_S,
    alerting=Alerting(tiers=default_tiers(MONTH_S)),
    labels={"team": "shop"},
    line=1,
)


def definition(*objectives: Objective, prometheus: Prometheus = Prometheus()) -> Definition:  # noqa: B008 - frozen
    return Definition(
        service="shop",
        window_s=MONTH_S,
        metrics=Metrics(requests="request_seconds"),
        prometheus=prometheus,
        objectives=objectives or (OBJECTIVE,),
    )


def recordings(of: Definition) -> list[Recording]:
    return [rule for group in compile_rules(of) for rule in group.rules if isinstance(rule, Recording)]


def alerts(of: Definition) -> list[Alert]:
    return [rule for group in compile_rules(of) for rule in group.rules if isinstance(rule, Alert)]


def test_every_expression_is_promql() -> None:
    for group in compile_rules(definition()):
        for rule in group.rules:
            assert str(promql_parser.parse(rule.expr))


def test_each_objective_is_a_group_with_the_pace_of_its_prometheus() -> None:
    other = replace(OBJECTIVE, name="other")
    prometheus = Prometheus(evaluation_interval_s=60)

    groups = list(compile_rules(definition(OBJECTIVE, other, prometheus=prometheus)))

    assert [(group.name, group.interval_s) for group in groups] == [
        ("sloproof-shop-availability", 60),
        ("sloproof-shop-other", 60),
    ]


def test_the_budget_is_exact() -> None:
    found = {rule.record: rule.expr for rule in recordings(definition())}

    assert found["slo:objective:ratio"] == "vector(0.999)"
    assert found["slo:error_budget:ratio"] == "vector(0.001)"
    assert found["slo:time_period:days"] == "vector(30)"


def test_every_window_of_a_tier_is_recorded_under_its_name_in_sloth() -> None:
    found = [rule.record for rule in recordings(definition()) if "ratio_rate" in rule.record]

    assert found == [
        f"slo:sli_error:ratio_rate{window}" for window in ("5m", "30m", "1h", "2h", "6h", "1d", "3d", "30d")
    ]
    assert windows_s(OBJECTIVE) == [300, 1_800, 3_600, 7_200, 21_600, 86_400, 259_200]


def test_every_rule_tells_whose_it_is() -> None:
    every: list[Recording | Alert] = [*recordings(definition()), *alerts(definition())]

    for rule in every:
        assert rule.labels["sloth_id"] == "shop-availability"
        assert rule.labels["sloth_service"] == "shop"
        assert rule.labels["sloth_slo"] == "availability"
        assert rule.labels["team"] == "shop"


def test_a_series_is_recorded_before_it_is_read() -> None:
    recorded: set[str] = set()
    for group in compile_rules(definition()):
        for rule in group.rules:
            read = {word for word in rule.expr.replace("{", " ").replace("(", " ").split() if "slo:" in word}
            assert read <= recorded
            if isinstance(rule, Recording):
                recorded.add(rule.record)


def test_a_tier_over_the_whole_window_records_no_series_twice() -> None:
    whole = Share(name="all-of-it", severity=Severity.TICKET, budget=Decimal(1), long_s=7 * DAY)
    week_s = Decimal(7 * DAY)
    weekly = replace(OBJECTIVE, window_s=week_s, alerting=Alerting(tiers=(whole.tier(week_s),)))

    found = [rule.record for rule in recordings(definition(weekly))]

    assert len(found) == len(set(found))
    assert "slo:sli_error:ratio_rate7d" in found


def test_an_alert_compares_windows_without_the_label_that_tells_them_apart() -> None:
    page = alerts(definition())[0]

    assert page.expr.count("without (sloth_window)") == 2
    assert 'ratio_rate1h{sloth_id="shop-availability"} / 0.001) > 14.4' in page.expr
    assert 'ratio_rate5m{sloth_id="shop-availability"} / 0.001) > 14.4' in page.expr


@pytest.mark.parametrize(
    ("prometheus", "counted", "latest"),
    [
        pytest.param(Prometheus(), "/ 10 > 4.5", "> 4.737", id="of the defaults"),
        pytest.param(
            Prometheus(scrape_interval_s=60, evaluation_interval_s=60),
            "/ 5 > 4.5",
            "> 5.625",
            id="of a minute",
        ),
        pytest.param(
            Prometheus(scrape_interval_s=300, evaluation_interval_s=60),
            "/ 5 > 4.5",
            None,
            id="whose scrapes are too far apart for five minutes to tell",
        ),
    ],
)
def test_enough_failures_are_counted_at_the_pace_of_a_prometheus(
    prometheus: Prometheus, counted: str, latest: str | None
) -> None:
    page = alerts(definition(prometheus=prometheus))[0]

    assert f'sum_over_time(slo:sli_bad:increase5m{{sloth_id="shop-availability"}}[1h]) {counted}' in page.expr
    assert ("or" in page.expr.split()) is (latest is not None)
    assert latest is None or f'slo:sli_bad:increase5m{{sloth_id="shop-availability"}} {latest}' in page.expr


def test_what_is_no_count_is_averaged_and_has_no_floor_and_no_absence() -> None:
    ratio = replace(OBJECTIVE, indicator=ErrorRatio("x[{{window}}]"))

    assert not any("increase5m" in rule.record for rule in recordings(definition(ratio)))
    assert not any("increase5m" in rule.expr for rule in alerts(definition(ratio)))
    assert {alert.alert for alert in alerts(definition(ratio))} == {"SLOErrorBudgetBurn"}


def test_gone_metrics_are_told_after_a_while() -> None:
    absence = Absence(severity=Severity.TICKET, after_s=HOUR)
    patient = replace(OBJECTIVE, alerting=replace(OBJECTIVE.alerting, absence=absence))

    alert = alerts(definition(patient))[-1]

    assert (alert.alert, alert.for_s, alert.labels["severity"]) == ("SLOMetricsAbsent", HOUR, "ticket")


def test_links_name_the_objective() -> None:
    alerting = replace(OBJECTIVE.alerting, runbook="https://x.example/{{service}}/{{objective}}")

    for alert in alerts(definition(replace(OBJECTIVE, alerting=alerting))):
        assert alert.annotations["runbook_url"] == "https://x.example/shop/availability"


def test_labels_and_annotations_of_alerts_are_theirs_alone() -> None:
    alerting = replace(OBJECTIVE.alerting, labels={"channel": "shop"}, annotations={"contact": "shop"})
    own = definition(replace(OBJECTIVE, alerting=alerting))

    assert all(alert.labels["channel"] == "shop" for alert in alerts(own))
    assert all(alert.annotations["contact"] == "shop" for alert in alerts(own))
    assert not any("channel" in rule.labels for rule in recordings(own))
