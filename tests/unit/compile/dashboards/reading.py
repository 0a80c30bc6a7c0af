"""Reads the JSON of dashboards: panels, targets, and queries with values for Grafana's variables."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sloproof.slo.definition import Definition, load

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[4]
VARIABLE = re.compile(r"\$\{(\w+)(?::\w+)?\}|\$(\w+)")
BUILT_IN = {"__rate_interval", "__range", "__url_time_range", "__from", "__to", "__data"}
Json = dict[str, Any]

# Every kind of indicator, classic and native histograms, windows and tiers that not all have.
MIXED = """
service: shop
window: 7d
metrics: {native: true, matchers: {job: shop}}
objectives:
  - {name: checkout, target: 99.5%, indicator: {latency: {method: POST, route: "/carts/{id}", threshold: 1s}}}
  - {name: quarter, target: 95%, window: 90d, indicator: {availability: {method: GET, route: /carts}}}
  - name: pipeline
    target: 99%
    indicator:
      ratio:
        bad: sum(increase(rows_total{ok="0"}[{{window}}]))
        total: sum(increase(rows_total[{{window}}]))
  - {name: freshness, target: 90%, indicator: {error_ratio: {query: "1 - avg_over_time(fresh[{{window}}])"}}}
  - name: reachable
    target: 99.9%
    indicator: {up: {matchers: {instance: edge}}}
    alerting: {disable: [page-slow, ticket-fast]}
"""


def jobs() -> Definition:
    return load(ROOT / "slo" / "jobs.yaml")


def mixed(folder: Path) -> Definition:
    file = folder / "shop.yaml"
    file.write_text(MIXED)
    return load(file)


def panels(dashboard: Json) -> list[Json]:
    """All panels but the rows, which are headings."""
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def targets(dashboard: Json) -> Iterator[tuple[Json, Json]]:
    for panel in panels(dashboard):
        for target in panel["targets"]:
            yield panel, target


def variables(dashboard: Json) -> dict[str, Json]:
    return {each["name"]: each for each in dashboard["templating"]["list"]}


def filled(text: str, values: Mapping[str, str]) -> str:
    """Put in values as Grafana does; a variable without one is an error."""
    return VARIABLE.sub(lambda found: values[found[1] or found[2]], text)


def used(text: str) -> set[str]:
    return {first or second for first, second in VARIABLE.findall(text)}


def label_values(query: str) -> tuple[str | None, str]:
    """The selector and the label that a query variable asks for."""
    found = re.fullmatch(r"label_values\((?:(.+), ?)?(\w+)\)", query, re.DOTALL)
    assert found, query
    return found[1], found[2]
