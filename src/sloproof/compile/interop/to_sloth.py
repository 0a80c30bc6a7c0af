"""An SLO file as one of Sloth's (`prometheus/v1`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sloproof.compile.conventions import BURN_ALERT
from sloproof.compile.interop.exported import (
    Exported,
    became_query,
    exported,
    lost_settings,
    number,
    templated,
)
from sloproof.compile.interop.foreign import Note
from sloproof.compile.interop.sloth import PLAIN
from sloproof.compile.promql import indent
from sloproof.compile.rules import links
from sloproof.compile.yamltext import emit
from sloproof.slo.definition import ErrorRatio
from sloproof.slo.quantities import in_units
from sloproof.slo.tiers import DAY, MONTH, Severity, default_tiers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from sloproof.compile.promql import Events
    from sloproof.slo.definition import Definition, Objective


def export(definition: Definition) -> Exported:
    """Return a definition as a file of Sloth's, and what that cannot say.

    An objective whose queries cannot be told without their window is left out, which is told.

    Raises:
        NothingLeft: none of the objectives can be told.

    """
    notes = [
        Note(1, f"prometheus.{each} is not carried over: Sloth's rules run as Prometheus is set up")
        for each in lost_settings(definition)
    ]
    slos = []
    for objective in definition.objectives:
        try:
            sli = _sli(definition, objective)
        except ValueError as error:
            notes.append(Note(objective.line, f"'{objective.name}' is left out: {error}"))
            continue
        notes += _lost(objective)
        slos.append(_slo(definition, objective, sli))
    data: dict[str, Any] = {"version": PLAIN, "service": definition.service, "slos": slos}
    return exported(emit(data), notes, some=bool(slos))


def _slo(definition: Definition, objective: Objective, sli: dict[str, Any]) -> dict[str, Any]:
    optional = {"description": objective.description, "labels": dict(objective.labels)}
    return {
        "name": objective.name,
        "objective": number(objective.target * 100),
        **{key: value for key, value in optional.items() if value},
        "sli": sli,
        "alerting": _alerting(definition, objective),
    }


def _sli(definition: Definition, objective: Objective) -> dict[str, Any]:
    events = templated(objective.indicator, definition.metrics)
    if isinstance(events, str):
        return {"raw": {"error_ratio_query": events}}
    return {"events": {"error_query": _errors(events), "total_query": events.total}}


def _errors(events: Events) -> str:
    """Return the query of bad events, which are 0 where none was ever seen."""
    if events.bad is not None:
        return f"(\n{indent(events.bad)}\n)\nor\nvector(0)"
    good = f"  (\n{indent(events.good or '', 4)}\n    or\n    vector(0)\n  )"
    return f"clamp_min(\n  (\n{indent(events.total, 4)}\n  )\n  -\n{good},\n  0\n)"


def _alerting(definition: Definition, objective: Objective) -> dict[str, Any]:
    alerting = objective.alerting
    present = {tier.severity for tier in alerting.tiers}
    optional = {
        "labels": dict(alerting.labels),
        "annotations": {**links(definition, objective), **alerting.annotations},
        "page_alert": {} if Severity.PAGE in present else {"disable": True},
        "ticket_alert": {} if Severity.TICKET in present else {"disable": True},
    }
    return {"name": BURN_ALERT, **{key: value for key, value in optional.items() if value}}


def _lost(objective: Objective) -> Iterator[Note]:
    """Yield what Sloth has no word for."""
    if note := became_query(objective):
        yield note

    def lost(what: str) -> Note:
        return Note(objective.line, what)

    name, alerting = objective.name, objective.alerting
    if objective.window_s != MONTH:
        window = in_units(int(objective.window_s))
        own = "" if objective.window_s == 28 * DAY else ", and the windows of its alerts as a file"
        yield lost(f"the window {window} of '{name}' is not carried over: give it to Sloth{own}")
    present = {tier.severity for tier in alerting.tiers}
    of_sloth = tuple(tier for tier in default_tiers(objective.window_s) if tier.severity in present)
    if alerting.tiers != of_sloth:
        yield lost(f"the tiers of '{name}' are not carried over: Sloth has the same windows for all SLOs")
    if alerting.tiers:
        yield lost(
            f"minimum_failures {alerting.minimum_failures} of '{name}' is not carried over: in Sloth's rules "
            "one failed request can alert"
        )
    if not isinstance(objective.indicator, ErrorRatio):
        yield lost(f"the alert on absent metrics of '{name}' is not carried over: Sloth has none")
