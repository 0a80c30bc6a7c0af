"""What the check of the stack decides by itself: which image to take, and what a dashboard asks."""

from __future__ import annotations

import doctest
import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from deploy.stack_check.dashboards import BUILT_IN, DashboardError, Query, fill, queries, variables
from deploy.stack_check.declared import OF_A_RUN, may_be_empty
from deploy.stack_check.images import select
from sloproof.slo.definition import load

ROOT = Path(__file__).parents[3]

CONFIGURATION = {
    "services": {
        "service": {"image": "ours:local", "build": {"args": {"PYTHON_IMAGE": "python:3.13-slim"}}},
        "prometheus": {"image": "prom/prometheus:v3.15.0"},
        "jaeger": {"image": "jaegertracing/jaeger:2.21.0"},
        "grafana": {"image": "grafana/grafana:13.2.3"},
    }
}
PYTHON, PROMETHEUS, JAEGER = "python:3.13-slim", "prom/prometheus:v3.15.0", "jaegertracing/jaeger:2.21.0"


@pytest.mark.parametrize("module", ["dashboards", "images", "proof"])
def test_the_worked_examples_are_right(module: str) -> None:
    outcome = doctest.testmod(import_module(f"deploy.stack_check.{module}"))

    assert outcome.attempted > 0
    assert outcome.failed == 0


@pytest.mark.parametrize(
    ("present", "chosen"),
    [
        pytest.param(
            ["prom/prometheus:latest", PROMETHEUS], PROMETHEUS, id="the pinned one where it is there"
        ),
        pytest.param(
            ["prom/prometheus:v3.9.1", "prom/prometheus:latest"],
            "prom/prometheus:latest",
            id="else the latest",
        ),
        pytest.param(["prom/prometheus:v2.53.0"], "prom/prometheus:v2.53.0", id="else any version"),
    ],
)
def test_a_part_gets_the_best_image_of_its_repository_on_the_machine(present: list[str], chosen: str) -> None:
    selection = select(CONFIGURATION, [PYTHON, JAEGER, *present])

    assert selection.variables["PROMETHEUS_IMAGE"] == chosen
    assert selection.variables["PYTHON_IMAGE"] == PYTHON
    assert selection.instead == ({} if chosen == PROMETHEUS else {chosen: PROMETHEUS})
    assert selection.sufficient


def test_a_part_without_any_image_is_left_out_and_named() -> None:
    selection = select(CONFIGURATION, [PYTHON, PROMETHEUS, JAEGER])

    assert selection.parts == ("service", "prometheus", "jaeger")
    assert selection.missing == {"grafana": "grafana/grafana:13.2.3"}


@pytest.mark.parametrize("lacking", [PYTHON, PROMETHEUS, JAEGER])
def test_without_an_image_of_each_part_that_the_proofs_need_there_is_no_check(lacking: str) -> None:
    assert not select(CONFIGURATION, {PYTHON, PROMETHEUS, JAEGER} - {lacking}).sufficient


def test_an_image_whose_name_only_begins_alike_is_another() -> None:
    assert not select(CONFIGURATION, [PYTHON, JAEGER, "prom/prometheus-operator:v1.0.0"]).sufficient


PANELS = [
    {"title": "SLI", "targets": [{"refId": "A", "expr": "up", "instant": True}]},
    {
        "type": "row",
        "panels": [{"title": "Folded", "targets": [{"refId": "A", "expr": "up", "range": True}]}],
    },
    {"title": "Both", "targets": [{"refId": "B", "expr": "up", "instant": True, "range": True}]},
    {"title": "Traces", "datasource": {"type": "jaeger"}, "targets": [{"refId": "A", "expr": "up"}]},
    {
        "title": "Own",
        "datasource": {"type": "jaeger"},
        "targets": [{"expr": "up", "datasource": {"type": "prometheus"}}],
    },
    {"title": "Empty", "targets": [{"refId": "A", "expr": ""}]},
    {"title": "Text"},
]


def test_every_query_to_prometheus_is_found_in_folded_rows_and_annotations_too() -> None:
    faults = {"name": "faults", "expr": "changes(x[1m])", "datasource": {"type": "prometheus"}}
    builtin = {"name": "Annotations & Alerts", "datasource": {"type": "grafana"}}

    found = list(queries({"panels": PANELS, "annotations": {"list": [faults, builtin]}}))

    assert found == [
        Query(of="SLI/A", expression="up", instant=True),
        Query(of="Folded/A", expression="up", instant=False),
        Query(of="Both/B", expression="up", instant=False),
        Query(of="Own/?", expression="up", instant=False),
        Query(of="annotation faults", expression="changes(x[1m])", instant=False),
    ]


