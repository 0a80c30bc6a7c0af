"""An SLO file becomes exact, frozen types."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from sloproof.slo.definition import (
    Absence,
    Alerting,
    Availability,
    Definition,
    ErrorRatio,
    EventLatency,
    Latency,
    Metrics,
    Objective,
    Prometheus,
    Ratio,
    Up,
    load,
)
from sloproof.slo.tiers import Severity, Tier, default_tiers

JOBS = Path(__file__).parents[3] / "slo" / "jobs.yaml"
DAY_S = 86_400
HOUR_S = 3_600


def written(folder: Path, text: str) -> Path:
    path = folder / "slo.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_definition_of_the_jobs_service_loads() -> None:
    definition = load(JOBS)

    assert definition.service == "jobs"
    assert definition.window_s == 30 * DAY_S
    assert definition.metrics == Metrics(
        requests="http_server_request_duration_seconds", matchers={"job": "jobs"}
    )
    assert {
        objective.name: (objective.target, objective.indicator) for objective in definition.objectives
    } == {
        "submit-latency": (
            Decimal("0.99"),
            Latency(method="POST", route="/jobs", threshold_s=Decimal("0.25")),
        ),
        "read-latency": (
            Decimal("0.99"),
            Latency(method="GET", route="/jobs/{id}", threshold_s=Decimal("0.1")),
        ),
        "availability": (Decimal("0.999"), Availability()),
        "completion": (
            Decimal("0.99"),
            EventLatency(event="job_completed", histogram="job_end_to_end_seconds", threshold_s=Decimal(2)),
        ),
    }


def test_each_objective_knows_its_line() -> None:
    lines = JOBS.read_text(encoding="utf-8").splitlines()

    for objective in load(JOBS).objectives:
        assert lines[objective.line - 1].strip() == f"- name: {objective.name}"


def test_every_key_of_the_format_arrives(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """
        service: mail-api
        window: 1w
        metrics: {requests: http_requests_seconds, matchers: {job: mail}, native: true}
        prometheus: {scrape_interval: 10s, evaluation_interval: 1m, retention: 8w}
        labels: {team: post, tier_of_service: "1"}
        alerting:
          minimum_failures: 3
          disable: [ticket-slow]
          labels: {channel: "#post"}
          runbook: https://runbooks.example/{{objective}}
        objectives:
          - name: delivered
            description: Mail arrives.
            target: 99.95%
            indicator: {ratio: {good: 'sum(rate(ok[{{window}}]))', total: 'sum(rate(all[{{window}}]))'}}
          - name: read
            target: 0.9
            window: 30d
            labels: {team: readers}
            alerting:
              minimum_failures: 1
              disable: []
              tiers: [{name: now, severity: page, budget: 5%, long: 6h, short: 10m}]
              absence: {severity: ticket, after: 1h}
              labels: {urgent: "yes"}
              annotations: {hint: look at the queue}
              dashboard: https://grafana.example/d/1
            indicator: {availability: {method: GET, route: /mail}}
          - name: heard
            target: 90%
            indicator: {error_ratio: {query: '1 - avg_over_time(ok[{{window}}])'}}
          - name: there
            target: 90%
            indicator: {up: {matchers: {job: mail}}}
          - name: sent
            target: 90%
            indicator: {ratio: {bad: 'lost[{{window}}]', total: 'all[{{window}}]'}}
        """,
    )

    common = Alerting(
        tiers=default_tiers(Decimal(7 * DAY_S))[:3],
        minimum_failures=3,
        labels={"channel": "#post"},
        runbook="https://runbooks.example/{{objective}}",
    )
    own = Alerting(
        tiers=(Tier(name="now", severity=Severity.PAGE, factor=Decimal(6), long_s=6 * HOUR_S, short_s=600),),
        minimum_failures=1,
        absence=Absence(severity=Severity.TICKET, after_s=HOUR_S),
        labels={"channel": "#post", "urgent": "yes"},
        annotations={"hint": "look at the queue"},
        runbook="https://runbooks.example/{{objective}}",
        dashboard="https://grafana.example/d/1",
    )
    labels = {"team": "post", "tier_of_service": "1"}
    found = load(path)
    assert found == Definition(
        service="mail-api",
        window_s=Decimal(7 * DAY_S),
        metrics=Metrics(requests="http_requests_seconds", matchers={"job": "mail"}, native=True),
        prometheus=Prometheus(scrape_interval_s=10, evaluation_interval_s=60, retention_s=56 * DAY_S),
        objectives=found.objectives,
    )
    assert found.objectives[:2] == (
        Objective(
            name="delivered",
            description="Mail arrives.",
            target=Decimal("0.9995"),
            indicator=Ratio(good="sum(rate(ok[{{window}}]))", total="sum(rate(all[{{window}}]))"),
            window_s=Decimal(7 * DAY_S),
            labels=labels,
            alerting=common,
            line=13,
        ),
        Objective(
            name="read",
            description="",
            target=Decimal("0.9"),
            indicator=Availability(method="GET", route="/mail"),
            window_s=Decimal(30 * DAY_S),
            labels={**labels, "team": "readers"},
            alerting=own,
            line=17,
        ),
    )
    assert [objective.indicator for objective in found.objectives[2:]] == [
        ErrorRatio("1 - avg_over_time(ok[{{window}}])"),
        Up(metric="up", matchers={"job": "mail"}),
        Ratio(bad="lost[{{window}}]", total="all[{{window}}]"),
    ]


def test_anchors_and_aliases_share_values(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """
        service: jobs
        window: 30d
        objectives:
          - {name: fast, target: &high 99.9%, indicator: &all {availability: {}}}
          - {name: sure, target: *high, indicator: *all}
        """,
    )

    fast, sure = load(path).objectives

    assert (fast.target, fast.indicator) == (sure.target, sure.indicator)


def test_a_file_with_a_byte_order_mark_and_windows_line_ends_loads(tmp_path: Path) -> None:
    path = tmp_path / "slo.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + JOBS.read_bytes().replace(b"\n", b"\r\n"))

    assert load(path) == load(JOBS)


def with_target(target: str) -> Objective:
    return Objective(
        name="up",
        description="",
        target=Decimal(target),
        indicator=Availability(),
        window_s=Decimal(30 * DAY_S),
        alerting=Alerting(tiers=()),
        line=1,
    )


def test_the_budget_of_three_nines_is_one_in_a_thousand_and_no_float() -> None:
    objective = with_target("0.999")

    assert objective.budget == Decimal("0.001")
    assert str(objective.budget) == "0.001"


@pytest.mark.parametrize("target", ["0", "1", "99.9"])
def test_an_objective_cannot_be_built_with_an_impossible_target(target: str) -> None:
    with pytest.raises(ValueError, match=f"the target of 'up' must lie between 0 and 1, not at {target}"):
        with_target(target)
