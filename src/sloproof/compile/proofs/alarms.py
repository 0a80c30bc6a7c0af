"""Tests of which alerts fire in an outage and without metrics, and of all that they say."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from sloproof.compile import conventions as names
from sloproof.compile import promql
from sloproof.compile.proofs.case import FIRING, Alarm, Case, Expectation, before, between, never, up_to
from sloproof.compile.proofs.timeline import MANY, Timeline
from sloproof.compile.rules import Alert, compile_rules
from sloproof.slo.tiers import DAY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sloproof.compile.proofs.case import Subject
    from sloproof.slo.definition import Definition
    from sloproof.slo.tiers import Severity

OUTAGE = 1.0
ABSENCE = "absence"
OUTAGE_TITLE = "A total outage fires all that can fire"
TEMPLATE = re.compile(r"\{\{ \$value \| printf \"%\.1f\" \}\}|\{\{ with query .*?\{\{ end \}\}")


def outage(subject: Subject) -> Case:
    """Return a test that a total outage from the start fires every tier that can fire, with its labels.

    Every window shows an error ratio of 1, so nothing but the factor decides.
    """
    line = Timeline(subject)
    volume = subject.volume(share=1, pace_s=line.pace, step_s=line.step, history_s=5 * line.pace) or MANY
    end = line.go(10 * line.pace, volume, OUTAGE)
    state = {"alertname": names.BURN_ALERT, "alertstate": FIRING}
    fired = [
        f"ALERTS{promql.matchers({**state, **_labels(subject, tier.name, tier.severity)})}"
        for tier in subject.fireable
    ]
    dead = [tier for tier in subject.objective.alerting.tiers if tier not in subject.fireable]
    of_it = f"ALERTS{promql.matchers({**state, names.ID: subject.id})}"
    return Case(
        title=OUTAGE_TITLE,
        objectives=(subject.objective.name,),
        pace_s=line.pace,
        step_s=line.step,
        series=subject.traffic(line.phases, slow=True),
        expectations=(
            Expectation(at_s=end, expr=of_it, samples=dict.fromkeys(fired, 1.0)),
            *_told(subject, end),
            *(never(subject.alerts(tier), end) for tier in dead),
        ),
    )


def burn_alarms(subject: Subject) -> list[Alarm] | None:
    """Return what the alerts of an objective say in a total outage from the start, or ``None``: not known.

    The rate is 1 over the budget, as much is spent of it, and no time is left. Not known is what templates
    of one's own would say.
    """
    burn = 1 / float(subject.objective.budget)
    alarms = [
        Alarm(
            alert=names.BURN_ALERT,
            labels=_labels(subject, tier.name, tier.severity),
            annotations={
                name: _rendered(text, rate=f"{burn:.1f}", left=f"{(1 - burn) * 100:.4g}%", time_left="0s")
                for name, text in _alert(subject, tier.name).annotations.items()
            },
        )
        for tier in subject.fireable
    ]
    return alarms if _known(alarms) else None


def nothing(definition: Definition, subjects: Sequence[Subject]) -> Case | None:
    """Return a test that without any metrics at all the alerts that tell so fire in time, and no other."""
    counted = [subject for subject in subjects if subject.counts]
    if not counted:
        return None
    pace = definition.prometheus.evaluation_interval_s
    after_s = [subject.objective.alerting.absence.after_s for subject in counted]
    end = up_to(max(after_s) + pace, pace)
    first = before(min(after_s), pace)
    alarms = tuple(
        Alarm(
            alert=names.ABSENCE_ALERT,
            labels=_labels(subject, ABSENCE, subject.objective.alerting.absence.severity),
            annotations=_alert(subject, ABSENCE).annotations,
        )
        for subject in counted
    )
    at = {(first, names.ABSENCE_ALERT): (), (end, names.ABSENCE_ALERT): alarms}
    return Case(
        title="Without metrics, that is what is told",
        objectives=tuple(subject.objective.name for subject in counted),
        pace_s=pace,
        step_s=pace,
        series={},
        expectations=tuple(never(subject.alerts(), end) for subject in counted),
        alarms=at if _known(alarms) else {},
    )


def _told(subject: Subject, at_s: int) -> list[Expectation]:
    """Expect what is recorded of the promise itself, and of a budget that burns in a total outage."""
    objective = subject.objective
    burn = 1 / float(objective.budget)
    exact = {
        names.OBJECTIVE: objective.target,
        names.BUDGET: objective.budget,
        names.PERIOD_DAYS: objective.window_s / DAY,
    }
    return [
        *(
            Expectation(at_s=at_s, expr=f"max({subject.series(name)})", samples={"{}": float(value)})
            for name, value in exact.items()
        ),
        *(
            between(subject.series(name), burn * 0.999, burn * 1.001, at_s)
            for name in (names.CURRENT_BURN_RATE, names.PERIOD_BURN_RATE)
        ),
    ]


def _alert(subject: Subject, tier: str) -> Alert:
    alone = replace(subject.definition, objectives=(subject.objective,))
    (group,) = compile_rules(alone)
    return next(rule for rule in group.rules if isinstance(rule, Alert) and rule.labels[names.TIER] == tier)


def _labels(subject: Subject, tier: str, severity: Severity) -> dict[str, str]:
    """Return the labels that an alert must have."""
    objective = subject.objective
    return {
        **objective.labels,
        **objective.alerting.labels,
        names.ID: subject.id,
        names.SERVICE: subject.definition.service,
        names.SLO: objective.name,
        names.SEVERITY: severity.value,
        names.SLOTH_SEVERITY: severity.value,
        names.TIER: tier,
    }


def _known(alarms: Sequence[Alarm]) -> bool:
    """Tell whether no template is left in what alerts say."""
    return all("{{" not in text for alarm in alarms for text in alarm.annotations.values())


def _rendered(text: str, *, rate: str, left: str, time_left: str) -> str:
    """Return an annotation with the templates of the rules replaced by values."""

    def value(found: re.Match[str]) -> str:
        if "$value" in found[0]:
            return rate
        return time_left if "humanizeDuration" in found[0] else left

    return TEMPLATE.sub(value, text)
