"""What dashboards show follows from the objectives: limits, windows, tiers, and who has them."""

from __future__ import annotations

import dataclasses
import json
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from sloproof.compile.dashboards import boards, compile_dashboards
from sloproof.compile.dashboards.board import Bars, Heatmap, Lines, Table
from sloproof.compile.dashboards.queries import series, share
from tests.unit.compile.dashboards.reading import Json, jobs, mixed, panels

if TYPE_CHECKING:
    from pathlib import Path

    from sloproof.compile.dashboards.board import Panel
    from sloproof.slo.definition import Definition


@pytest.fixture
def shop(tmp_path: Path) -> Definition:
    return mixed(tmp_path)


def titled(file: str, title: str, *definitions: Definition) -> Panel:
    (found,) = [panel for panel in boards(definitions)[file].panels() if panel.title == title]
    return found


def titles(file: str, *definitions: Definition) -> list[str]:
    return [panel.title for panel in boards(definitions)[file].panels()]


def limits(panel: Panel) -> list[float]:
    return [step.value for step in panel.steps if step.value is not None]


def test_equal_definitions_make_equal_files() -> None:
    one, other = (json.dumps(compile_dashboards([jobs()])) for _ in range(2))

    assert one == other


def test_the_overview_has_a_column_a_tier_that_turns_colour_at_its_factor() -> None:
    look = titled("slo-overview.json", "All objectives", jobs()).look

    assert isinstance(look, Table)
    tiers = {c.title: [s.value for s in c.steps] for c in look.columns if " above " in c.title}
    assert tiers == {
        "page-fast: 1h above 14.4": [None, 14.4],
        "page-slow: 6h above 6": [None, 6],
        "ticket-fast: 1d above 3": [None, 3],
        "ticket-slow: 3d above 1": [None, 1],
    }


def test_the_overview_asks_of_a_tier_only_the_objectives_that_have_it(shop: Definition) -> None:
    look = titled("slo-overview.json", "All objectives", shop).look

    assert isinstance(look, Table)
    asked = {c.title: c.query.expr for c in look.columns if c.query and c.title.startswith("page-")}
    # 7 days for most; 90 days, with longer windows, for one; one has no slow page.
    assert {title: "sloth_id=~" in expr for title, expr in asked.items()} == dict.fromkeys(asked, True)
    slow_of_7d = next(expr for title, expr in asked.items() if title.startswith("page-slow: 1h30m"))
    assert 'sloth_id=~"shop-checkout|shop-pipeline|shop-freshness"' in slow_of_7d


def test_a_tier_of_one_objective_is_drawn_with_its_two_windows_and_its_limit() -> None:
    panel = titled("slo-detail.json", "page-fast: burn rates against its limit", jobs())

    assert [query.legend for query in panel.queries] == ["1h", "5m", "limit 14.4"]
    assert panel.queries[2].expr.startswith("14.4 + 0 * max(slo:objective:ratio{")
    assert panel.look == Lines(limits=("limit 14.4",), decimals=2)


def test_tiers_of_one_name_and_different_windows_share_a_panel(shop: Definition) -> None:
    panel = titled("slo-detail.json", "page-fast: burn rates against its limit", shop)

    assert len(panel.queries) == 6
    assert len({query.expr for query in panel.queries}) == 6
    assert all(query.may_be_empty for query in panel.queries)


@pytest.mark.parametrize(
    ("window", "shown"), [("30d", "30d"), ("12h", "12h")], ids=["whole days", "whole hours"]
)
def test_the_burn_down_shows_the_whole_window(window: str, shown: str) -> None:
    hours = {"30d": 720, "12h": 12}[window]
    definition = jobs()
    objectives = tuple(
        dataclasses.replace(each, window_s=Decimal(hours * 3600)) for each in definition.objectives
    )
    panel = titled(
        "slo-detail.json", "Budget burn-down", dataclasses.replace(definition, objectives=objectives)
    )

    assert panel.newest == shown


def test_a_heatmap_and_a_line_at_the_limit_show_the_durations_of_each_latency_objective() -> None:
    assert [
        (panel.title, type(panel.look), limits(panel))
        for panel in boards([jobs()])["service.json"].panels()
        if "-latency" in panel.title or panel.title.startswith("completion")
    ] == [
        ("submit-latency: durations (limit 0.25 s)", Heatmap, []),
        ("submit-latency: 99 % against 0.25 s", Lines, [0.25]),
        ("read-latency: durations (limit 0.1 s)", Heatmap, []),
        ("read-latency: 99 % against 0.1 s", Lines, [0.1]),
        ("completion: durations (limit 2 s)", Heatmap, []),
        ("completion: 99 % against 2 s", Lines, [2.0]),
    ]


def test_the_limit_of_errors_is_the_budget_of_availability() -> None:
    assert limits(titled("service.json", "Errors", jobs())) == [0.001]


def test_a_click_on_a_duration_searches_for_slower_traces_of_that_endpoint() -> None:
    (link,) = titled("service.json", "read-latency: 99 % against 0.1 s", jobs()).links

    assert link.url == (
        "${jaeger}/search?service=jobs&start=${__from}000&end=${__to}000&limit=20"
        "&operation=GET%20%2Fjobs%2F%7Bid%7D&minDuration=100000us"
    )


def test_configurations_are_compared_by_exact_counts_with_the_target_as_limit() -> None:
    panel = titled("experiments.json", "jobs availability: SLI", jobs())

    assert isinstance(panel.look, Bars)
    assert limits(panel) == [0.999]
    assert 'http_response_status_code!~"5..|429"' in panel.queries[0].expr
    assert "histogram_quantile" not in panel.queries[0].expr


def test_objectives_by_own_queries_cannot_be_told_apart_by_configuration(shop: Definition) -> None:
    compared = [title for title in titles("experiments.json", shop) if title.endswith(": SLI")]

    assert compared == ["shop checkout: SLI", "shop quarter: SLI"]


def test_native_histograms_are_asked_without_buckets(shop: Definition) -> None:
    panel = titled("experiments.json", "shop checkout: SLI", shop)

    assert "histogram_fraction(0, 1, sum by (configuration) (increase(" in panel.queries[0].expr
    assert "_bucket" not in panel.queries[0].expr
    assert "le=" not in panel.queries[0].expr


def test_a_panel_that_may_be_empty_says_why_where_its_values_would_be(shop: Definition) -> None:
    for file, board in boards([jobs(), shop]).items():
        drawn = panels(compile_dashboards([jobs(), shop])[file])
        for panel, data in zip(board.panels(), drawn, strict=True):
            if all(query.may_be_empty for query in panel.queries):
                assert data["fieldConfig"]["defaults"]["noValue"] == panel.no_value
                assert "no " in panel.no_value or "not" in panel.no_value, panel.title


def test_services_with_other_names_for_their_requests_are_all_offered(shop: Definition) -> None:
    metrics = dataclasses.replace(shop.metrics, requests="shop_seconds")
    either = '__name__=~"http_server_request_duration_seconds_count|shop_seconds"'
    compiled: Json = compile_dashboards([jobs(), dataclasses.replace(shop, metrics=metrics)])["service.json"]

    assert [each["query"] for each in compiled["templating"]["list"] if each["type"] == "query"] == [
        f"label_values({{{either}}}, job)",
        f'label_values({{{either},job=~"$job"}}, instance)',
    ]


def test_a_share_of_nothing_is_nothing_and_of_what_was_never_seen_is_0() -> None:
    assert share(series("bad"), series("all")) == "((bad) or 0 * (all)) / ((all) > 0)"
