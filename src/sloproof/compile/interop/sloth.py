"""Sloth's SLOs, plain (`prometheus/v1`) or of Kubernetes (`PrometheusServiceLevel`), as SLO files of ours."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sloproof.compile.conventions import BURN_ALERT, TIER
from sloproof.compile.interop import ours, queries
from sloproof.compile.interop.foreign import close_documents, open_documents
from sloproof.compile.interop.whose import reader_of
from sloproof.compile.promql import PER_SECOND
from sloproof.slo.fileformat import WINDOW_PLACEHOLDER
from sloproof.slo.tiers import WORKBOOK, Severity

if TYPE_CHECKING:
    from decimal import Decimal
    from pathlib import Path

    from sloproof.compile.interop.foreign import Document, Value

PLAIN, KUBERNETES, KIND = "prometheus/v1", "sloth.slok.dev/v1", "PrometheusServiceLevel"
LINK = re.compile(r"https?://[^\s{}]+")
LINKS = {"runbook_url": "runbook", "dashboard_url": "dashboard"}
"""Annotations that our files have keys for."""
ALERTS = {Severity.PAGE: ("page_alert", "pageAlert"), Severity.TICKET: ("ticket_alert", "ticketAlert")}
OF_KUBERNETES = "it tells Kubernetes about the object, and no SLO of ours is one"


def read(text: str, *, path: Path, window_s: Decimal) -> ours.Imported:
    """Return the SLO files that a file of Sloth's amounts to.

    Sloth's files have no window of their own: `window_s` is what Sloth was told on its command line. `path`
    is for messages.

    Raises:
        InvalidFile: with every mistake found, or why nothing of it can be carried over.

    """
    documents = open_documents(path, text)
    parts: list[ours.Part] = []
    for document in documents:
        with document.part(document.root):
            parts.append(_service(document, ours.duration(window_s)))
    files = ours.assemble(parts)
    return ours.Imported(files, close_documents(documents, carried=bool(files)))


def _service(document: Document, window: str) -> ours.Part:
    spec = _spec(document.root)
    service = ours.slug(spec.need("service", example="checkout"))
    labels = ours.labels(spec.get("labels"))
    for plugin in _plugins(spec.get("slo_plugins", "sloPlugins")):
        plugin.note(
            f"the plugin '{plugin.text()}' is not carried over: sloproof runs none of Sloth's plugins"
        )
    objectives = []
    for slo in spec.need("slos", example="[{name: requests-availability, …}]").items():
        with document.part(slo):
            objectives.append((slo, _objective(slo, window)))
    return ours.Part(service=service, labels=labels, objectives=objectives)


def _spec(root: Value) -> Value:
    """Return what describes the SLOs, which stands at the top or, on Kubernetes, a level below."""
    if other := reader_of(root, besides="sloth"):
        raise root.wrong(f"no file of Sloth's: {other}")
    if version := root.get("version"):
        if version.text() != PLAIN:
            raise version.wrong(f"version: '{version.text()}' is not known: write {PLAIN}")
        return root
    api = root.get("apiVersion")
    if api is None:
        raise root.wrong(f"no file of Sloth's: write version: {PLAIN}, or apiVersion: {KUBERNETES}")
    kind = root.need("kind", example=KIND)
    if api.text() != KUBERNETES or kind.text() != KIND:
        raise api.wrong(f"{api.text()} {kind.text()} is no object of Sloth's: write {KUBERNETES} {KIND}")
    root.drop(OF_KUBERNETES, "metadata", "status")
    return root.need("spec", example="{service: checkout, slos: […]}")


def _plugins(chain: Value | None) -> list[Value]:
    """Return the names of the plugins in a chain; their settings go with them."""
    if chain is None:
        return []
    chain.drop("there are no plugins to override", "overridePrevious", "override_previous")
    found = []
    for plugin in (chain.need("chain", example="[{id: …}]")).items():
        found.append(plugin.need("id", example="sloth.dev/core/debug/v1"))
        plugin.get("priority")
        plugin.get("config")
    return found


def _objective(slo: Value, window: str) -> ours.Data:
    name = ours.slug(slo.need("name", example="requests-availability"))
    for plugin in _plugins(slo.get("plugins")):
        plugin.note(
            f"the plugin '{plugin.text()}' is not carried over: sloproof runs none of Sloth's plugins"
        )
    description = slo.get("description")
    return {
        "name": name,
        "description": description.text() if description else "",
        "target": ours.percentage(slo.need("objective", example="99.9")),
        "window": window,
        "labels": ours.labels(slo.get("labels")),
        "alerting": _alerting(slo.get("alerting")),
        "indicator": _indicator(slo.need("sli", example="{events: {error_query: …, total_query: …}}")),
    }


def _indicator(sli: Value) -> ours.Data:
    if plugin := sli.get("plugin"):
        identity = plugin.need("id", example="sloth-common/http/availability")
        raise identity.left_out(
            f"the SLI plugin '{identity.text()}' cannot be carried over, so this SLO is left out: "
            "write the query that it makes as events"
        )
    if raw := sli.get("raw"):
        return {"error_ratio": {"query": _query(raw, "error_ratio_query", "errorRatioQuery")}}
    if events := sli.get("events"):
        bad = _counted(events, "error_query", "errorQuery")
        total = _counted(events, "total_query", "totalQuery")
        if bool(PER_SECOND.search(bad)) != bool(PER_SECOND.search(total)):
            raise events.left_out(
                f"{events.name}: one query gives events per second and the other does not, so their ratio is "
                "no share of events, and this SLO is left out: write increase(…) in both"
            )
        return {"ratio": {"bad": bad, "total": total}}
    raise sli.wrong(
        f"{sli.name}: takes one of events, raw and plugin, e.g. events: {{error_query: …, total_query: …}}"
    )


def _query(source: Value, *keys: str) -> str:
    value = source.need(*keys, example="sum(rate(x_total[{{.window}}]))")
    query = queries.adopted(value)
    if not queries.has_window(query):
        raise value.wrong(
            f"{value.name}: holds no {{{{.window}}}}: write it as the range, e.g. [{{{{.window}}}}]"
        )
    if ranges := [each for each in queries.fixed_ranges(query) if each != WINDOW_PLACEHOLDER]:
        value.note(
            f"'{value.name}' has the fixed range {', '.join(ranges)} beside the window: it is kept as it is"
        )
    return query


def _counted(source: Value, *keys: str) -> str:
    query = _query(source, *keys)
    if not queries.is_single(query):
        value = source.need(*keys, example="")
        value.note(f"'{value.name}' may give several series: sloproof sums them, and Sloth keeps them apart")
    return query


def _alerting(alerting: Value | None) -> ours.Data:
    if alerting is None:
        return {}
    if (name := alerting.get("name")) and name.text() != BURN_ALERT:
        name.note(
            f"the alert name '{name.text()}' is not carried over: all alerts are called {BURN_ALERT}, "
            "and differ in their labels"
        )
    enabled = {each: alerting.get(*keys) for each, keys in ALERTS.items()}
    disabled = {
        each for each, alert in enabled.items() if alert and (off := alert.get("disable")) and off.true()
    }
    if len(disabled) == len(enabled):
        alerting.note(f"'{alerting.name}' disables all alerts; the one that tells of absent metrics remains")
    own = [alert for each, alert in enabled.items() if each not in disabled]
    annotations = {**ours.labels(alerting.get("annotations")), **_shared(own, "annotations")}
    links = {
        key: annotations.pop(name)
        for name, key in LINKS.items()
        if name in annotations and LINK.fullmatch(annotations[name])
    }
    data = {
        "disable": [share.name for share in WORKBOOK if share.severity in disabled],
        "labels": {**ours.labels(alerting.get("labels")), **_shared(own, "labels")},
        "annotations": annotations,
        **links,
    }
    for each, alert in enabled.items():
        if alert and each in disabled:
            alert.drop(f"the {each} alerts are disabled", "labels", "annotations")
    return {key: value for key, value in data.items() if value}


def _shared(alerts: list[Value | None], key: str) -> dict[str, str]:
    """Return what all alerts that are left carry alike; the rest is told: ours have no labels by severity."""
    found = [alert.get(key) if alert else None for alert in alerts]
    given = [dict(each.pairs()) if each else {} for each in found]
    shared = {
        name
        for name in (given[0] if given else {})
        if all(name in each and each[name].data == given[0][name].data for each in given)
    }
    for each in given:
        for name, value in each.items():
            if name not in shared:
                value.note(_why_not_shared(name, value))
    carried: dict[str, str] = {}
    for name in sorted(shared):
        carried.update(ours.label(name, given[0][name]))
    return carried


def _why_not_shared(name: str, value: Value) -> str:
    if name in {"severity", TIER}:
        return f"'{value.name}' {value.text()} is not carried over: sloproof sets the label '{name}' itself"
    return f"'{value.name}' is not carried over: labels and annotations of ours go to pages and tickets alike"
