"""Run an experiment: every planned trial in its turn, each on disk before the next begins."""

from __future__ import annotations

import itertools
import os
import shutil
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from sloproof.analysis import floor, stability
from sloproof.experiment import spec
from sloproof.experiment.backends import choose
from sloproof.experiment.calibration import measure_floor, warnings
from sloproof.experiment.environment import environment
from sloproof.experiment.evaluate import evaluate_trial
from sloproof.experiment.plan import plan
from sloproof.experiment.progression import ends_before
from sloproof.experiment.prometheus import choice
from sloproof.experiment.prometheus.observer import observing
from sloproof.experiment.resume import differences, of_whole_blocks, remaining, runs_again
from sloproof.experiment.runfolder import ReplayFacts, RunFacts, RunFolder, RunFolderError, digest
from sloproof.experiment.sections import UntilDecidedSpec
from sloproof.experiment.steadiness import look
from sloproof.experiment.trial import Trial
from sloproof.observe.machine import wall_ahead_s
from sloproof.slo import definition as slo
from sloproof.slo.problems import EnvironmentFailed
from sloproof.subject.port import SubjectError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from sloproof.analysis.results import TrialResult
    from sloproof.analysis.stability import Stability
    from sloproof.experiment.backends import Backend
    from sloproof.experiment.plan import PlannedTrial
    from sloproof.experiment.prometheus.choice import Choice
    from sloproof.experiment.prometheus.observer import Observer
    from sloproof.experiment.record import Part, TrialRecord
    from sloproof.experiment.spec import Experiment
    from sloproof.load.workers import Workers
    from sloproof.slo.definition import Definition

# What a trial writes at most: its samples, metrics and logs, and the subject's store.
BYTES_OF_A_TRIAL = 16 * 2**20
BYTES_OF_A_REQUEST = 4 * 2**10


class DiskFullError(EnvironmentFailed):
    """There is no room for another trial."""


class Progress(Protocol):
    """Who is told how a run goes on."""

    def preparing(self, what: str) -> None:
        """Take note of what is made ready before the first trial."""
        ...

    def warning(self, what: str) -> None:
        """Take note of what a person should know before believing the run."""
        ...

    def began(self, run: Run, trials: Sequence[PlannedTrial], *, done: int) -> None:
        """Take note of what is going to run, and how many of it have run before an interruption."""
        ...

    def searching(self, run: Run, *, done: int) -> None:
        """Take note that a search begins, and how many of its trials have run before an interruption."""
        ...

    def part(self, trial: PlannedTrial, part: Part) -> None:
        """Take note that a part of a trial begins."""
        ...

    def ended(self, trial: PlannedTrial, result: TrialResult, *, again: bool) -> None:
        """Take note of a finished trial; `again`: it is invalid and runs once more."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run that is ready to go on: what it runs, where, and into which folder."""

    folder: RunFolder
    experiment: Experiment
    definition: Definition
    backend: Backend
    workers: Workers
    prometheus: Choice


def open_run(  # noqa: PLR0913 - all that a run is made of
    source: Path,
    experiment: Experiment,
    *,
    backend: Backend,
    workers: Workers,
    reports: Path,
    progress: Progress,
) -> Run:
    """Make ready a new run of an experiment that was read from `source`.

    Raises:
        InvalidFile: its SLO file is wrong.
        RunFolderError: its folder cannot be made under `reports`.
        PrometheusRequiredError: one is required, and there is none.
        SubjectError: what it runs cannot be made ready.

    """
    definition = slo.load(experiment.slo)
    prometheus = choice.choose(experiment.observe, backend)
    RunFolder.check_root(reports)
    matrix = experiment.configurations()
    subject = backend.prepare(matrix, progress.preparing)
    here = environment(experiment.subject.directory)
    clock_was = wall_ahead_s()
    seen = _looked(progress)
    calibration = {
        **backend.calibrate(matrix, progress.preparing),
        **_calibration(experiment, definition, progress),
        stability.KEY: replace(seen, clock_step_s=wall_ahead_s() - clock_was).facts(),
    }
    now = datetime.now(UTC)
    folder = RunFolder.create(reports, name=experiment.name, now=now)
    recordings = experiment.recordings()
    folder.keep_inputs(
        experiment=source,
        definition=experiment.slo,
        locustfile=experiment.load.locustfile,
        recordings=recordings.values(),
    )
    folder.write_facts(
        RunFacts(
            started_at=now.isoformat(timespec="seconds"),
            source=os.path.relpath(source.resolve(), folder.path.resolve()),
            inputs=_inputs(source, experiment),
            replays=_replays(experiment),
            blocks=experiment.blocks,
            seed=experiment.seed,
            backend=backend.name,
            backend_reason=backend.reason,
            subject=subject,
            calibration=calibration,
            workers=workers,
            environment=here,
            looks=experiment.looks(),
            prometheus=choice.facts(prometheus, experiment.observe),
        )
    )
    return Run(
        folder=folder,
        experiment=_from_copies(folder, experiment),
        definition=definition,
        backend=backend,
        workers=workers,
        prometheus=prometheus,
    )


