"""One objective of one configuration, judged over its trials: what was asked for, and what it came to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, assert_never

from sloproof.analysis.floor import judged_by
from sloproof.analysis.looking import judge_looked
from sloproof.analysis.results import ObjectiveDefinition, ObjectiveResult
from sloproof.analysis.verdicts import judge, judge_integrity
from sloproof.experiment.together import together
from sloproof.observe.conventions import JOB_COMPLETED
from sloproof.slo.budget import budget_consumed
from sloproof.slo.definition import (
    Availability,
    ErrorRatio,
    EventLatency,
    Latency,
    OfPrometheus,
    Ratio,
    Up,
)
from sloproof.slo.fileformat import INTEGRITY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sloproof.analysis.floor import NoiseFloor
    from sloproof.analysis.looking import Looking
    from sloproof.analysis.results import TrialResult
    from sloproof.analysis.verdicts import Judgement
    from sloproof.slo.definition import Objective

INTEGRITY_DEFINITION = ObjectiveDefinition(
    name=INTEGRITY,
    description="Accepted jobs end exactly once, requests taken are answered, SIGTERM ends in good order.",
    indicator=INTEGRITY,
    target=None,
    threshold_s=None,
    endpoint=None,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """What verdicts rest on besides trials: when the run is looked at, and what the machine can show."""

    looking: Looking | None
    floor: NoiseFloor | None


def definition_of(objective: Objective) -> ObjectiveDefinition:
    """Return what an objective asks for, as results say it."""
    threshold_s, endpoint = None, None
    match objective.indicator:
        case Latency(method=method, route=route, threshold_s=exact_s):
            threshold_s, endpoint = float(exact_s), f"{method} {route}"
        case EventLatency(event=event, threshold_s=exact_s):
            threshold_s, endpoint = float(exact_s), event
        case Availability() | Ratio() | ErrorRatio() | Up():
            pass
    return ObjectiveDefinition(
        name=objective.name,
        description=objective.description,
        indicator=type(objective.indicator).__name__,
        target=str(objective.target),
        threshold_s=threshold_s,
        endpoint=endpoint,
    )


def judged(objective: Objective, valid: Sequence[TrialResult], grounds: Grounds) -> ObjectiveResult:
    """Return the verdict on an objective, with what each observer saw of it in the valid trials."""
    seen = [trial.observations[objective.name] for trial in valid]
    all_seen = together(objective.target, seen)
    judgement = _by_clients(objective, valid, grounds)
    if isinstance(objective.indicator, OfPrometheus) and all_seen.by_prometheus is not None:
        judgement = all_seen.by_prometheus
    elif seen and not judgement.total.total:
        judgement = replace(judgement, reason=_unseen(objective, valid), more_trials=None)
    return ObjectiveResult(
        name=objective.name,
        verdict=judgement.verdict,
        reason=judgement.reason,
        interval=judgement.interval,
        client=all_seen.client,
        server=all_seen.server,
        more_trials=judgement.more_trials,
        budget_consumed_ratio=budget_consumed(
            bad=judgement.total.bad, total=judgement.total.total, budget=objective.budget
        ),
        finding=all_seen.finding,
        prometheus=all_seen.prometheus,
        counts=all_seen.counts,
        bad=all_seen.bad,
    )


def judged_integrity(trials: Sequence[TrialResult]) -> ObjectiveResult:
    """Return the verdict on the subject's integrity in all trials, valid or not."""
    judgement = judge_integrity([trial.integrity.violations for trial in trials])
    return ObjectiveResult(
        name=INTEGRITY,
        verdict=judgement.verdict,
        reason=judgement.reason,
        interval=None,
        client=None,
        server=None,
        more_trials=judgement.more_trials,
        budget_consumed_ratio=None,
        finding=None,
    )


def _by_clients(objective: Objective, valid: Sequence[TrialResult], grounds: Grounds) -> Judgement:
    seen = [
        (trial.block, counts)
        for trial in valid
        if (counts := trial.observations[objective.name].client) is not None
    ]
    if grounds.looking is None:
        judgement = judge(objective.target, [counts for _, counts in seen])
    else:
        judgement = judge_looked(objective.target, seen, grounds.looking)
    threshold_s = definition_of(objective).threshold_s
    if grounds.floor is None or threshold_s is None or not judgement.total.total:
        return judgement
    return judged_by(grounds.floor, judgement, target=objective.target, threshold_s=threshold_s)


def _unseen(objective: Objective, valid: Sequence[TrialResult]) -> str:
    match objective.indicator:
        case Ratio() | ErrorRatio() | Up():
            problems = [trial.scrapes.problem for trial in valid if trial.scrapes and trial.scrapes.problem]
            why = problems[0] if problems else "its queries gave it no value"
            return f"only a Prometheus can evaluate this indicator: {why}"
        case EventLatency(event=event) if event != JOB_COMPLETED:
            return f"clients cannot see the event '{event}': they see only {JOB_COMPLETED}"
        case Latency(method=method, route=route):
            return f"the traffic has no request named {method} {route}"
        case EventLatency() | Availability():
            return "the traffic has no such event"
        case _:
            assert_never(objective.indicator)
