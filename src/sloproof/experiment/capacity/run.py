"""Run the searches of an experiment: the next trial of each configuration in its turn, to the end of all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sloproof.analysis.capacity.search import Proposal, step
from sloproof.experiment.capacity.plan import search_plans, turn
from sloproof.experiment.capacity.trials import observation, scored
from sloproof.experiment.plan import PlannedTrial, derived_seed
from sloproof.experiment.run import evaluated, run_trial, watched

if TYPE_CHECKING:
    from sloproof.analysis.capacity.observation import Observation
    from sloproof.analysis.results import TrialResult
    from sloproof.experiment.run import Progress, Run


def search(run: Run, progress: Progress) -> None:
    """Run every trial that the searches of a run still propose into its folder.

    What to run next follows from the seed and the trials on disk alone, so an interrupted run goes on where
    it was; what was finished stays on disk whatever is raised.

    Raises:
        RunFolderError: another process runs it.
        DiskFullError, SubjectError, LoadError: as for any other run.

    """
    experiment = run.experiment
    plans = search_plans(experiment, run.backend.name)
    matrix = {each.id: each for each in experiment.configurations()}
    with run.folder.held():
        run.folder.clear_unfinished()
        seen: dict[str, list[Observation]] = {name: [] for name in matrix}
        for record in run.folder.records():
            seen[record.configuration].append(_observed(run, evaluated(run, record)))
        progress.searching(run, done=sum(map(len, seen.values())))
        try:
            with watched(run, progress) as observer:
                while proposals := {
                    name: next_
                    for name in matrix
                    if isinstance(next_ := step(plans[name], seen[name]), Proposal)
                }:
                    ran = {name: len(seen[name]) for name in matrix}
                    mine = turn([matrix[name] for name in proposals], ran, seed=experiment.seed)
                    round_ = ran[mine.id] + 1
                    trial = PlannedTrial(
                        block=round_,
                        configuration=mine,
                        seed=derived_seed(experiment.seed, "arrivals", round_),
                        rate_per_s=proposals[mine.id].rate_per_s,
                    )
                    result = run_trial(run, trial, observer, progress)
                    seen[mine.id].append(_observed(run, result))
                    progress.ended(trial, result, again=False)
        finally:
            run.backend.close()


def _observed(run: Run, result: TrialResult) -> Observation:
    return observation(scored(run.folder.trial(result.folder)), result, run.definition)
