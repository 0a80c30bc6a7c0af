"""An SLO file as OpenSLO's documents (v1), with annotations for what those cannot say."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import chain, count
from typing import TYPE_CHECKING

from sloproof.compile.interop.exported import (
    Exported,
    became_query,
    exported,
    lost_settings,
    number,
    templated,
)
from sloproof.compile.interop.foreign import Note
from sloproof.compile.interop.openslo_conventions import (
    OWN_ALERTING,
    OWN_LONG,
    OWN_PROMETHEUS,
    OWN_SHORT,
    OWN_TIER,
    OWN_WINDOW,
    V1,
    shorthand,
)
from sloproof.compile.interop.ours import duration
from sloproof.compile.rules import links
from sloproof.compile.yamltext import emit
from sloproof.slo.definition import MINIMUM_FAILURES, Absence
from sloproof.slo.tiers import default_tiers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from sloproof.slo.definition import Definition, Objective
    from sloproof.slo.tiers import Tier

MINUTE = Decimal(60)
SHORT_IS_LOST = (
    "OpenSLO's conditions have one window: the short ones of the tiers are in annotations, for sloproof alone"
)


def export(definition: Definition) -> Exported:
    """Return a definition as documents of OpenSLO, and what only annotations of ours say in them.

    An objective whose queries cannot be told without their window is left out, which is told.

    Raises:
        NothingLeft: none of the objectives can be told.

    """
    policies = _Policies()
    notes: list[Note] = []
    slos = []
    for objective in definition.objectives:
        try:
            indicator = _indicator(definition, objective)
        except ValueError as error:
            notes.append(Note(objective.line, f"'{objective.name}' is left out: {error}"))
            continue
        if objective.alerting.tiers and not policies.names:
            notes.append(Note(objective.line, SHORT_IS_LOST))
        notes += _lost(objective)
        slos.append(_slo(definition, objective, indicator, policies))
    service = _document("Service", definition.service, {OWN_PROMETHEUS: _settings(definition)}, {})
    documents = [service, *slos, *policies.documents()]
    return exported("---\n".join(emit(each) for each in documents), notes, some=bool(slos))


def _document(
    kind: str,
    name: str,
    annotations: dict[str, str],
    spec: dict[str, Any],
    labels: dict[str, str] | None = None,
) -> dict[str, Any]:
    optional = {"labels": labels, "annotations": {key: text for key, text in annotations.items() if text}}
    metadata = {"name": name, **{key: value for key, value in optional.items() if value}}
    return {"apiVersion": V1, "kind": kind, "metadata": metadata, "spec": spec}


def _settings(definition: Definition) -> str:
    settings = dict(each.split(": ") for each in lost_settings(definition))
    return json.dumps(settings) if settings else ""


def _slo(
    definition: Definition, objective: Objective, indicator: dict[str, Any], policies: _Policies
) -> dict[str, Any]:
    window = shorthand(objective.window_s)
    annotations = {
        OWN_WINDOW: "" if window else duration(objective.window_s),
        OWN_ALERTING: _alerting(definition, objective),
    }
    spec = {
        "description": objective.description,
        "service": definition.service,
        "indicator": {"metadata": {"name": objective.name}, "spec": {"ratioMetric": indicator}},
        "timeWindow": [{"duration": window or _minutes(objective.window_s), "isRolling": True}],
        "budgetingMethod": "Occurrences",
        "objectives": [{"target": number(objective.target)}],
        "alertPolicies": [{"alertPolicyRef": policies.name(tier)} for tier in objective.alerting.tiers],
    }
    kept = {key: value for key, value in spec.items() if value}
    return _document("SLO", objective.name, annotations, kept, dict(objective.labels))


def _indicator(definition: Definition, objective: Objective) -> dict[str, Any]:
    events = templated(objective.indicator, definition.metrics)
    if isinstance(events, str):
        return {"counter": False, "rawType": "failure", "raw": _metric(events)}
    # No counter: what a query gives is how many events there were in a window, which rises and falls.
    kind = "good" if events.bad is None else "bad"
    return {"counter": False, kind: _metric(events.bad or events.good or ""), "total": _metric(events.total)}


def _metric(query: str) -> dict[str, Any]:
    return {"metricSource": {"type": "Prometheus", "spec": {"query": query}}}


def _alerting(definition: Definition, objective: Objective) -> str:
    """Return the part of `alerting` that is not the default and no tier, as JSON."""
    alerting = objective.alerting
    absence = {
        "severity": alerting.absence.severity.value,
        "after": duration(Decimal(alerting.absence.after_s)),
    }
    to = links(definition, objective)
    data = {
        "minimum_failures": alerting.minimum_failures
        if alerting.minimum_failures != MINIMUM_FAILURES
        else None,
        "disable": None if alerting.tiers else [tier.name for tier in default_tiers(objective.window_s)],
        "absence": absence if alerting.absence != Absence() else None,
        "labels": dict(alerting.labels),
        "annotations": dict(alerting.annotations),
        "runbook": to.get("runbook_url"),
        "dashboard": to.get("dashboard_url"),
    }
    given = {key: value for key, value in data.items() if value}
    return json.dumps(given, ensure_ascii=False) if given else ""


def _lost(objective: Objective) -> Iterator[Note]:
    if note := became_query(objective):
        yield note
    if shorthand(objective.window_s) is None:
        yield Note(
            objective.line,
            f"OpenSLO has no word for the window {duration(objective.window_s)}: it is in an annotation, and "
            f"{_minutes(objective.window_s)} stands for it",
        )


def _minutes(seconds: Decimal) -> str:
    return f"{max(1, round(seconds / MINUTE))}m"


@dataclass(frozen=True, slots=True)
class _Policies:
    """A policy, and its condition, for each tier; objectives with the same tier share them."""

    names: dict[Tier, str] = field(default_factory=dict)

    def name(self, tier: Tier) -> str:
        """Return what the policy of a tier is called."""
        if tier not in self.names:
            wanted = chain([tier.name], (f"{tier.name}-{number}" for number in count(2)))
            self.names[tier] = next(each for each in wanted if each not in self.names.values())
        return self.names[tier]

    def documents(self) -> Iterator[dict[str, Any]]:
        """Yield all policies and conditions."""
        for tier, name in self.names.items():
            yield _document("AlertPolicy", name, {}, _policy(name))
            yield _document("AlertCondition", name, _windows(tier), _condition(tier))


def _policy(name: str) -> dict[str, Any]:
    return {
        "alertWhenBreaching": True,
        "conditions": [{"conditionRef": name}],
        "notificationTargets": [],
    }


def _windows(tier: Tier) -> dict[str, str]:
    return {
        OWN_TIER: tier.name,
        OWN_LONG: "" if shorthand(Decimal(tier.long_s)) else duration(Decimal(tier.long_s)),
        OWN_SHORT: duration(Decimal(tier.short_s)),
    }


def _condition(tier: Tier) -> dict[str, Any]:
    return {
        "severity": tier.severity.value,
        "condition": {
            "kind": "burnrate",
            "op": "gt",
            "threshold": number(tier.factor),
            "lookbackWindow": shorthand(Decimal(tier.long_s)) or _minutes(Decimal(tier.long_s)),
            "alertAfter": "0m",
        },
    }
