"""Where an OpenSLO document has its metric: in place, in an SLI, in the old form; no query is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sloproof.compile.interop.foreign import Value
    from sloproof.compile.interop.openslo_conventions import Catalogue

PROMQL_SOURCES = frozenset(
    {"prometheus", "thanos", "mimir", "cortex", "victoriametrics", "amp", "gmp", "promql"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Good or bad events, and all of them; `counter` is unknown where nothing tells."""

    good: Value | None = None
    bad: Value | None = None
    total: Value
    counter: bool | None


@dataclass(frozen=True, slots=True)
class Raw:
    """A ratio that is stored as it is: of good events, or of bad ones."""

    query: Value
    of_good: bool


@dataclass(frozen=True, slots=True)
class Measured:
    """A value that an objective compares with its own."""

    query: Value


Source = Counted | Raw | Measured


def source_of(spec: Value, objective: Value, catalogue: Catalogue) -> Source:
    """Return the metric of an objective; raises Wrong, or LeftOut where it is not of Prometheus."""
    if ratio := objective.get("ratioMetrics"):  # v1alpha
        incremental = ratio.get("incremental")
        good, total = ratio.need("good", example="{query: …}"), ratio.need("total", example="{query: …}")
        counter = incremental.true() if incremental else None
        return Counted(good=_alpha_query(good), total=_alpha_query(total), counter=counter)
    sli = _sli(objective, catalogue) or _sli(spec, catalogue)
    if sli is None:
        raise spec.wrong(
            f"{spec.name}: missing key 'indicator', e.g. indicator: {{metadata: …, spec: {{ratioMetric: …}}}}"
        )
    if threshold := sli.get("thresholdMetric"):
        alpha = threshold.get("metricSource") is None
        return Measured(_alpha_query(threshold) if alpha else _query(threshold, catalogue))
    ratio = sli.need("ratioMetric", example="{counter: true, good: …, total: …}")
    return _ratio(ratio, catalogue)


def _sli(holder: Value, catalogue: Catalogue) -> Value | None:
    """Return the indicator that something holds or refers to."""
    inline, reference = holder.get("indicator"), holder.get("indicatorRef")
    if inline and reference:
        raise reference.wrong(f"{holder.name}: takes indicator or indicatorRef, not both: remove one")
    found = inline or (catalogue.find("SLI", reference) if reference else None)
    if found is None or (found.get("thresholdMetric") and not found.get("spec")):
        return found  # v1alpha has no level between
    if metadata := found.get("metadata"):
        metadata.get("name")
        metadata.drop("an indicator of ours has no name of its own", "displayName", "labels", "annotations")
    found.get("apiVersion")
    found.get("kind")
    spec = found.need("spec", example="{ratioMetric: …}")
    spec.drop("an indicator of ours has no description of its own", "description")
    return spec


def _ratio(ratio: Value, catalogue: Catalogue) -> Source:
    counter = ratio.get("counter")
    if raw := ratio.get("raw"):
        kind = ratio.need("rawType", example="success")
        if kind.text() not in {"success", "failure"}:
            raise kind.wrong(f"{kind.name}: takes success or failure, not '{kind.text()}'")
        return Raw(_query(raw, catalogue), of_good=kind.text() == "success")
    good, bad = ratio.get("good"), ratio.get("bad")
    total = ratio.need("total", example="{metricSource: …}")
    if (good is None) == (bad is None):
        raise ratio.wrong(
            f"{ratio.name}: takes either good or bad beside total: what is not the one is the other"
        )
    return Counted(
        good=_query(good, catalogue) if good else None,
        bad=_query(bad, catalogue) if bad else None,
        total=_query(total, catalogue),
        counter=counter.true() if counter else None,
    )


def _query(metric: Value, catalogue: Catalogue) -> Value:
    source = metric.need("metricSource", example="{type: Prometheus, spec: {query: …}}")
    kind, reference = source.get("type"), source.get("metricSourceRef")
    if kind is None and reference and (known := catalogue.known("DataSource", reference.text())):
        spec = known.get("spec")
        kind = spec.get("type") if spec else None
    spec = source.need("spec", example="{query: …}")
    if kind and kind.text().casefold() not in PROMQL_SOURCES:
        raise source.left_out(
            f"{source.name}: a query of {kind.text()} is no PromQL, so this SLO is left out: "
            "write the same for Prometheus, with type: Prometheus"
        )
    return spec.need("query", "promql", example="sum(x_total)")


def _alpha_query(metric: Value) -> Value:
    kind, source = metric.get("queryType"), metric.get("source")
    for each in (source, kind):
        if each and each.text().casefold() not in PROMQL_SOURCES:
            raise metric.left_out(
                f"{metric.name}: a query of {each.text()} is no PromQL, so this SLO is left out: "
                "write the same for Prometheus, with queryType: promql"
            )
    return metric.need("query", example="sum(x_total)")
