"""OpenSLO's documents (v1 and v1alpha) as SLO files of ours."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from sloproof.compile.interop import ours
from sloproof.compile.interop.foreign import close_documents, open_documents
from sloproof.compile.interop.openslo_alerts import alerting
from sloproof.compile.interop.openslo_conventions import (
    ALPHA,
    KINDS,
    OWN_ALERTING,
    OWN_PROMETHEUS,
    OWN_WINDOW,
    V1,
    Catalogue,
    shorthand_s,
)
from sloproof.compile.interop.openslo_indicators import Slices, indicator
from sloproof.compile.interop.openslo_sources import source_of
from sloproof.compile.interop.whose import reader_of
from sloproof.slo.fileformat import AlertingSection, PrometheusSection
from sloproof.slo.quantities import parse_positive_duration
from sloproof.slo.wording import nearest

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from sloproof.compile.interop.foreign import Document, Value, Wrong

UNITS_S = {"Second": 1, "Minute": 60, "Hour": 3_600, "Day": 86_400, "Week": 604_800}
NOMINAL_S = {"Month": 30 * 86_400, "Quarter": 90 * 86_400, "Year": 365 * 86_400}
METHODS = ("Occurrences", "Timeslices", "RatioTimeslices")


def read(text: str, *, path: Path, window_s: Decimal) -> ours.Imported:
    """Return the SLO files that a file of OpenSLO's amounts to.

    `window_s` is for SLOs that have no time window; `path` is for messages.

    Raises:
        InvalidFile: with every mistake found, or why nothing of it can be carried over.

    """
    documents = open_documents(path, text)
    catalogue = _catalogue(documents)
    if documents[0].findings.problems:  # from which others would follow
        close_documents(documents, carried=False)
    parts: list[ours.Part] = []
    for document in documents:
        if document.root in catalogue.of("SLO"):
            with document.part(document.root):
                parts.append(_Slo(document.root, catalogue, window_s).part())
    files = ours.assemble(parts)
    _tell_the_rest(catalogue)
    return ours.Imported(files, close_documents(documents, carried=bool(files)))


def _catalogue(documents: list[Document]) -> Catalogue:
    catalogue = Catalogue()
    for document in documents:
        with document.part(root := document.root):
            if other := reader_of(root, besides="openslo"):
                raise root.wrong(f"no file of OpenSLO's: {other}")
            api, kind = root.need("apiVersion", example=V1), root.need("kind", example="SLO")
            version = api.text().replace("openslo.com/", "openslo/")
            if version not in {V1, ALPHA}:
                raise api.wrong(f"apiVersion: '{api.text()}' is not known: write {V1} or {ALPHA}")
            if kind.text() not in KINDS:
                raise _unknown(kind, KINDS)
            catalogue.add(kind.text(), root)
    return catalogue


def _tell_the_rest(catalogue: Catalogue) -> None:
    """Tell about every document that is not an SLO, and what became of it."""
    for root in catalogue.of("Service"):
        with root.document.part(root):
            metadata = root.need("metadata", example="{name: checkout}")
            metadata.need("name", example="checkout")
            _tell_annotations(metadata, known={OWN_PROMETHEUS})
            metadata.drop(
                "an SLO file has nothing to say of its service but the name", "displayName", "labels"
            )
            if spec := root.get("spec"):
                spec.drop("an SLO file has nothing to say of its service but the name", "description")
    for kind, why in (
        ("DataSource", "rules run in the Prometheus that loads them"),
        ("AlertNotificationTarget", "Alertmanager's configuration says who is told"),
        ("SLI", "no SLO of this file refers to it"),
        ("AlertPolicy", "no SLO of this file refers to it"),
        ("AlertCondition", "no alert policy of this file refers to it"),
    ):
        for root in catalogue.of(kind):
            if root not in catalogue.used:
                root.note(f"{kind} '{catalogue.name(root)}' is not carried over: {why}")
                root.document.close(())


def _tell_annotations(metadata: Value, *, known: set[str]) -> None:
    given = metadata.get("annotations")
    for key, value in given.pairs() if given else []:
        if key not in known:
            value.note(
                f"the annotation '{key}' is not carried over: it is for another implementation of OpenSLO"
            )


@dataclass(frozen=True, slots=True)
class _Slo:
    """An SLO document, and the documents that it may refer to."""

    root: Value
    catalogue: Catalogue
    default_window_s: Decimal

    def part(self) -> ours.Part:
        metadata = self.root.need("metadata", example="{name: checkout-errors}")
        spec = self.root.need("spec", example="{service: checkout, …}")
        service = spec.need("service", example="checkout")
        window_s = self._window_s(spec, metadata)
        labels = ours.labels(metadata.get("labels"))
        alerts = alerting(
            spec, self.catalogue, window_s, own=self._own(metadata, OWN_ALERTING, AlertingSection)
        )
        _tell_annotations(metadata, known={OWN_ALERTING, OWN_WINDOW})
        given = spec.need("objectives", example="[{target: 0.999}]").items()
        objectives = []
        for index, objective in enumerate(given):
            data = {
                "name": self._name(metadata, objective, index if len(given) > 1 else None),
                "description": self._description(metadata, spec, objective),
                "target": _target(objective),
                "window": ours.duration(window_s),
                "labels": labels,
                "alerting": alerts,
                "indicator": self._indicator(spec, objective),
            }
            objectives.append((objective, data))
        return ours.Part(
            service=ours.slug(service), prometheus=self._prometheus(service.text()), objectives=objectives
        )

    def _name(self, metadata: Value, objective: Value, index: int | None) -> str:
        name = metadata.need("name", example="checkout-errors")
        if index is None:
            return ours.slug(name)
        shown = objective.get("displayName")
        text = f"{name.text()}-{shown.text() if shown else index + 1}"
        return ours.slug(objective, text=text)

    def _description(self, metadata: Value, spec: Value, objective: Value) -> str:
        given = (metadata.get("displayName"), objective.get("displayName"), spec.get("description"))
        return ": ".join(dict.fromkeys(each.text() for each in given if each))

    def _window_s(self, spec: Value, metadata: Value) -> Decimal:
        if own := _annotation(metadata, OWN_WINDOW):
            spec.get("timeWindow")
            try:
                return parse_positive_duration(own.text())
            except ValueError as error:
                raise own.wrong(f"{own.name}: {error}") from error
        windows = spec.get("timeWindow", "timeWindows")
        if windows is None:
            spec.note(
                f"no time window is given: it became {ours.duration(self.default_window_s)} (see --window)"
            )
            return self.default_window_s
        if len(items := windows.items()) != 1:
            raise windows.wrong(
                f"{windows.name}: takes exactly one window, e.g. [{{duration: 4w, isRolling: true}}]"
            )
        return _length_s(items[0])

    def _indicator(self, spec: Value, objective: Value) -> ours.Data:
        method = spec.get("budgetingMethod")
        if method and method.text() not in METHODS:
            raise _unknown(method, METHODS)
        if weight := objective.get("compositeWeight"):
            weight.note(
                f"'{weight.name}' is not carried over: each objective stands for itself, and no sum of them"
            )
        source = source_of(spec, objective, self.catalogue)
        return indicator(source, objective, Slices.of(objective, method.text() if method else METHODS[0]))

    def _prometheus(self, service: str) -> dict[str, Any]:
        if (root := self.catalogue.known("Service", service)) is None:
            return {}
        metadata = root.need("metadata", example="{name: checkout}")
        return self._own(metadata, OWN_PROMETHEUS, PrometheusSection)

    def _own(self, metadata: Value, key: str, model: type[BaseModel]) -> dict[str, Any]:
        """Return what an export of ours has put into an annotation, since OpenSLO has no place for it."""
        if (value := _annotation(metadata, key)) is None:
            return {}
        try:
            data = json.loads(value.text())
            model.model_validate(data)
        except (ValueError, ValidationError) as error:
            reason = re.sub(r"\s+", " ", str(error))
            raise value.wrong(
                f"{value.name}: not what sloproof writes there ({reason}): remove it"
            ) from error
        return dict(data)


def _annotation(metadata: Value, key: str) -> Value | None:
    given = metadata.get("annotations")
    return given.get(key) if given else None


def _unknown(value: Value, known: Collection[str]) -> Wrong:
    """Return the exception that a value is none of those that there are."""
    text = value.text()
    return value.wrong(
        f"{value.name}: '{text}' is not known{nearest(text, known)} (one of: {', '.join(known)})"
    )


def _target(objective: Value) -> str:
    if percent := objective.get("targetPercent"):
        return ours.percentage(percent)
    return ours.ratio(objective.need("target", example="0.999"))


def _length_s(window: Value) -> Decimal:
    """Return the length of a time window; raises Wrong."""
    duration = window.get("duration")
    length_s = shorthand_s(duration) if duration else _counted_s(window)
    rolling = window.get("isRolling")
    calendar = window.get("calendar")
    if calendar or (rolling and not rolling.true()):
        window.note(
            "the calendar window is not carried over: it became the rolling window of "
            f"{ours.duration(length_s)}, which has no beginning"
        )
        if calendar:
            calendar.get("startTime")
            calendar.get("timeZone")
    return length_s


def _counted_s(window: Value) -> Decimal:
    """Return the length of a window as v1alpha writes it."""
    unit, count = window.need("unit", example="Day"), window.need("count", example="30")
    if not re.fullmatch(r"[1-9][0-9]{0,5}", count.text()):
        raise count.wrong(f"{count.name}: takes a whole number above 0, not '{count.text()}'")
    if (name := unit.text()) in NOMINAL_S:
        length_s = Decimal(count.text()) * NOMINAL_S[name]
        unit.note(f"{count.text()} {name} became {ours.duration(length_s)}: a rolling window has one length")
        return length_s
    if name not in UNITS_S:
        raise _unknown(unit, (*UNITS_S, *NOMINAL_S))
    return Decimal(count.text()) * UNITS_S[name]
