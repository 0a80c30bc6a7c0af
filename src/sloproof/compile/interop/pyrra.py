"""Pyrra's `ServiceLevelObjective`s as SLO files of ours."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from sloproof.compile.interop import ours, queries
from sloproof.compile.interop.foreign import close_documents, open_documents
from sloproof.compile.interop.whose import reader_of
from sloproof.compile.promql import BUCKET, bound
from sloproof.slo.fileformat import WINDOW_PLACEHOLDER
from sloproof.slo.tiers import WORKBOOK

if TYPE_CHECKING:
    from pathlib import Path

    from sloproof.compile.interop.foreign import Document, Value
    from sloproof.compile.selectors import Matcher, Selector

API, KIND = "pyrra.dev/v1alpha1", "ServiceLevelObjective"
PREFIX = "pyrra.dev/"
"""Labels so named go onto Pyrra's rules, without it."""
SERVICE = f"{PREFIX}service"


def read(text: str, *, path: Path, service: str | None = None) -> ours.Imported:
    """Return the SLO files that a file of Pyrra's amounts to.

    Pyrra knows no services: an SLO belongs to `service`, or to its label `pyrra.dev/service`, or to the
    service that its file is named after. `path` is for that and for messages.

    Raises:
        InvalidFile: with every mistake found, or why nothing of it can be carried over.

    """
    documents = open_documents(path, text)
    parts: list[ours.Part] = []
    for document in documents:
        with document.part(document.root):
            parts.append(_part(document, service))
    files = ours.assemble(parts)
    return ours.Imported(files, close_documents(documents, carried=bool(files)))


def _part(document: Document, service: str | None) -> ours.Part:
    root = document.root
    if other := reader_of(root, besides="pyrra"):
        raise root.wrong(f"no file of Pyrra's: {other}")
    api, kind = root.need("apiVersion", example=API), root.need("kind", example=KIND)
    if api.text() != API or kind.text() != KIND:
        raise api.wrong(f"{api.text()} {kind.text()} is no SLO of Pyrra's: write {API} {KIND}")
    metadata = root.need("metadata", example="{name: checkout-errors}")
    name = metadata.need("name", example="checkout-errors")
    labels, named = _labels(metadata.get("labels"))
    metadata.drop(
        "it tells Kubernetes about the object, and no SLO of ours is one", "namespace", "annotations"
    )
    root.drop("it tells what Pyrra made of the object", "status")
    if service is None:
        service = ours.slug(named) if named else ours.slug(root, text=document.path.stem)
        if not named:
            name.note(
                f"Pyrra knows no services: '{name.text()}' went to the service '{service}' (see --service)"
            )
    return ours.Part(service=service, objectives=[(name, _objective(root, name, labels))])


def _labels(labels: Value | None) -> tuple[dict[str, str], Value | None]:
    """Return the labels of rules, and the one that names the service."""
    carried: dict[str, str] = {}
    named = None
    for key, value in labels.pairs() if labels else []:
        if key == SERVICE:
            named = value
        elif not key.startswith(PREFIX):
            value.note(
                f"the label '{key}' is not carried over: it is the object's own, and on no rule of Pyrra's"
            )
        else:
            carried.update(ours.label(key, value, name=key.removeprefix(PREFIX)))
    return carried, named


def _objective(root: Value, name: Value, labels: dict[str, str]) -> ours.Data:
    spec = root.need("spec", example="{target: '99.9', window: 4w, indicator: {…}}")
    spec.drop("it is for the ruler of Thanos", "partial_response_strategy")
    spec.drop(
        "rules are written for every objective alike", "performanceOverAccuracy", "performance_over_accuracy"
    )
    description, target = spec.get("description"), spec.need("target", example="'99.9'")
    return {
        "name": ours.slug(name),
        "description": description.text() if description else "",
        "target": ours.percentage(target),
        "window": ours.duration(ours.prometheus_duration(spec.need("window", example="4w"))),
        "labels": labels,
        "alerting": _alerting(spec.get("alerting"), name),
        "indicator": _indicator(spec.need("indicator", example="{ratio: {errors: …, total: …}}")),
    }