def _looked(progress: Progress) -> Stability:
    """Look at the machine, and warn of what may disturb the run; a person decides whether it goes on."""
    progress.preparing("looking at the machine")
    seen = look()
    for finding in seen.findings():
        progress.warning(finding)
    return seen


def _calibration(experiment: Experiment, definition: Definition, progress: Progress) -> Mapping[str, Any]:
    """Measure what this machine can tell at all, and warn of what it cannot."""
    if not experiment.calibrate:
        return {}
    progress.preparing("measuring this machine's noise floor")
    traffics = [experiment.traffic(each) for each in experiment.configurations()]
    measured = measure_floor(traffics)
    if isinstance(measured, str):
        progress.warning(f"the noise floor was {measured}")
        return {floor.KEY: measured}
    for warning in warnings(measured, traffics, definition):
        progress.warning(warning)
    return {floor.KEY: asdict(measured)}


def resume_run(folder: RunFolder, progress: Progress) -> Run:
    """Make ready an interrupted run to go on as it began.

    Raises:
        RunFolderError: it is no run, or what it runs, or the machine, is no longer what it was.
        InvalidFile: one of its inputs is wrong.
        SubjectError: what it runs cannot be made ready.

    """
    facts = folder.facts()
    source = (folder.path / facts.source).resolve()
    until_decided = UntilDecidedSpec(blocks=facts.looks[-1]) if facts.looks else None
    experiment = spec.load(source).model_copy(
        update={"blocks": facts.blocks, "seed": facts.seed, "until_decided": until_decided}
    )
    changed = [name for name, was in _inputs(source, experiment).items() if was != facts.inputs.get(name)]
    if changed:
        raise RunFolderError(
            f"{folder.path} cannot go on: changed since it began: {', '.join(changed)}; its folder inputs "
            "has them as they were. Put them back, or start a new run"
        )
    backend = choose(experiment, facts.backend)
    subject = backend.prepare(experiment.configurations(), progress.preparing)
    here = environment(experiment.subject.directory)
    if others := [*differences(facts.environment, here), *differences(facts.subject, subject)]:
        raise RunFolderError(f"{folder.path} cannot go on here: {'; '.join(others)}. Start a new run")
    _looked(progress)
    return Run(
        folder=folder,
        experiment=_from_copies(folder, experiment),
        definition=slo.load(experiment.slo),
        backend=backend,
        workers=facts.workers,
        prometheus=choice.choose(experiment.observe, backend),
    )


def _inputs(source: Path, experiment: Experiment) -> dict[str, str]:
    paths = {"experiment": source, "slo": experiment.slo, "locustfile": experiment.load.locustfile}
    paths |= {f"recording {name}": path for name, path in experiment.recordings().items()}
    return {name: digest(path) for name, path in paths.items()}


def _replays(experiment: Experiment) -> dict[str, ReplayFacts]:
    return {
        where: ReplayFacts(requests=traffic.load_requests, load_s=traffic.load_s)
        for where, traffic in experiment.traffics().items()
        if traffic.shape.replay is not None
    }


def _from_copies(folder: RunFolder, experiment: Experiment) -> Experiment:
    """Return the experiment replaying the run's own copies, so that all its trials have the same arrivals."""
    return experiment.replaying(
        lambda each: each.model_copy(update={"file": folder.recordings / each.file.name})
    )


