"""What a Grafana dashboard asks of Prometheus, with its variables filled in; it asks nothing itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from deploy.stack_check.images import Json

# As Grafana has them for the last quarter of an hour at a scrape every 15 s.
BUILT_IN = {
    "__interval": "15s",
    "__interval_ms": "15000",
    "__rate_interval": "1m",
    "__range": "900s",
    "__range_s": "900",
    "__range_ms": "900000",
}
_REFERENCE = re.compile(r"\$\{(\w+)(?::\w+)?\}|\[\[(\w+)\]\]|\$(\w+)")
_LABEL_VALUES = re.compile(r"label_values\((?:(?P<selector>.+),)?\s*(?P<label>\w+)\s*\)")
ALL = "$__all"


class DashboardError(ValueError):
    """A dashboard holds what cannot be filled in; the message says what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One expression of a panel, or of an annotation."""

    of: str
    expression: str
    instant: bool


def queries(dashboard: Json) -> Iterator[Query]:
    """Yield everything that a dashboard asks of a Prometheus, variables still by name."""
    for panel in _panels(dashboard.get("panels", ())):
        source = panel.get("datasource")
        for target in panel.get("targets", ()):
            if target.get("expr") and _is_prometheus(target.get("datasource") or source):
                yield Query(
                    of=f"{panel.get('title', 'untitled')}/{target.get('refId', '?')}",
                    expression=target["expr"],
                    instant=bool(target.get("instant")) and not target.get("range"),
                )
    for each in dashboard.get("annotations", {}).get("list", ()):
        expression = each.get("expr") or each.get("target", {}).get("expr")
        if expression and _is_prometheus(each.get("datasource")):
            yield Query(of=f"annotation {each.get('name')}", expression=expression, instant=False)


def _panels(panels: Json) -> Iterator[Json]:
    for panel in panels:
        yield panel
        yield from _panels(panel.get("panels") or ())  # those of a row that is folded


def _is_prometheus(source: Json) -> bool:
    """Return whether a data source is one; one that is named by nothing but a text or a variable may be."""
    return not isinstance(source, dict) or source.get("type", "prometheus") == "prometheus"


def fill(expression: str, values: Mapping[str, str]) -> str:
    """Put values in the place of variables.

    >>> fill('rate(x{job=~"$job"}[$__rate_interval])', {**BUILT_IN, "job": "jobs"})
    'rate(x{job=~"jobs"}[1m])'

    Raises:
        DashboardError: the dashboard has no variable of a name that is used.

    """

    def value(found: re.Match[str]) -> str:
        name = next(group for group in found.groups() if group)
        if name not in values:
            raise DashboardError(f"${name} is no variable of the dashboard")
        return values[name]

    return _REFERENCE.sub(value, expression)


def variables(
    dashboard: Json, label_values: Callable[[str, str | None], list[str]]
) -> Iterator[tuple[str, str]]:
    """Yield each variable with the text that Grafana would put in its place, built-in ones first.

    `label_values` returns the values of a label, given a selector or none; the first of them is chosen, or
    all where all can be.

    Raises:
        DashboardError: a variable is of a kind that is not known here.

    """
    known = dict(BUILT_IN)
    for variable in dashboard.get("templating", {}).get("list", ()):
        if variable["type"] == "adhoc":
            continue
        known[variable["name"]] = _text(variable, _choices(variable, known, label_values))
    yield from known.items()


def _choices(
    variable: Json, known: Mapping[str, str], label_values: Callable[[str, str | None], list[str]]
) -> list[str]:
    kind, query = variable["type"], variable.get("query")
    if kind == "query":
        asked = query["query"] if isinstance(query, dict) else query
        if not (parts := _LABEL_VALUES.fullmatch(asked.strip())):
            raise DashboardError(f"${variable['name']} is asked by {asked!r}, which is not label_values(…)")
        selector = parts["selector"]
        return label_values(parts["label"], fill(selector, known) if selector else None)
    if kind in {"custom", "interval"}:
        return [each.rpartition(" : ")[2].strip() for each in str(query).split(",")]
    if kind in {"constant", "textbox", "datasource"}:
        return [str(query)]
    raise DashboardError(f"${variable['name']} is of the kind {kind!r}, which is not known here")


def _text(variable: Json, choices: list[str]) -> str:
    if not (variable.get("multi") or variable.get("includeAll")):
        chosen = variable.get("current", {}).get("value")
        return chosen if chosen in choices else next(iter(choices), "")
    if variable.get("allValue"):
        return str(variable["allValue"])
    # A regular expression in a quoted text, so each backslash of the one is two in the other.
    return "|".join(re.sub(r"([\\^$*+?.()|{}\[\]])", r"\\\\\1", each) for each in choices) or ".*"
