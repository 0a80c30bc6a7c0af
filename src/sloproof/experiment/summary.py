"""From the raw data of a run to its results: every trial evaluated, every objective judged."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

from sloproof.analysis.comparison.pairing import within_run
from sloproof.analysis.floor import NoiseFloor, judged_by
from sloproof.analysis.looking import Looking, judge_looked
from sloproof.analysis.results import (
    SCHEMA,
    ConfigurationResult,
    ObjectiveDefinition,
    ObjectiveResult,
    Plan,
    Results,
    Traffic,
)
from sloproof.analysis.verdicts import Verdict, judge, judge_integrity
from sloproof.experiment import plan, spec
from sloproof.experiment.distributions import distributions
from sloproof.experiment.evaluate import evaluate_trial
from sloproof.experiment.progression import blocks_done, planned_blocks
from sloproof.experiment.runfolder import RunFolderError
from sloproof.observe.conventions import JOB_COMPLETED
from sloproof.slo import definition as slo
from sloproof.slo.budget import budget_consumed
from sloproof.slo.definition import Availability, ErrorRatio, EventLatency, Latency, Ratio, Up
from sloproof.slo.fileformat import INTEGRITY
from sloproof.slo.yamlfile import read

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from sloproof.analysis.counts import Counts
    from sloproof.analysis.results import TrialResult
    from sloproof.analysis.verdicts import Judgement
    from sloproof.experiment.runfolder import ReplayFacts, RunFacts, RunFolder
    from sloproof.experiment.traffic import LoadSpec
    from sloproof.slo.definition import Definition, Objective


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
    matrix, objectives = experiment.configurations(), tuple(_definitions(definition))
    floor = NoiseFloor.of(facts.calibration)
    blocks, looking = facts.blocks, None
    if facts.looks:
        done = blocks_done(trials, configurations=len(matrix))
        looking = Looking(planned=facts.looks, done=done)
        blocks = planned_blocks(trials, done=done, looks=facts.looks, definition=definition)
    return Results(
        schema=SCHEMA,
        run=run.path.name,
        experiment=experiment.name,
        description=experiment.description,
        started_at=facts.started_at,
        service=definition.service,
        objectives=objectives,
        plan=_plan(experiment, facts, blocks=blocks, configurations=len(matrix)),
        environment=facts.environment,
        configurations=tuple(
            _configuration(run, definition, each, trials, looking, floor) for each in matrix
        ),
        comparisons=within_run(
            objectives, matrix, trials, traffic_factor=spec.PROFILE, margin=experiment.compare.chosen
        ),
        trials=tuple(trials),
        set_aside=run.set_aside(),
        complete=sum(not trial.repeat for trial in trials) >= len(matrix) * blocks,
    )


def _plan(experiment: spec.Experiment, facts: RunFacts, *, blocks: int, configurations: int) -> Plan:
    container = experiment.subject.container
    traffics = {
        where: _traffic(load, facts.replays.get(where)) for where, load in experiment.traffics().items()
    }
    return Plan(
        trials=configurations * blocks,
        blocks=blocks,
        looks=facts.looks,
        seed=facts.seed,
        backend=facts.backend,
        backend_reason=facts.backend_reason,
        subject=facts.subject,
        calibration=facts.calibration,
        command=experiment.subject.command,
        env=experiment.subject.env,
        container=None if container is None else container.model_dump(mode="json", exclude_defaults=True),
        traffic=traffics.pop("load"),
        profiles={where.removeprefix("profiles."): traffic for where, traffic in traffics.items()},
        inputs=facts.inputs,
        margin=experiment.compare.chosen,
    )


def _traffic(load: LoadSpec, replay: ReplayFacts | None) -> Traffic:
    return Traffic(
        arrival=load.arrivals,
        rate_per_s=load.rate,
        shape=load.in_words(),
        requests=load.load_requests if replay is None else replay.requests,
        warmup_s=load.warmup,
        load_s=load.load_s if replay is None else replay.load_s,
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
    run: RunFolder,
    definition: Definition,
    configuration: plan.Configuration,
    trials: Sequence[TrialResult],
    looking: Looking | None,
    floor: NoiseFloor | None,
) -> ConfigurationResult:
    mine = [trial for trial in trials if trial.configuration == configuration.id]
    valid = [trial for trial in mine if trial.valid]
    return ConfigurationResult(
        id=configuration.id,
        factors=configuration.factors,
        valid_trials=len(valid),
        invalid_trials=len(mine) - len(valid),
        objectives=(
            *(_objective(each, valid, looking, floor) for each in definition.objectives),
            _integrity(mine),
        ),
        endpoints=tuple(distributions(run, definition, valid, looking)),
    )


def _objective(
    objective: Objective,
    valid: Sequence[TrialResult],
    looking: Looking | None,
    floor: NoiseFloor | None,
) -> ObjectiveResult:
    seen = [(trial.block, trial.observations[objective.name]) for trial in valid]
    client = [(block, each.client) for block, each in seen if each.client is not None]
    servers = [(block, each.server) for block, each in seen if each.server is not None]
    judgement = _judged(objective.target, client, looking)
    if seen and not judgement.total.total:
        judgement = replace(judgement, reason=_unseen(objective), more_trials=None)
    elif floor is not None and (threshold_s := _definition(objective).threshold_s) is not None:
        judgement = judged_by(floor, judgement, target=objective.target, threshold_s=threshold_s)
    theirs = _judged(objective.target, servers, looking)
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


def _judged(target: Decimal, trials: Sequence[tuple[int, Counts]], looking: Looking | None) -> Judgement:
    """Judge trials, each with its block, at once or as often as the run is looked at."""
    if looking is None:
        return judge(target, [counts for _, counts in trials])
    return judge_looked(target, trials, looking)


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
