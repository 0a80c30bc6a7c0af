"""From the raw data of a run to its results: every trial evaluated, every objective judged."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sloproof.analysis.accounting import pool_time
from sloproof.analysis.comparison.pairing import within_run
from sloproof.analysis.floor import NoiseFloor
from sloproof.analysis.looking import Looking
from sloproof.analysis.results import SCHEMA, ConfigurationResult, Plan, Results, Traffic
from sloproof.experiment import plan, spec
from sloproof.experiment.capacity import summary as capacity
from sloproof.experiment.distributions import Gathering
from sloproof.experiment.evaluate import evaluate
from sloproof.experiment.judging import (
    INTEGRITY_DEFINITION,
    Grounds,
    definition_of,
    judged,
    judged_integrity,
)
from sloproof.experiment.progression import blocks_done, planned_blocks
from sloproof.experiment.prometheus.reading import NOT_WATCHED
from sloproof.experiment.runfolder import RunFolderError
from sloproof.slo import definition as slo
from sloproof.slo.yamlfile import read

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sloproof.analysis.capacity.result import Capacity
    from sloproof.analysis.results import TrialResult
    from sloproof.experiment.distributions import Distribution
    from sloproof.experiment.evaluate import Evaluated
    from sloproof.experiment.record import TrialRecord
    from sloproof.experiment.runfolder import ReplayFacts, RunFacts, RunFolder
    from sloproof.experiment.traffic import LoadSpec
    from sloproof.slo.definition import Definition


def _unseen(_: Evaluated) -> None:
    """Do nothing with a trial."""


def summarise(run: RunFolder, *, seen: Callable[[Evaluated], None] = _unseen) -> Results:
    """Return the results of a run, finished or not, from its raw data alone.

    Trials are read one by one, each once and then let go of. `seen` is shown each before that, for what is
    made of samples and is not in the results; those of a configuration come together, in their order.

    Raises:
        RunFolderError: the folder is not that of a run, or the data of a trial are missing or broken.
        InvalidFile: one of its inputs is broken.

    """
    facts = run.facts()
    experiment = read(run.experiment, spec.Experiment)
    definition = slo.load(run.definition)
    matrix = experiment.configurations()
    try:
        trials, latencies = _read(
            run,
            definition,
            proxied=facts.backend.proxied,
            searched=experiment.search is not None,
            seen=seen,
        )
    except (OSError, ValueError) as error:
        raise RunFolderError(f"{run.path}: the data of a trial are missing or broken: {error}") from error
    objectives = (*map(definition_of, definition.objectives), INTEGRITY_DEFINITION)
    blocks, looking = facts.blocks, None
    if facts.looks:
        done = blocks_done(trials, configurations=len(matrix))
        looking = Looking(planned=facts.looks, done=done)
        blocks = planned_blocks(trials, done=done, looks=facts.looks, definition=definition)
    grounds = Grounds(looking=looking, floor=NoiseFloor.of(facts.calibration))
    found = [] if experiment.search is None else capacity.capacities(run, experiment, definition, trials)
    return Results(
        schema=SCHEMA,
        run=run.path.name,
        experiment=experiment.name,
        description=experiment.description,
        started_at=facts.started_at,
        service=definition.service,
        objectives=(*([capacity.DEFINITION] if found else []), *objectives),
        plan=_plan(experiment, facts, blocks=blocks, configurations=len(matrix)),
        environment=facts.environment,
        configurations=tuple(
            _searched(each, configuration, trials) for each, configuration in zip(found, matrix, strict=True)
        )
        if found
        else tuple(
            _configuration(definition, each, trials, latencies.get(each.id, ()), grounds) for each in matrix
        ),
        comparisons=()
        if found
        else within_run(
            objectives, matrix, trials, traffic_factor=spec.PROFILE, margin=experiment.compare.chosen
        ),
        trials=tuple(trials),
        set_aside=run.set_aside(),
        complete=all(each.complete for each in found)
        if found
        else sum(not trial.repeat for trial in trials) >= len(matrix) * blocks,
        capacities=tuple(found),
    )


def _read(
    run: RunFolder,
    definition: Definition,
    *,
    proxied: bool,
    searched: bool,
    seen: Callable[[Evaluated], None],
) -> tuple[list[TrialResult], dict[str, Sequence[Distribution]]]:
    """Return the result of each trial, oldest first, and the latencies of each configuration, by its id.

    Configurations take turns: what is kept of the samples of one goes when the last of its trials is read. A
    search shows no latencies of a configuration, since its trials ran at many rates.
    """
    records = run.records()
    results: dict[str, TrialResult] = {}
    latencies: dict[str, Sequence[Distribution]] = {}

    def take(record: TrialRecord, gathering: Gathering) -> None:
        """Read one trial; its samples go with the names in here, before those of the next are read."""
        trial = evaluate(run.trial(record.folder), record, definition, proxied=proxied)
        results[record.folder] = trial.result
        seen(trial)
        if trial.result.valid and not searched:
            gathering.add(trial)

    for configuration in dict.fromkeys(record.configuration for record in records):
        gathering = Gathering(definition)
        for record in records:
            if record.configuration == configuration:
                take(record, gathering)
        latencies[configuration] = list(gathering.distributions())
    return [results[record.folder] for record in records], latencies


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
        prometheus=_watcher(facts),
        search=capacity.asked(experiment),
        load_workers=facts.workers.total,
    )


def _watcher(facts: RunFacts) -> str:
    match facts.prometheus:
        case {"what": str(what), "scrape_interval_s": every_s}:
            return f"{what}, a scrape every {every_s:g} s"
        case {"absent": str(reason)}:
            return f"none: {reason}"
        case _:
            return f"none: {NOT_WATCHED}"


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


def _configuration(
    definition: Definition,
    configuration: plan.Configuration,
    trials: Sequence[TrialResult],
    latencies: Sequence[Distribution],
    grounds: Grounds,
) -> ConfigurationResult:
    mine = [trial for trial in trials if trial.configuration == configuration.id]
    valid = [trial for trial in mine if trial.valid]
    spents = [trial.spent for trial in valid]
    return ConfigurationResult(
        id=configuration.id,
        factors=configuration.factors,
        valid_trials=len(valid),
        invalid_trials=len(mine) - len(valid),
        objectives=(
            *(judged(each, valid, grounds) for each in definition.objectives),
            judged_integrity(mine),
        ),
        endpoints=tuple(
            replace(
                each.result(grounds.looking),
                spent=pool_time(spent[each.name] for spent in spents if each.name in spent),
            )
            for each in latencies
        ),
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
        objectives=(capacity.verdict(found), judged_integrity(mine)),
        endpoints=(),
    )
