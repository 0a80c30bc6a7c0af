"""Run an experiment: every planned trial in its turn, each on disk before the next begins."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from sloproof.experiment.environment import environment
from sloproof.experiment.evaluate import evaluate_trial
from sloproof.experiment.plan import configurations, plan
from sloproof.experiment.runfolder import RunFolder
from sloproof.experiment.trial import Trial
from sloproof.subject.process import ProcessSubject, free_port

if TYPE_CHECKING:
    from pathlib import Path

    from sloproof.analysis.results import TrialResult
    from sloproof.experiment.plan import PlannedTrial
    from sloproof.experiment.record import Part
    from sloproof.experiment.spec import Experiment
    from sloproof.slo.definition import Definition


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """An experiment about to run; `source` is the file it was read from."""

    experiment: Experiment
    definition: Definition
    source: Path
    reports: Path
    progress: Progress

    def execute(self) -> RunFolder:
        """Run every trial; return the folder that holds them.

        An invalid trial is repeated at once, on the same arrivals, until the experiment's `repeats` are used up.
        What was finished stays on disk whatever is raised.

        Raises:
            RunFolderError: the run's folder cannot be written.
            SubjectError: the subject does not start or does not become ready.
            LoadError: the load generator failed.

        """
        folder = self._open()
        trials = plan(
            configurations(self.experiment.factors), blocks=self.experiment.blocks, seed=self.experiment.seed
        )
        self.progress.began(folder, trials)
        subject = ProcessSubject(
            command=self.experiment.subject.command,
            directory=self.experiment.subject.directory,
            env=self.experiment.subject.env,
        )
        repeats_left = self.experiment.repeats
        for planned in trials:
            repeat = 0
            while not self._trial(folder, subject, planned, repeat, last=not repeats_left).valid and repeats_left:
                repeat += 1
                repeats_left -= 1
        return folder

    def _open(self) -> RunFolder:
        now = datetime.now(UTC)
        folder = RunFolder.create(self.reports, name=self.experiment.name, now=now)
        folder.keep_inputs(
            experiment=self.source, definition=self.experiment.slo, locustfile=self.experiment.load.locustfile
        )
        folder.write_facts(
            {
                "started_at": now.isoformat(timespec="seconds"),
                "blocks": self.experiment.blocks,
                "seed": self.experiment.seed,
                "environment": environment(self.experiment.subject.directory),
            }
        )
        return folder

    def _trial(
        self, folder: RunFolder, subject: ProcessSubject, planned: PlannedTrial, repeat: int, *, last: bool
    ) -> TrialResult:
        suffix = f"-r{repeat}" if repeat else ""
        files = folder.trial(f"b{planned.block:02}-{planned.configuration.id}{suffix}")
        record = Trial(
            experiment=self.experiment,
            planned=planned,
            repeat=repeat,
            subject=subject,
            port=free_port(),
            folder=files,
            notice=lambda part: self.progress.part(planned, part),
        ).run()
        folder.append(record)
        result = evaluate_trial(files, record, self.definition)
        if not result.integrity.violations:  # else the store is evidence
            shutil.rmtree(files.state)
        self.progress.ended(planned, result, again=not result.valid and not last)
        return result
