"""From the trials of searches to the capacity of each configuration, as results hold it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from sloproof.analysis.capacity.conclusion import conclude, judge_capacity
from sloproof.analysis.capacity.fit import CONFIDENCE_RATIO
from sloproof.analysis.capacity.knee import knee
from sloproof.analysis.capacity.limits import Limit, Limiter, limited_by
from sloproof.analysis.capacity.result import CAPACITY, Capacity, Curve, Point, Search, sentence
from sloproof.analysis.capacity.search import Ending, Finding, Step, so_far, step
from sloproof.analysis.percentiles import percentile
from sloproof.analysis.results import ObjectiveDefinition, ObjectiveResult
from sloproof.analysis.verdicts import floor_events
from sloproof.experiment.capacity.plan import search_plans
from sloproof.experiment.capacity.trials import observation, processors, scored, used
from sloproof.experiment.judging import definition_of
from sloproof.observe.conventions import JOB_COMPLETED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sloproof.analysis.capacity.conclusion import Conclusion
    from sloproof.analysis.capacity.fit import Line
    from sloproof.analysis.capacity.limits import Processors, Usage
    from sloproof.analysis.capacity.observation import Observation
    from sloproof.analysis.capacity.search import SearchPlan
    from sloproof.analysis.results import TrialResult
    from sloproof.analysis.scored import Scored
    from sloproof.experiment.runfolder import RunFolder
    from sloproof.experiment.spec import Experiment
    from sloproof.slo.definition import Definition

Latencies: TypeAlias = "dict[str, tuple[float | None, float | None]]"

DEFINITION = ObjectiveDefinition(
    name=CAPACITY,
    description="The highest rate at which a configuration meets all of the objectives.",
    indicator=CAPACITY,
    target=None,
    threshold_s=None,
    endpoint=None,
)


def asked(experiment: Experiment) -> Search | None:
    """Return what an experiment asks of its searches; ``None`` for one without."""
    if (search := experiment.search) is None:
        return None
    return Search(
        from_per_s=search.lowest,
        to_per_s=search.highest,
        at_least_per_s=search.at_least,
        budget_s=search.budget,
        trials=search.trials,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Searched:
    """The trials of one configuration, in their order: results, what each said, used and took.

    ``latencies_s`` are p50 and p99 by endpoint or event, ``None`` where too few tell, or one never ended.
    """

    trials: Sequence[TrialResult]
    seen: Sequence[Observation]
    usages: Sequence[Usage]
    latencies_s: Sequence[Latencies]
    finding: Finding
    complete: bool


def capacities(
    run: RunFolder, experiment: Experiment, definition: Definition, trials: Sequence[TrialResult]
) -> list[Capacity]:
    """Return the capacity of every configuration, as far as its search has come."""
    facts = run.facts()
    experiment = experiment.model_copy(update={"seed": facts.seed})
    search = asked(experiment)
    assert search is not None  # noqa: S101 - else there is none
    plans = search_plans(experiment, facts.backend)
    found = []
    for each in experiment.configurations():
        mine = [trial for trial in trials if trial.configuration == each.id]
        searched = _searched(run, plans[each.id], definition, mine)
        conclusion = conclude(searched.finding, seed=plans[each.id].seed)
        few = _too_few(searched, definition)
        conclusion = replace(conclusion, at_least_per_s=None) if few else conclusion
        limit = _limit(searched, conclusion, processors(experiment, each, facts))
        said = sentence(conclusion, searched.finding, limit, search, complete=searched.complete)
        points = tuple(_points(searched, definition))
        found.append(
            Capacity(
                configuration=each.id,
                verdict=judge_capacity(conclusion, demanded_per_s=search.at_least_per_s),
                sentence="; ".join(filter(None, (said, few))),
                ending=conclusion.ending,
                confidence_ratio=CONFIDENCE_RATIO,
                at_least_per_s=conclusion.at_least_per_s,
                estimate_per_s=conclusion.estimate_per_s,
                at_most_per_s=conclusion.at_most_per_s,
                binding=conclusion.binding,
                limit=limit,
                trials=conclusion.trials,
                seconds=sum(one.seconds for one in searched.seen),
                complete=searched.complete,
                points=points,
                curves=tuple(_curves(points, definition, conclusion.lines)),
            )
        )
    return found


def _searched(
    run: RunFolder, plan: SearchPlan, definition: Definition, trials: Sequence[TrialResult]
) -> _Searched:
    records = {record.folder: record for record in run.records()}
    seen, usages, latencies_s = [], [], []
    for trial in trials:
        folder = run.trial(trial.folder)
        events = scored(folder)  # read once, and let go of before the next
        seen.append(observation(events, trial, definition))
        usages.append(used(events, folder.gain(), records[trial.folder], definition))
        latencies_s.append(dict(_latencies(events)))
    end = step(plan, seen)
    return _Searched(
        trials=trials,
        seen=seen,
        usages=usages,
        latencies_s=latencies_s,
        finding=end if isinstance(end, Finding) else so_far(plan, seen),
        complete=isinstance(end, Finding),
    )


def verdict(capacity: Capacity) -> ObjectiveResult:
    """Return a capacity as an objective, so that all that reads verdicts reads it too."""
    return ObjectiveResult(
        name=CAPACITY,
        verdict=capacity.verdict,
        reason=capacity.sentence,
        interval=None,
        client=None,
        server=None,
        more_trials=None,
        budget_consumed_ratio=None,
        finding=None,
    )


def _too_few(searched: _Searched, definition: Definition) -> str | None:
    """Return why no lower bound can be shown: too few events even if none had been bad; else ``None``."""
    rows = zip(searched.trials, searched.seen, searched.finding.steps, strict=False)
    evidence = [trial for trial, seen, its in rows if seen.valid and its is not Step.BRACKET]
    for objective in definition.objectives if evidence else ():
        counts = [trial.observations[objective.name].client for trial in evidence]
        events, floor = sum(each.total for each in counts if each), floor_events(objective.target)
        if any(counts) and events < floor:
            return f"{objective.name} had {events:,} events, and takes {floor:,} to be shown: load longer"
    return None


def _limit(searched: _Searched, conclusion: Conclusion, processors: Processors) -> Limit:
    """Return what limited a configuration, from its valid trials at the limit and beyond."""
    match conclusion.ending:
        case Ending.TOP:
            return Limit(Limiter.NOTHING, "the search went no higher")
        case Ending.GENERATOR | Ending.UNMEASURED:
            return Limit(Limiter.GENERATOR, _generator(searched))
    missed_per_s = searched.finding.missed_per_s or 0.0
    limit_per_s = conclusion.estimate_per_s or conclusion.at_most_per_s or missed_per_s
    each = zip(searched.seen, searched.usages, strict=True)
    beyond = [usage for seen, usage in each if seen.valid and seen.rate_per_s >= limit_per_s]
    return limited_by(beyond, processors)


def _generator(searched: _Searched) -> str:
    """Return why the lowest rate that could not be measured could not."""
    rate_per_s = searched.finding.invalid_per_s
    at = [trial for trial in searched.trials if trial.problems and trial.rate_per_s == rate_per_s]
    return f"at {rate_per_s:g} requests/s {at[0].problems[0] if at else 'no objective had an event'}"


def _points(searched: _Searched, definition: Definition) -> Iterator[Point]:
    told = zip(searched.trials, searched.seen, searched.usages, searched.latencies_s, strict=True)
    for (trial, seen, usage, latencies_s), its in zip(told, searched.finding.steps, strict=False):
        yield Point(
            trial=trial.folder,
            rate_per_s=seen.rate_per_s,
            step=its,
            valid=seen.valid,
            met=seen.met if seen.valid else None,
            latencies_s=latencies_s,
            at_target_s=dict(_at_target(seen, definition)),
            subject_cpu=usage.subject_cpu,
        )


def _at_target(seen: Observation, definition: Definition) -> Iterator[tuple[str, float | None]]:
    for asks in map(definition_of, definition.objectives):
        if asks.endpoint and asks.threshold_s and (margin := seen.margins.get(asks.name)) is not None:
            yield asks.endpoint, asks.threshold_s * math.exp(margin) if margin < math.inf else None


def _latencies(events: Scored) -> Iterator[tuple[str, tuple[float | None, float | None]]]:
    values = {endpoint: each.latency_s for endpoint, each in events.requests.items()}
    if len(events.jobs):
        values[JOB_COMPLETED] = events.jobs.latency_s
    for name, latency_s in values.items():
        p50, p99 = percentile(latency_s, 0.5), percentile(latency_s, 0.99)
        yield name, (_finite(p50), _finite(p99))


def _finite(seconds: float | None) -> float | None:
    return seconds if seconds is not None and np.isfinite(seconds) else None


def _curves(points: Sequence[Point], definition: Definition, lines: Sequence[Line]) -> Iterator[Curve]:
    asked_of = {each.endpoint: each for each in map(definition_of, definition.objectives)}
    fitted = {line.objective: line for line in lines}
    for endpoint in dict.fromkeys(name for point in points for name in point.latencies_s):
        objective = asked_of.get(endpoint)
        line = fitted.get(objective.name) if objective else None
        rising = [
            (point.rate_per_s, latency_s)
            for point in points
            if point.valid and (latency_s := point.at_target_s.get(endpoint)) is not None
        ]
        yield Curve(
            endpoint=endpoint,
            objective=objective.name if objective else None,
            threshold_s=objective.threshold_s if objective else None,
            intercept=line.intercept if line else None,
            slope_s=line.slope_s if line else None,
            knee_per_s=knee(rising),
        )