def execute(run: Run, progress: Progress) -> None:
    """Run every trial of a run that has not run yet into its folder.

    An invalid trial is repeated at once, on the same arrivals, as often as `REPEATS_OF_A_TRIAL` and the
    experiment's `repeats` allow. A block that was interrupted is run again whole.
    What was finished stays on disk whatever is raised.

    Raises:
        RunFolderError: another process runs it.
        DiskFullError: there is no room for the next trial.
        SubjectError: the subject does not start or does not become ready.
        LoadError: the load generator failed.

    """
    experiment = run.experiment
    looks = run.folder.facts().looks
    blocks = looks[-1] if looks else experiment.blocks
    planned = plan(experiment.configurations(), blocks=blocks, seed=experiment.seed)
    with run.folder.held():
        run.folder.clear_unfinished()
        records = run.folder.records()
        repeats_left = experiment.repeats - sum(record.repeat > 0 for record in records)
        finished = [evaluated(run, each) for each in records]
        left = remaining(planned, finished, repeats_left=repeats_left)
        counted = of_whole_blocks(finished, left)
        progress.began(run, planned, done=len(planned) - len(left))
        try:
            with watched(run, progress) as observer:
                for trial in left:
                    if ends_before(trial.block, counted, looks=looks, definition=run.definition):
                        break
                    for result in _attempts(run, trial, records, observer, progress):
                        again = runs_again(result, repeats_left=repeats_left)
                        progress.ended(trial, result, again=again)
                        counted.append(result)
                        if not again:
                            break
                        repeats_left -= 1
        finally:
            run.backend.close()


def watched(run: Run, progress: Progress) -> AbstractContextManager[Observer]:
    """Return the observer of a run's trials, for as long as the context lasts."""
    return observing(
        run.prometheus,
        folder=run.folder.path,
        experiment=run.experiment,
        definition=run.definition,
        notice=progress.preparing,
    )


def _attempts(
    run: Run,
    planned: PlannedTrial,
    before: Sequence[TrialRecord],
    observer: Observer,
    progress: Progress,
) -> Iterator[TrialResult]:
    """Run a trial over and over; `before` are the trials that had run when the run was resumed."""
    attempt = 1 + max((each.attempt for each in before if each.block == planned.block), default=0)
    for repeat in itertools.count():
        yield run_trial(run, planned, observer, progress, attempt=attempt, repeat=repeat)


def run_trial(  # noqa: PLR0913 - all that a trial is made of
    run: Run,
    planned: PlannedTrial,
    observer: Observer,
    progress: Progress,
    *,
    attempt: int = 1,
    repeat: int = 0,
) -> TrialResult:
    """Run one trial and return what it saw; when this returns it is on the disk. Raises as `execute`."""
    block = f"b{planned.block:02}" + (f".{attempt}" if attempt > 1 else "")
    files = run.folder.trial(f"{block}-{planned.configuration.id}" + (f"-r{repeat}" if repeat else ""))
    trial = Trial(
        experiment=run.experiment,
        planned=planned,
        attempt=attempt,
        repeat=repeat,
        subject=run.backend.subject(planned.configuration),
        port=observer.next_port(),
        folder=files,
        workers=run.workers,
        notice=lambda part: progress.part(planned, part),
        watch=observer.watch(planned, files.path),
    )
    _check_room(run.folder.path, requests=trial.traffic.requests)
    try:
        record = trial.run()
    except SubjectError as error:
        raise SubjectError(f"{planned.configuration.id}: {error}") from error
    run.folder.append(record)
    result = evaluated(run, record)
    if result.integrity.violations:
        trial.subject.keep(trial.cell)  # the store is evidence
    else:
        trial.subject.clear(trial.cell)
    return result


def evaluated(run: Run, record: TrialRecord) -> TrialResult:
    """Return what a finished trial saw."""
    files = run.folder.trial(record.folder)
    return evaluate_trial(files, record, run.definition, proxied=run.backend.name.proxied)


def _check_room(folder: Path, *, requests: float) -> None:
    free = shutil.disk_usage(folder).free
    needed = BYTES_OF_A_TRIAL + BYTES_OF_A_REQUEST * requests
    if free < needed:
        raise DiskFullError(
            f"{folder}: {free / 2**20:,.0f} MiB are free, and a trial may need {needed / 2**20:,.0f} MiB: "
            "make room, then resume the run"
        )
