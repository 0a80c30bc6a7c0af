"""From the raw data of a run to its results: every trial evaluated, every objective judged."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

from sloproof.analysis.intervals import median_interval
from sloproof.analysis.percentiles import curve, percentile
from sloproof.analysis.results import (
    SCHEMA,
    ConfigurationResult,
    EndpointResult,
    ObjectiveDefinition,
    ObjectiveResult,
    Percentile,
    Plan,
    Results,
    Traffic,
)
from sloproof.analysis.samples import Phase
from sloproof.analysis.timeline import timelines
from sloproof.analysis.verdicts import Verdict, judge, judge_integrity
from sloproof.experiment import plan, spec
from sloproof.experiment.capacity import summary as capacity
from sloproof.experiment.evaluate import evaluate_trial
from sloproof.experiment.runfolder import RunFolderError
from sloproof.observe import server
from sloproof.observe.conventions import JOB_COMPLETED
from sloproof.slo import definition as slo
from sloproof.slo.budget import budget_consumed
from sloproof.slo.definition import Availability, ErrorRatio, EventLatency, Latency, Ratio, Up
from sloproof.slo.fileformat import INTEGRITY
from sloproof.slo.yamlfile import read

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from sloproof.analysis.capacity.result import Capacity
    from sloproof.analysis.results import TrialResult
    from sloproof.analysis.timeline import Timeline
    from sloproof.experiment.runfolder import RunFacts, RunFolder, TrialFolder
    from sloproof.slo.definition import Definition, Objective

QUANTILES = (0.5, 0.9, 0.99)


def summarise(run: RunFolder) -> Results:
    """Return the results of a run, finished or not, from its raw data alone.

    Raises:
        RunFolderError: the folder is not that of a run, or the data of a trial are missing or broken.
        InvalidFile: one of its inputs is broken.

    """
    facts = run.facts()
    experiment = read(run.experiment, spec.Experiment)
    definition = slo.load(run.definition)
    try:
        proxied = facts.backend.proxied
        trials = [
            evaluate_trial(run.trial(record.folder), record, definition, proxied=proxied)
            for record in run.records()
        ]
    except (OSError, ValueError) as error:
        raise RunFolderError(f"{run.path}: the data of a trial are missing or broken: {error}") from error
    matrix = experiment.configurations()
    found = [] if experiment.search is None else capacity.capacities(run, experiment, definition, trials)
    return Results(
        schema=SCHEMA,
        run=run.path.name,
        experiment=experiment.name,
        description=experiment.description,
        started_at=facts.started_at,
        service=definition.service,
        objectives=(*([capacity.DEFINITION] if found else []), *_definitions(definition)),
        plan=_plan(experiment, facts, configurations=len(matrix)),
        environment=facts.environment,
        configurations=tuple(
            _searched(each, configuration, trials) for each, configuration in zip(found, matrix, strict=True)
        )
        if found
        else tuple(_configuration(run, definition, each, trials) for each in matrix),
        trials=tuple(trials),
        set_aside=run.set_aside(),
        complete=all(each.complete for each in found)
        if found
        else sum(not trial.repeat for trial in trials) >= len(matrix) * facts.blocks,
        capacities=tuple(found),
    )


def _plan(experiment: spec.Experiment, facts: RunFacts, *, configurations: int) -> Plan:
    container = experiment.subject.container
    return Plan(
        trials=configurations * facts.blocks,
        blocks=facts.blocks,
        seed=facts.seed,
        backend=facts.backend,
        backend_reason=facts.backend_reason,
        subject=facts.subject,
        calibration=facts.calibration,
        command=experiment.subject.command,
        env=experiment.subject.env,
        container=None if container is None else container.model_dump(mode="json", exclude_defaults=True),
        traffic=_traffic(experiment.load),
        profiles={
            name: _traffic(experiment.load.under(profile)) for name, profile in experiment.profiles.items()
        },
        search=capacity.asked(experiment),
    )


def _traffic(load: spec.LoadSpec) -> Traffic:
    return Traffic(
        arrival=load.arrival,
        rate_per_s=load.rate,
        warmup_s=load.warmup,
        load_s=load.duration,
        users=load.users,
        timeout_s=load.timeout,
    )


def _definitions(definition: Definition) -> list[ObjectiveDefinition]:
    return [*map(_definition, definition.objectives), _INTEGRITY]


_INTEGRITY = ObjectiveDefinition(
    name=INTEGRITY,
    description="Accepted jobs end exactly once, requests taken are answered, SIGTERM ends in good order.",
    indicator=INTEGRITY,
    target=None,
    threshold_s=None,
    endpoint=None,
)


def _definition(objective: Objective) -> ObjectiveDefinition:
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


def _configuration(
    run: RunFolder, definition: Definition, configuration: plan.Configuration, trials: Sequence[TrialResult]
) -> ConfigurationResult:
    mine = [trial for trial in trials if trial.configuration == configuration.id]
    valid = [trial for trial in mine if trial.valid]
    return ConfigurationResult(
        id=configuration.id,
        factors=configuration.factors,
        valid_trials=len(valid),
        invalid_trials=len(mine) - len(valid),
        objectives=(*(_objective(each, valid) for each in definition.objectives), _integrity(mine)),
        endpoints=tuple(_distributions([run.trial(trial.folder) for trial in valid], definition)),
    )


def _searched(
    found: Capacity, configuration: plan.Configuration, trials: Sequence[TrialResult]
) -> ConfigurationResult:
    """Return a configuration whose trials ran at many rates: only its capacity is judged, and integrity."""
    mine = [trial for trial in trials if trial.configuration == configuration.id]
    valid_trials = sum(trial.valid for trial in mine)
    return ConfigurationResult(
        id=configuration.id,
        factors=configuration.factors,
        valid_trials=valid_trials,
        invalid_trials=len(mine) - valid_trials,
        objectives=(capacity.verdict(found), _integrity(mine)),
        endpoints=(),
    )


def _objective(objective: Objective, valid: Sequence[TrialResult]) -> ObjectiveResult:
    seen = [trial.observations[objective.name] for trial in valid]
    client = [each.client for each in seen if each.client is not None]
    servers = [each.server for each in seen if each.server is not None]
    judgement = judge(objective.target, client)
    if seen and not judgement.total.total:
        judgement = replace(judgement, reason=_unseen(objective), more_trials=None)
    theirs = judge(objective.target, servers)
    blind = judgement.verdict is Verdict.VIOLATED and theirs.verdict is Verdict.MET
    return ObjectiveResult(
        name=objective.name,
        verdict=judgement.verdict,
        reason=judgement.reason,
        interval=judgement.interval,
        client=judgement.total if client else None,
        server=theirs.total if servers else None,
        more_trials=judgement.more_trials,
        budget_consumed_ratio=budget_consumed(
            bad=judgement.total.bad, total=judgement.total.total, budget=objective.budget
        ),
        finding="a blind spot: the server's own metrics say MET, its clients VIOLATED" if blind else None,
    )


def _unseen(objective: Objective) -> str:
    match objective.indicator:
        case Ratio() | ErrorRatio() | Up():
            return "only a Prometheus can evaluate this indicator: load alone does not decide it"
        case EventLatency(event=event) if event != JOB_COMPLETED:
            return f"clients cannot see the event '{event}': they see only {JOB_COMPLETED}"
        case Latency(method=method, route=route):
            return f"the traffic has no request named {method} {route}"
        case EventLatency() | Availability():
            return "the traffic has no such event"
        case _:
            assert_never(objective.indicator)


def _integrity(trials: Sequence[TrialResult]) -> ObjectiveResult:
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


def _distributions(trials: Sequence[TrialFolder], definition: Definition) -> Iterator[EndpointResult]:
    """Yield the latency of each endpoint that was scored, then of each event that clients can see."""
    gains = [gain for trial in trials if (gain := trial.gain()) is not None]
    scored = [trial.samples().select(phase=Phase.LOAD) for trial in trials]
    over_time = timelines(scored)
    requests = definition.metrics.requests
    for endpoint in sorted({endpoint for samples in scored for endpoint in samples.endpoints}):
        histogram = server.endpoint_histogram(gains, requests=requests, endpoint=endpoint)
        yield _distribution(
            endpoint,
            [each.select(endpoint=endpoint).latency_s for each in scored],
            histogram,
            timeline=over_time[endpoint],
        )
    for objective in definition.objectives:
        match objective.indicator:
            case EventLatency(event=event, histogram=name) if event == JOB_COMPLETED:
                jobs = [trial.jobs().select(phase=Phase.LOAD).latency_s for trial in trials]
                if any(map(len, jobs)):
                    yield _distribution(event, jobs, server.histogram(gains, name), timeline=None)


def _distribution(
    name: str,
    trials: Sequence[NDArray[np.float64]],
    histogram: Mapping[float, float],
    *,
    timeline: Timeline | None,
) -> EndpointResult:
    return EndpointResult(
        endpoint=name,
        requests=sum(len(latency_s) for latency_s in trials),
        percentiles=tuple(
            Percentile(
                q=q,
                typical_s=median_interval(
                    [value for latency_s in trials if (value := percentile(latency_s, q)) is not None]
                ),
                server_s=server.percentile_bounds_s(histogram, q),
            )
            for q in QUANTILES
        ),
        curve=curve(trials),
        timeline=timeline,
    )