@pytest.mark.parametrize(
    ("expression", "filled"),
    [
        pytest.param("rate(x[$__rate_interval])", "rate(x[1m])", id="built in"),
        pytest.param("x / ${__range_s}", "x / 900", id="in braces"),
        pytest.param('x{job=~"${job:regex}"}', 'x{job=~"jobs"}', id="with a format"),
        pytest.param('x{job="[[job]]"}', 'x{job="jobs"}', id="in brackets"),
        pytest.param('x{a=~"b$"}', 'x{a=~"b$"}', id="the end of a pattern is no variable"),
    ],
)
def test_a_variable_is_filled_in_however_it_is_written(expression: str, filled: str) -> None:
    assert fill(expression, {**BUILT_IN, "job": "jobs"}) == filled


def test_a_variable_that_the_dashboard_does_not_have_is_a_mistake_of_it() -> None:
    with pytest.raises(DashboardError, match=r"\$jobb is no variable of the dashboard"):
        fill('x{job="$jobb"}', {"job": "jobs"})


def labels(label: str, selector: str | None) -> list[str]:
    """Stand for a Prometheus with two services, the second with a route in its name."""
    known = {
        ("job", None): ["jobs", "shop"],
        ("http_route", 'x{job="jobs"}'): ["/jobs", "/jobs/{id}"],
        ("run", "y"): [],
    }
    return known[label, selector]


@pytest.mark.parametrize(
    ("listed", "text"),
    [
        pytest.param(
            {"type": "query", "query": "label_values(job)"}, "jobs", id="the first of a label's values"
        ),
        pytest.param(
            {
                "type": "query",
                "query": {"query": "label_values(job)", "refId": "v"},
                "current": {"value": "shop"},
            },
            "shop",
            id="the one that was chosen",
        ),
        pytest.param(
            {"type": "query", "query": "label_values(job)", "current": {"value": "gone"}},
            "jobs",
            id="not one that is there no more",
        ),
        pytest.param(
            {"type": "query", "query": 'label_values(x{job="$first"}, http_route)', "multi": True},
            r"/jobs|/jobs/\\{id\\}",
            id="all of several, as a pattern in quotes",
        ),
        pytest.param(
            {"type": "query", "query": "label_values(y, run)", "includeAll": True}, ".*", id="all of none"
        ),
        pytest.param({"type": "query", "query": "label_values(y, run)"}, "", id="one of none"),
        pytest.param(
            {"type": "query", "query": "label_values(job)", "includeAll": True, "allValue": ".+"},
            ".+",
            id="as given",
        ),
        pytest.param({"type": "custom", "query": "day : 1d, week : 7d"}, "1d", id="custom"),
        pytest.param({"type": "constant", "query": "fixed"}, "fixed", id="constant"),
        pytest.param({"type": "datasource", "query": "prometheus"}, "prometheus", id="data source"),
    ],
)
def test_a_variable_has_the_text_that_grafana_gives_it(listed: dict[str, Any], text: str) -> None:
    first = {"name": "first", "type": "query", "query": "label_values(job)"}
    dashboard = {"templating": {"list": [first, {"name": "it", **listed}, {"name": "free", "type": "adhoc"}]}}

    found = dict(variables(dashboard, labels))

    assert found["it"] == text
    assert "free" not in found


@pytest.mark.parametrize(
    ("listed", "message"),
    [
        pytest.param(
            {"type": "query", "query": "metrics(x)"}, r"asked by 'metrics\(x\)'", id="another question"
        ),
        pytest.param({"type": "snapshot"}, "of the kind 'snapshot'", id="another kind"),
    ],
)
def test_a_variable_that_cannot_be_filled_in_is_named(listed: dict[str, Any], message: str) -> None:
    with pytest.raises(DashboardError, match=rf"\$it is .*{message}"):
        dict(variables({"templating": {"list": [{"name": "it", **listed}]}}, labels))


def test_a_query_may_be_empty_where_its_panel_says_so_and_no_other() -> None:
    allowed = may_be_empty([load(ROOT / "slo/jobs.yaml")])

    assert "Budget lasts/A" in allowed["slo-detail.json"]
    assert "annotation Alerts" in allowed["service.json"]
    assert "All objectives/A" not in allowed["slo-overview.json"]


@pytest.mark.parametrize(
    "file", sorted((ROOT / "dashboards/generated").glob("*.json")), ids=lambda it: it.stem
)
def test_what_may_be_empty_is_named_as_the_dashboard_names_it(file: Path) -> None:
    asked = {each.of for each in queries(json.loads(file.read_text()))}
    allowed = may_be_empty([load(ROOT / "slo/jobs.yaml")])[file.name]

    assert allowed <= asked
    assert (allowed == asked) == (file.name == OF_A_RUN)


def test_without_objectives_there_is_no_dashboard_to_be_empty() -> None:
    assert may_be_empty([]) == {}
