"""What goes out to another tool's format and comes back means the same: to promtool, on the same series."""
# ruff: noqa: E501 - queries and series read best on one line

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
import yaml

from sloproof.compile.interop import openslo, sloth, to_openslo, to_sloth
from sloproof.compile.outputs import Format, Kind, Source, outputs
from sloproof.compile.rules import compile_rules
from sloproof.slo import definition

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sloproof.slo.definition import Definition
    from tests.integration.compile.promtool import Outcome, Promtool

    Way = Callable[[Definition, Path], Definition]

MONTH_S = Decimal(30 * 86_400)
PAST_S = (240, 1_440, 2_400, 3_960, 6_000)
"""When values are compared: before, in and after the fault, in the idle time, and after it."""
SLO = """
service: jobs
window: 30d
prometheus: {evaluation_interval: 2m}
metrics:
  matchers: {job: jobs}
labels: {team: jobs}
alerting:
  runbook: "https://runbooks.example/{{service}}/{{objective}}"
  labels: {channel: ops}
objectives:
  - name: latency
    description: It is quick.
    target: 99%
    indicator: {latency: {method: POST, route: /jobs, threshold: 250ms}}
  - name: completion
    target: 98.5%
    indicator: {latency: {event: job_completed, histogram: job_seconds, threshold: 2s}}
  - name: availability
    target: 99.9%
    labels: {kind: http}
    indicator: {availability: {}}
  - name: good-rates
    target: 99.95%
    indicator: {ratio: {good: 'rate(work_total{ok="1"}[{{window}}])', total: 'sum(rate(work_total[{{window}}]))'}}
  - name: bad-counts
    target: 99%
    indicator: {ratio: {bad: 'sum(increase(work_total{ok="0"}[{{window}}]))', total: 'sum(increase(work_total[{{window}}]))'}}
  - name: share
    target: 95%
    indicator: {error_ratio: {query: '1 - avg_over_time(probe{job="jobs"}[{{window}}])'}}
  - name: targets
    target: 99%
    indicator: {up: {metric: up}}
"""
OWN_TIERS = """
service: mail
window: 7d
prometheus: {evaluation_interval: 1m, retention: 90d}
alerting:
  minimum_failures: 2
  absence: {severity: ticket, after: 1h}
  tiers:
    - {name: now, severity: page, budget: 5%, long: 30m, short: 90s}
    - {name: soon, severity: ticket, budget: 10.5%, long: 6h}
objectives:
  - name: availability
    target: 99.99%
    window: 100s
    alerting: {annotations: {summary: "Sends \\"fail\\""}, dashboard: https://g.example/d/mail}
    indicator: {availability: {method: GET}}
  - name: silent
    target: 99.5%
    alerting: {tiers: [{name: only, severity: page, budget: 100%, long: 1d}], disable: [only]}
    indicator: {availability: {}}
  - name: other
    target: 33.333333333%
    alerting: {disable: [soon]}
    indicator: {up: {matchers: {job: mail}}}
"""
FAULT = "{0}+{1}x20 {2}+{3}x25 {4}+0x30 {4}+{1}x30"
"""Healthy for 20 minutes, faulty for 25, idle for 30, and healthy again."""


def loaded(text: str, folder: Path) -> Definition:
    path = folder / "slo.yaml"
    path.write_text(text, encoding="utf-8")
    return definition.load(path)


def through_sloth(given: Definition, folder: Path) -> Definition:
    (file,) = sloth.read(to_sloth.export(given).text, path=folder / "f.yaml", window_s=MONTH_S).files
    # What Sloth has no key for, as the export tells.
    return replace(loaded(file.text(), folder), prometheus=given.prometheus)


def through_openslo(given: Definition, folder: Path) -> Definition:
    imported = openslo.read(to_openslo.export(given).text, path=folder / "f.yaml", window_s=MONTH_S)
    assert imported.notes == ()  # what ours cannot lose on the way back
    (file,) = imported.files
    return loaded(file.text(), folder)


WAYS = pytest.mark.parametrize("through", [through_sloth, through_openslo], ids=["sloth", "openslo"])


@WAYS
def test_targets_windows_labels_and_alerts_survive_exactly(through: Way, tmp_path: Path) -> None:
    given = loaded(SLO, tmp_path)

    found = through(given, tmp_path)

    assert found.service == given.service
    for before, after in zip(given.objectives, found.objectives, strict=True):
        link = f"https://runbooks.example/jobs/{before.name}"
        assert after.alerting == replace(before.alerting, runbook=link)
        assert (
            replace(after, indicator=before.indicator, alerting=before.alerting, line=before.line) == before
        )


def test_openslo_keeps_tiers_and_settings_in_annotations_that_only_we_read(tmp_path: Path) -> None:
    given = loaded(OWN_TIERS, tmp_path)

    found = through_openslo(given, tmp_path)

    assert found.prometheus == given.prometheus
    for ours, theirs in zip(given.objectives, found.objectives, strict=True):
        assert theirs.alerting == ours.alerting
        assert (theirs.target, theirs.window_s) == (ours.target, ours.window_s)


