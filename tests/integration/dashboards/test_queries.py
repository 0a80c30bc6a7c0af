"""Every query of every dashboard, asked as Grafana asks it, answers with values from a service under load."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

import pytest

from sloproof.compile.dashboards import boards, compile_dashboards
from tests.integration.dashboards.harness import LABELS, QUICK_JOBS, SCRAPE_S, SLOW_JOBS
from tests.unit.compile.dashboards.reading import Json, filled, jobs, label_values, panels, targets, variables

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.dashboards.harness import RunningPrometheus

FILES = tuple(boards([jobs()]))
OBJECTIVES = tuple(objective.name for objective in jobs().objectives)
# Which objectives' alerts the load causes, and no other.
BURNING = {"completion"}
NOT_DOWN = "Down"
WITHIN_S = 30.0


def values(dashboard: Json, **chosen: str) -> dict[str, str]:
    """Values of all variables, as Grafana puts them in: everything for those that take several."""
    given = {name: each["allValue"] for name, each in variables(dashboard).items() if each.get("allValue")}
    built_in = {
        "__rate_interval": f"{4 * SCRAPE_S}s",  # what Grafana makes of the scrape interval
        "__range": "5m",
        "service": "jobs",
        "run": LABELS["run"],
    }
    return {**built_in, **given, **chosen}


def shown(prometheus: RunningPrometheus, target: Json, expr: str) -> list[float]:
    return prometheus.instant(expr) if target["instant"] else prometheus.over_time(expr)


def within(found: Callable[[], list[float]]) -> list[float]:
    """Ask until there is a value: a rule may have to be evaluated first."""
    deadline = time.monotonic() + WITHIN_S
    while not (answer := found()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return answer


@pytest.mark.parametrize("file", [file for file in FILES if file != "slo-detail.json"])
def test_every_query_of_a_dashboard_has_values_under_load(prometheus: RunningPrometheus, file: str) -> None:
    dashboard = compile_dashboards([jobs()])[file]
    chosen = values(dashboard)

    empty = [
        (panel["title"], target["refId"])
        for panel, target in targets(dashboard)
        if not within(partial(shown, prometheus, target, filled(target["expr"], chosen)))
    ]

    assert empty == []


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_query_about_one_objective_has_values_under_load_unless_declared(
    prometheus: RunningPrometheus, objective: str
) -> None:
    board, dashboard = boards([jobs()])["slo-detail.json"], compile_dashboards([jobs()])["slo-detail.json"]
    chosen = values(dashboard, objective=objective)

    empty = set()
    for panel, data in zip(board.panels(), panels(dashboard), strict=True):
        for query, target in zip(panel.queries, data["targets"], strict=True):
            expr = filled(target["expr"], chosen)
            must = query.may_be_empty is None or objective in BURNING
            ask = partial(shown, prometheus, target, expr)
            answer = within(ask) if must else ask()
            if not answer:
                assert query.may_be_empty, (panel.title, expr)
                empty.add(panel.title)

    # Nothing burns and no alert fires where every event was good; all else has values under load.
    assert empty <= (set() if objective in BURNING else {"Budget lasts", "Alerts over time"})


@pytest.mark.parametrize("file", FILES)
def test_every_variable_offers_a_choice(prometheus: RunningPrometheus, file: str) -> None:
    dashboard = compile_dashboards([jobs()])[file]
    chosen = values(dashboard)

    offered = {}
    for each in dashboard["templating"]["list"]:
        if each["type"] == "query":
            selector, label = label_values(each["query"])
            assert selector
            offered[each["name"]] = prometheus.label_values(filled(selector, chosen), label)

    assert all(offered.values()), offered
    for name, expected in LABELS.items():
        assert offered.get(name, [expected]) == [expected]
    if "objective" in offered:
        assert set(offered["objective"]) == set(OBJECTIVES)


@pytest.mark.parametrize("file", [file for file in FILES if file != "slo-overview.json"])
def test_marks_in_time_are_where_alerts_and_faults_were(prometheus: RunningPrometheus, file: str) -> None:
    dashboard = compile_dashboards([jobs()])[file]
    chosen = values(dashboard, objective="completion")

    marked = {
        each["name"]: bool(prometheus.over_time(filled(each["expr"], chosen)))
        for each in dashboard["annotations"]["list"]
    }

    assert marked
    assert marked == {name: name != NOT_DOWN for name in marked}


def test_the_overview_counts_the_objectives_and_the_alerts(prometheus: RunningPrometheus) -> None:
    dashboard = compile_dashboards([jobs()])["slo-overview.json"]
    chosen = values(dashboard)
    numbers = {
        panel["title"]: prometheus.instant(filled(panel["targets"][0]["expr"], chosen))
        for panel in panels(dashboard)
        if panel["type"] == "stat"
    }

    assert numbers["Objectives"] == [len(OBJECTIVES)]
    assert numbers["Without events"] == [0]
    assert numbers["Pages"][0] >= 1
    assert numbers["Budgets used up"][0] >= 1


def test_a_configuration_is_judged_as_its_clients_saw_it(prometheus: RunningPrometheus) -> None:
    dashboard = compile_dashboards([jobs()])["experiments.json"]
    chosen = values(dashboard)
    sli = {
        panel["title"]: prometheus.instant(filled(panel["targets"][0]["expr"], chosen))
        for panel in panels(dashboard)
        if panel["title"].endswith(": SLI")
    }

    assert sli["jobs availability: SLI"] == [1]
    (completion,) = sli["jobs completion: SLI"]
    assert completion == pytest.approx(QUICK_JOBS / (QUICK_JOBS + SLOW_JOBS), abs=0.02)
