"""How a run shows itself while it goes on: a live bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn
from rich.text import Text

from sloproof.analysis.capacity.search import most_trials
from sloproof.cli.planning import expected_s
from sloproof.experiment.capacity.plan import search_plans
from sloproof.report.text import duration, percent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType
    from typing import Self

    from rich.console import Console
    from rich.progress import Task

    from sloproof.analysis.results import TrialResult
    from sloproof.experiment.backends import Backend
    from sloproof.experiment.plan import PlannedTrial
    from sloproof.experiment.record import Part
    from sloproof.experiment.run import Run

# The bar is drawn by a thread of the process that shares the machine with the measurement: seldom is enough.
REFRESHES_PER_SECOND = 2


class RunProgress:
    """Tells a person how far a run has come."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._expected_s = 0.0
        self._durations_s: list[float] = []
        self._planned = self._done = 0
        self._within_s = math.inf
        self._trial_began = time.monotonic()
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed}/{task.total}"),
            _Left(self._left_s),
            console=console,
            disable=not console.is_terminal,
            refresh_per_second=REFRESHES_PER_SECOND,
            transient=True,
        )
        self._task = self._bar.add_task("", total=None)

    def preparing(self, what: str) -> None:
        """Say what is made ready."""
        self._console.print(f"[dim]{escape(what)}[/]")

    def warning(self, what: str) -> None:
        """Say what to know before believing the run."""
        self._console.print(f"[yellow]warning[/]: {escape(what)}", soft_wrap=True)

    def backend(self, backend: Backend) -> None:
        """Say where the subject runs, and why there."""
        self._console.print(f"backend {backend.name}: {backend.reason}", markup=False)

    def began(self, run: Run, trials: Sequence[PlannedTrial], *, done: int) -> None:
        """Say what is going to run and about how long it takes."""
        self._planned, self._done = len(trials), done
        experiment = run.experiment
        a_block_s = expected_s(experiment, run.backend.name) / experiment.blocks
        self._expected_s = a_block_s / len(experiment.configurations())
        blocks, left = trials[-1].block, len(trials) - done
        most = "at most " if experiment.looks() else ""
        size = f"{len(trials) // blocks} configurations × {most}{blocks} blocks = {len(trials)} trials"
        if done:
            size += f", {done} of them done"
        self._console.print(
            f"{run.folder.path.name}: {size}, about {duration(left * self._expected_s)}", markup=False
        )
        self._trial_began = time.monotonic()
        self._bar.update(self._task, total=len(trials), completed=done)

    def searching(self, run: Run, *, done: int) -> None:
        """Say that a search begins, and that it takes no longer than its time."""
        plans = search_plans(run.experiment, run.backend.name).values()
        self._planned, self._done = sum(map(most_trials, plans)), done
        self._expected_s = sum(each.trial_s for each in plans) / len(plans)
        self._within_s = sum(each.budget_s for each in plans)
        within = duration(self._within_s)
        size = f"{len(plans)} configurations, at most about {self._planned} trials, within {within}"
        if done:
            size += f", {done} trials done"
        self._console.print(f"{run.folder.path.name}: {size}", markup=False)
        self._trial_began = time.monotonic()
        self._bar.update(self._task, total=self._planned, completed=done)

    def part(self, trial: PlannedTrial, part: Part) -> None:
        """Show which part of which trial runs."""
        self._bar.update(self._task, description=f"{trial.configuration.id} · {part}")

    def ended(self, trial: PlannedTrial, result: TrialResult, *, again: bool) -> None:
        """Print the line of a finished trial."""
        now = time.monotonic()
        self._durations_s.append(now - self._trial_began)
        self._trial_began = now
        self._done += not again
        self._bar.update(self._task, completed=self._done)
        place = f"{self._done + again:>{len(str(self._planned))}}/{self._planned}  block {trial.block}"
        if trial.rate_per_s is not None:
            place += f"  {trial.rate_per_s:g}/s"
        left = "" if self._console.is_terminal else f"  {duration(self._left_s())} left"
        outcome = self._outcome(result, again=again)
        self._console.print(
            f"[dim]{place}[/]  {escape(trial.configuration.id):<16} {outcome}[dim]{left}[/]", soft_wrap=True
        )

    def _outcome(self, result: TrialResult, *, again: bool) -> str:
        if result.integrity.violations:
            return f"[red]integrity violated[/]: {escape('; '.join(result.integrity.violations))}"
        if result.problems:
            repeated = ", runs again" if again else ""
            return f"[yellow]invalid[/]{repeated}: {escape('; '.join(result.problems))}"
        slis = (
            f"{name} {percent(ratio)}"
            for name, seen in result.observations.items()
            if seen.client and (ratio := seen.client.ratio) is not None
        )
        return "  ".join(slis)

    def _left_s(self) -> float:
        """Return the seconds that the remaining trials will take if they take as long as those so far.

        A search ends within its time, whatever its trials take.
        """
        spent_s = sum(self._durations_s)
        mean_s = spent_s / len(self._durations_s) if self._durations_s else self._expected_s
        running_s = min(time.monotonic() - self._trial_began, mean_s)
        left_s = min((self._planned - self._done) * mean_s, self._within_s - spent_s)
        return max(0.0, left_s - running_s)

    def stop(self) -> None:
        """Take the bar from the screen."""
        self._bar.stop()

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self._bar.stop()


class _Left(ProgressColumn):
    """The time left, which a bar that moves once a trial cannot tell by itself."""

    def __init__(self, left_s: Callable[[], float]) -> None:
        super().__init__()
        self._left_s = left_s

    def render(self, task: Task) -> Text:
        """Return the time left as text."""
        return Text("" if task.total is None else f"{duration(self._left_s())} left", style="dim")
