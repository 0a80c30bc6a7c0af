"""Run an experiment: every planned trial in its turn, each on disk before the next begins."""

from __future__ import annotations

import itertools
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from sloproof.experiment.environment import environment
from sloproof.experiment.evaluate import evaluate_trial
from sloproof.experiment.plan import configurations, plan
from sloproof.experiment.runfolder import RunFacts, RunFolder
from sloproof.experiment.trial import Trial
from sloproof.subject.process import ProcessSubject, free_port

if TYPE_CHECKING:
    from pathlib import Path

    from sloproof.analysis.results import TrialResult
    from sloproof.experiment.plan import PlannedTrial
    from sloproof.experiment.record import Part
    from sloproof.experiment.spec import Experiment
    from sloproof.slo.definition import Definition


# More would spend every repeat on one bad minute, or on one configuration that takes every processor.
REPEATS_OF_A_TRIAL = 2


class Progress(Protocol):
    """Who is told how a run goes on."""

    def began(self, run: RunFolder, trials: list[PlannedTrial]) -> None:
        """Take note of what is going to run."""
        ...

    def part(self, trial: PlannedTrial, part: Part) -> None:
        """Take note that a part of a trial begins."""
        ...

    def ended(self, trial: PlannedTrial, result: TrialResult, *, again: bool) -> None:
        """Take note of a finished trial; `again`: it is invalid and runs once more."""
        ...


def open_run(experiment: Experiment, *, source: Path, reports: Path) -> RunFolder:
    """Make the folder of a new run of an experiment that was read from `source`.

    Raises:
        RunFolderError: it cannot be made under `reports`.

    """
    now = datetime.now(UTC)
    folder = RunFolder.create(reports, name=experiment.name, now=now)
    folder.keep_inputs(experiment=source, definition=experiment.slo, locustfile=experiment.load.locustfile)
    folder.write_facts(
        RunFacts(
            started_at=now.isoformat(timespec="seconds"),
            blocks=experiment.blocks,
            seed=experiment.seed,
            environment=environment(experiment.subject.directory),
        )
    )
    return folder


def execute(folder: RunFolder, experiment: Experiment, definition: Definition, progress: Progress) -> None:
    """Run every trial of an experiment into the folder of its run.

    An invalid trial is repeated at once, on the same arrivals, as often as `REPEATS_OF_A_TRIAL` and the
    experiment's `repeats` allow.
    What was finished stays on disk whatever is raised.

    Raises:
        SubjectError: the subject does not start or does not become ready.
        LoadError: the load generator failed.

    """
    trials = plan(configurations(experiment.factors), blocks=experiment.blocks, seed=experiment.seed)
    progress.began(folder, trials)
    bench = _Bench(folder=folder, experiment=experiment, definition=definition, progress=progress)
    repeats_left = experiment.repeats
    for planned in trials:
        for repeat in itertools.count():
            result = bench.run(planned, repeat)
            again = not result.valid and repeat < REPEATS_OF_A_TRIAL and repeats_left > 0
            progress.ended(planned, result, again=again)
            if not again:
                break
            repeats_left -= 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bench:
    """What every trial of a run has in common."""

    folder: RunFolder
    experiment: Experiment
    definition: Definition
    progress: Progress

    def run(self, planned: PlannedTrial, repeat: int) -> TrialResult:
        suffix = f"-r{repeat}" if repeat else ""
        files = self.folder.trial(f"b{planned.block:02}-{planned.configuration.id}{suffix}")
        spec = self.experiment.subject
        record = Trial(
            experiment=self.experiment,
            planned=planned,
            repeat=repeat,
            subject=ProcessSubject(command=spec.command, directory=spec.directory, env=spec.env),
            port=free_port(),
            folder=files,
            notice=lambda part: self.progress.part(planned, part),
        ).run()
        self.folder.append(record)
        result = evaluate_trial(files, record, self.definition)
        if not result.integrity.violations:  # else the store is evidence
            shutil.rmtree(files.state)
        return result