def _alerting(alerting: Value | None, name: Value) -> ours.Data:
    def off(key: str, *, when: bool) -> Value | None:
        given = alerting.get(key) if alerting else None
        return given if given and given.true() is when else None

    if alerting:
        alerting.drop("all alerts have the same names, and differ in their labels", "name", "absentName")
    disabled, burnrates = off("disabled", when=True), off("burnrates", when=False)
    for absence in (disabled, off("absent", when=False)):
        if absence:
            absence.note(
                f"'{absence.name}' does not reach the alert on absent metrics, which no key of ours disables"
            )
    if disabled or burnrates:
        return {"disable": [share.name for share in WORKBOOK]}
    name.note(
        "Pyrra's four alerts became sloproof's default tiers, which differ a little in windows and factors"
    )
    return {}


def _indicator(indicator: Value) -> ours.Data:
    kinds = {"ratio": _ratio, "latency": _latency, "latencyNative": _native, "bool_gauge": _gauge}
    for key, convert in kinds.items():
        if found := indicator.get(key):
            if grouping := found.get("grouping"):
                by = ", ".join(each.text() for each in grouping.items())
                if by:
                    grouping.note(
                        f"'{grouping.name}' is not carried over: one objective for all of {by} together"
                    )
            return convert(found)
    raise indicator.wrong(
        f"{indicator.name}: takes one of {', '.join(kinds)}, e.g. ratio: {{errors: …, total: …}}"
    )


def _ratio(source: Value) -> ours.Data:
    errors, total = (
        _selector(source.need("errors", example="{metric: …}")),
        _selector(source.need("total", example="{metric: …}")),
    )
    return {"ratio": {"bad": _gained(str(errors)), "total": _gained(str(total))}}


def _latency(source: Value) -> ours.Data:
    success = source.need("success", example="{metric: …}")
    good, total = _selector(success), _selector(source.need("total", example="{metric: …}"))
    text = _with_bound(success, good)
    return {"ratio": {"good": _gained(text), "total": _gained(str(total))}}


def _with_bound(success: Value, good: Selector) -> str:
    """Return the selector of a bucket however its bound is written: Prometheus 3 writes 1.0 for 1."""
    bounds = [each for each in good.matchers if each.label == BUCKET]
    if not bounds:
        raise success.wrong(
            f'{success.name}: has no {BUCKET}: write the bucket\'s bound, e.g. x_bucket{{le="0.5"}}'
        )
    if any(each.operator != "=" or not ours.NUMBER.fullmatch(each.value) for each in bounds):
        return str(good)
    spelt = {each: bound(Decimal(each.value)) for each in bounds}
    text = f"{good.metric or ''}{{{','.join(spelt.get(each, str(each)) for each in good.matchers)}}}"
    if text != str(good):
        success.note(f"'{success.name}' became {text}, which matches however the bound is written")
    return text


def _native(source: Value) -> ours.Data:
    total = _gained(str(_selector(source.need("total", example="{metric: …}"))))
    latency_s = ours.plain(ours.prometheus_duration(source.need("latency", example="500ms")))
    return {
        "ratio": {
            "good": f"histogram_fraction(0, {latency_s}, {total}) * histogram_count({total})",
            "total": f"histogram_count({total})",
        }
    }


def _gauge(source: Value) -> ours.Data:
    selector = _selector(source)
    if selector.metric and all(each.operator == "=" for each in selector.matchers):
        return {"up": {"metric": selector.metric, **_exact(selector.matchers)}}
    return {
        "ratio": {
            "good": f"sum(sum_over_time({selector}[{WINDOW_PLACEHOLDER}]))",
            "total": f"sum(count_over_time({selector}[{WINDOW_PLACEHOLDER}]))",
        }
    }


def _exact(matchers: tuple[Matcher, ...]) -> ours.Data:
    return {"matchers": {each.label: each.value for each in matchers}} if matchers else {}


def _gained(selector: str) -> str:
    return f"sum(increase({selector}[{WINDOW_PLACEHOLDER}]))"


def _selector(source: Value) -> Selector:
    """Return the one selector of a metric; raises Wrong where it is more than that."""
    value = source.need("metric", example='http_requests_total{code=~"5.."}')
    found = queries.selected(queries.adopted(value))
    if found is None:
        raise value.wrong(
            f'{value.name}: takes a selector of series and nothing around it, e.g. x_total{{code="500"}}'
        )
    return found
