"""The dashboards keep the conventions that Grafana's public linter checks, and some of our own."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from itertools import combinations
from typing import TYPE_CHECKING

import promql_parser
import pytest
from grafana_foundation_sdk.models import units

from tests.unit.compile.dashboards.reading import (
    BUILT_IN,
    Json,
    filled,
    label_values,
    panels,
    targets,
    used,
    variables,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
UNITS = {value for name, value in vars(units).items() if name[0].isupper() and isinstance(value, str)}
# Told apart from any window that is written out.
RATE_INTERVAL = timedelta(minutes=4, seconds=3)
# Why a dashboard has no variable for the job, or for its instance, to choose from.
WITHOUT_JOB = {"sloproof-slo-overview": "recorded series", "sloproof-slo-detail": "recorded series"}
WITHOUT_INSTANCE = {**WITHOUT_JOB, "sloproof-experiments": "an instance lives for one trial"}


def parsed(dashboard: Json, text: str) -> promql_parser.Expr:
    values = dict.fromkeys(variables(dashboard), "x") | {"__rate_interval": "4m3s", "__range": "1h"}
    return promql_parser.parse(filled(text, values))


def queries(dashboard: Json) -> Iterator[str]:
    yield from (target["expr"] for _, target in targets(dashboard))
    yield from (each["expr"] for each in dashboard["annotations"]["list"])


def nodes(expr: promql_parser.Expr) -> list[promql_parser.Expr]:
    found: list[promql_parser.Expr] = []

    def visit(node: promql_parser.Expr) -> bool:
        found.append(node)
        return True

    promql_parser.walk(expr, visit)
    return found


def selectors(expr: promql_parser.Expr) -> Iterator[promql_parser.VectorSelector]:
    for node in nodes(expr):
        if isinstance(node, promql_parser.VectorSelector):
            yield node


def ranges(expr: promql_parser.Expr) -> Iterator[tuple[str, promql_parser.MatrixSelector]]:
    """The ranges that functions are applied to, with the function's name."""
    for node in nodes(expr):
        if isinstance(node, promql_parser.Call):
            for argument in node.args:
                if isinstance(argument, promql_parser.MatrixSelector):
                    yield node.func.name, argument


def test_its_first_variable_is_the_data_source(dashboard: Json) -> None:
    sources = [each for each in dashboard["templating"]["list"] if each["type"] == "datasource"]

    assert sources == dashboard["templating"]["list"][:1]
    assert (sources[0]["name"], sources[0]["label"]) == ("datasource", "Data source")
    assert sources[0]["query"] == "prometheus"
    assert "current" not in sources[0]


def test_everything_asks_the_chosen_data_source(dashboard: Json) -> None:
    choices = [each for each in dashboard["templating"]["list"] if each["type"] == "query"]
    asking = [
        *panels(dashboard),
        *(target for _, target in targets(dashboard)),
        *choices,
        *dashboard["annotations"]["list"],
    ]

    assert all(each["datasource"] == SOURCE for each in asking)


@pytest.mark.parametrize(
    ("name", "excused"), [("job", WITHOUT_JOB), ("instance", WITHOUT_INSTANCE)], ids=["job", "instance"]
)
def test_raw_series_are_chosen_by(dashboard: Json, name: str, excused: dict[str, str]) -> None:
    if dashboard["uid"] in excused:
        assert name not in variables(dashboard)
        return
    variable = variables(dashboard)[name]

    assert (variable["type"], variable["label"]) == ("query", name)
    assert (variable["multi"], variable["includeAll"], variable["allValue"]) == (True, True, ".+")
    for _, target in targets(dashboard):
        for selector in selectors(parsed(dashboard, target["expr"])):
            assert f'{name}=~"x"' in [str(each) for each in selector.matchers.matchers]


def test_every_query_is_valid(dashboard: Json) -> None:
    for query in queries(dashboard):
        assert parsed(dashboard, query).prettify()


def test_variables_ask_for_label_values_of_a_valid_selector(dashboard: Json) -> None:
    choices = [each for each in dashboard["templating"]["list"] if each["type"] == "query"]

    assert choices
    for each in choices:
        selector, label = label_values(each["query"])
        assert selector is not None
        assert label
        assert isinstance(parsed(dashboard, selector), promql_parser.VectorSelector)
        assert each["refresh"] == 2  # with the time range, of which the values depend


def test_rates_are_taken_over_the_rate_interval(dashboard: Json) -> None:
    for query in queries(dashboard):
        for function, over in ranges(parsed(dashboard, query)):
            assert (over.range == RATE_INTERVAL) == (function in {"rate", "irate"}), query


def test_counters_are_only_asked_for_their_growth(dashboard: Json) -> None:
    for query in queries(dashboard):
        expr = parsed(dashboard, query)
        counters = [
            each for each in selectors(expr) if (each.name or "").endswith(("_total", "_count", "_bucket"))
        ]
        grown = [over for function, over in ranges(expr) if function in {"rate", "increase"}]
        assert len(counters) <= len(grown), query