@WAYS
def test_the_rules_after_a_round_trip_record_and_alert_alike(
    promtool: Promtool, through: Way, tmp_path: Path
) -> None:
    given = loaded(SLO, tmp_path)
    found = replace(through(given, tmp_path), service="again")

    told = evaluated(promtool, given, found, tmp_path)

    assert told.passed, told.said


def test_the_comparison_sees_a_difference(promtool: Promtool, tmp_path: Path) -> None:
    given = loaded(SLO, tmp_path)
    text = SLO.replace('work_total{ok="0"}', 'work_total{ok=~"0|1"}')
    found = replace(through_openslo(loaded(text, tmp_path), tmp_path), service="again")

    told = evaluated(promtool, given, found, tmp_path)

    assert not told.passed
    assert "slo:sli_error:ratio_rate5m" in told.said


def evaluated(promtool: Promtool, given: Definition, found: Definition, folder: Path) -> Outcome:
    """Run the rules of both on the same series, and compare all that they record, and their alerts."""
    sources = [Source(name="slo.yaml", definition=each) for each in (given, found)]
    files = []
    for output in outputs(sources, form=Format.PROMETHEUS, kinds=[Kind.RULES]):
        if output.path.endswith(".rules.yaml"):
            path = folder / output.path.rpartition("/")[2]
            path.write_text("".join(output.text), encoding="utf-8")
            files.append(path.name)
    recorded = sorted(
        {rule.record for group in compile_rules(given) for rule in group.rules if hasattr(rule, "record")}
    )
    suite = {
        "rule_files": files,
        "evaluation_interval": "2m",
        "tests": [
            {
                "interval": "1m",
                "input_series": series(),
                "promql_expr_test": [
                    check for name in recorded for at_s in PAST_S for check in alike(name, at_s)
                ]
                + [check for at_s in PAST_S for check in firing_alike(at_s)]
                + counted(len(given.objectives)),
            }
        ],
    }
    (folder / "test.yaml").write_text(yaml.safe_dump(suite), encoding="utf-8")
    return promtool.test_rules(folder / "test.yaml")


def series() -> list[dict[str, str]]:
    """Return a subject that fails for a while, with a counter of errors that nobody saw before."""
    http = 'http_server_request_duration_seconds_{0}{{job="jobs",instance="a",http_request_method="POST",http_route="/jobs",http_response_status_code="{1}"{2}}}'
    healthy, faulty, last = 60, 40, 1_200 + 25 * 40
    counters = {
        http.format("count", "200", ""): FAULT.format(0, healthy, 1_200, faulty, last),
        http.format("bucket", "200", ',le="0.25"'): FAULT.format(0, healthy, 1_200, faulty // 2, 1_700),
        http.format("bucket", "200", ',le="0.5"'): FAULT.format(0, healthy, 1_200, faulty, last),
        http.format("count", "500", ""): "_x20 5+5x25 130+0x60",
        'job_seconds_count{job="jobs",instance="a"}': FAULT.format(0, 10, 200, 10, 450),
        'job_seconds_bucket{job="jobs",instance="a",le="2.0"}': FAULT.format(0, 10, 200, 4, 300),
        'work_total{ok="1"}': FAULT.format(0, 30, 600, 20, 1_100),
        'work_total{ok="0"}': FAULT.format(0, 0, 0, 10, 250),
        'probe{job="jobs"}': "1x20 0x25 1x60",
        'up{job="jobs",instance="a"}': "1x110",
    }
    return [{"series": name, "values": values} for name, values in counters.items()]


def alike(name: str, at_s: int) -> list[dict[str, object]]:
    """Return checks that a series of both services is there for the same objectives, with the same value."""
    given, found = (f'{name}{{sloth_service="{service}"}}' for service in ("jobs", "again"))
    on = "on (sloth_slo, team, kind, sloth_window, sloth_objective)"
    return [
        {"expr": text, "eval_time": f"{at_s}s", "exp_samples": []}
        for text in (
            f"abs({given} - {on} {found}) > 1e-9",
            f"{given} unless {on} {found}",
            f"{found} unless {on} {given}",
        )
    ]


def firing_alike(at_s: int) -> list[dict[str, object]]:
    given, found = (f'ALERTS{{alertstate="firing",sloth_service="{each}"}}' for each in ("jobs", "again"))
    on = "on (alertname, sloth_slo, tier, severity, team, kind, channel)"
    return [
        {"expr": text, "eval_time": f"{at_s}s", "exp_samples": []}
        for text in (f"{given} unless {on} {found}", f"{found} unless {on} {given}")
    ]


def counted(objectives: int) -> list[dict[str, object]]:
    """Return checks that there was anything to compare: every ratio, and alerts, in the fault."""
    return [
        {
            "expr": 'count(slo:sli_error:ratio_rate5m{sloth_service="again"} > 0)',
            "eval_time": "2400s",
            "exp_samples": [{"labels": "{}", "value": objectives - 1}],  # all but the targets, which stay up
        },
        {
            "expr": 'count(count by (sloth_slo) (ALERTS{alertstate="firing",sloth_service="again"})) > bool 3',
            "eval_time": "2400s",
            "exp_samples": [{"labels": "{}", "value": 1}],
        },
    ]