def test_quantiles_keep_the_bounds_of_classic_buckets(dashboard: Json) -> None:
    for query in queries(dashboard):
        for node in nodes(parsed(dashboard, query)):
            if isinstance(node, promql_parser.Call) and node.func.name == "histogram_quantile":
                (total,) = [arg for arg in node.args if isinstance(arg, promql_parser.AggregateExpr)]
                classic = any((each.name or "").endswith("_bucket") for each in selectors(total))
                kept = total.modifier.labels if total.modifier else []
                assert classic == ("le" in kept), query


def test_every_variable_that_is_used_exists(dashboard: Json) -> None:
    texts = [*queries(dashboard), *(str(each.get("query")) for each in dashboard["templating"]["list"])]
    texts += [link["url"] for panel in panels(dashboard) for link in links(panel)]

    assert set().union(*(used(text) for text in texts)) <= variables(dashboard).keys() | BUILT_IN


def test_every_panel_says_what_it_shows(dashboard: Json) -> None:
    for panel in panels(dashboard):
        assert panel["title"]
        assert panel["description"].endswith("."), panel["title"]
        assert "  " not in panel["description"]
        assert panel["fieldConfig"]["defaults"]["noValue"], panel["title"]


def test_every_panel_has_a_unit_that_grafana_knows(dashboard: Json) -> None:
    for panel in panels(dashboard):
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS, panel["title"]
        for override in panel["fieldConfig"]["overrides"]:
            for each in override["properties"]:
                assert each["id"] != "unit" or each["value"] in UNITS, panel["title"]


def test_every_panel_has_queries_with_names_and_legends(dashboard: Json) -> None:
    for panel in panels(dashboard):
        names = [target["refId"] for target in panel["targets"]]
        assert names
        assert len(set(names)) == len(names)
        assert all(target["legendFormat"] for target in panel["targets"])
        if panel["type"] in {"timeseries", "state-timeline"}:
            assert panel["options"]["legend"]["showLegend"]


def test_numbers_of_panels_are_unique(dashboard: Json) -> None:
    assert max(Counter(panel["id"] for panel in dashboard["panels"]).values()) == 1


def test_panels_lie_on_the_grid_without_overlap(dashboard: Json) -> None:
    places = [panel["gridPos"] for panel in dashboard["panels"]]

    assert all(at["x"] >= 0 and at["x"] + at["w"] <= 24 and at["h"] > 0 for at in places)
    for one, other in combinations(places, 2):
        apart_x = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        apart_y = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert apart_x or apart_y


def test_it_can_be_imported_anywhere_and_is_not_edited_by_hand(dashboard: Json) -> None:
    assert dashboard["id"] is None
    assert re.fullmatch(r"sloproof-[a-z-]{1,31}", dashboard["uid"])
    assert dashboard["editable"] is False
    assert dashboard["tags"] == ["sloproof"]
    assert "version" not in dashboard
    assert "__inputs" not in dashboard


def test_it_shows_a_time_until_now_and_refreshes(dashboard: Json) -> None:
    assert re.fullmatch(r"now-\d+[mh]", dashboard["time"]["from"])
    assert dashboard["time"]["to"] == "now"
    assert re.fullmatch(r"\d+[sm]", dashboard["refresh"])


def test_it_links_to_the_others(dashboard: Json, compiled: dict[str, Json]) -> None:
    (to_others,) = dashboard["links"]
    assert (to_others["type"], to_others["tags"], to_others["keepTime"]) == ("dashboards", ["sloproof"], True)
    uids = {each["uid"] for each in compiled.values()}
    assert len(uids) == len(compiled)
    for panel in panels(dashboard):
        for link in links(panel):
            if found := re.match(r"/d/([\w-]+)", link["url"]):
                assert found[1] in uids
            else:
                assert link["url"].startswith("${jaeger}/search?")


def test_columns_that_are_styled_are_columns_that_exist(dashboard: Json) -> None:
    for panel in panels(dashboard):
        if panel["type"] == "table":
            merge, organize = panel["transformations"]
            assert merge["id"] == "merge"
            renamed = organize["options"]["renameByName"]
            styled = [override["matcher"]["options"] for override in panel["fieldConfig"]["overrides"]]
            assert styled == list(renamed.values())
            assert len(set(styled)) == len(styled)
            values = [name for name in renamed if name.startswith("Value")]
            assert len(values) == len(panel["targets"])


def test_lines_that_are_dashed_are_series_that_exist(dashboard: Json) -> None:
    for panel in panels(dashboard):
        if panel["type"] == "timeseries":
            legends = {target["legendFormat"] for target in panel["targets"]}
            dashed = {override["matcher"]["options"] for override in panel["fieldConfig"]["overrides"]}
            assert dashed <= legends


def links(panel: Json) -> Iterator[Json]:
    yield from panel["fieldConfig"]["defaults"].get("links", [])
    for override in panel["fieldConfig"]["overrides"]:
        for each in override["properties"]:
            if each["id"] == "links":
                yield from each["value"]
