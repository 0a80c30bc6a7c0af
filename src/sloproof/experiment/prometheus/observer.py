"""The third observer of a run: a Prometheus while it answers, else the reason why there is none."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sloproof.experiment.prometheus import setup
from sloproof.experiment.prometheus.choice import Absent, PrometheusRequiredError
from sloproof.experiment.prometheus.server import prepare, running
from sloproof.experiment.prometheus.watch import PrometheusWatch, Unwatched
from sloproof.observe.address import parse_address
from sloproof.observe.prometheus import Prometheus
from sloproof.subject.port import SubjectError
from sloproof.subject.process import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sloproof.experiment.plan import PlannedTrial
    from sloproof.experiment.prometheus.choice import Choice
    from sloproof.experiment.prometheus.watch import Watch
    from sloproof.experiment.spec import Experiment
    from sloproof.slo.definition import Definition

ANSWER_WITHIN_S = 5.0
FOLDER = "prometheus"


@dataclass(slots=True, kw_only=True)
class Observer:
    """What watches the trials of the run in `folder`, one after the other, or why nothing does."""

    folder: Path
    experiment: Experiment
    definition: Definition
    notice: Callable[[str], None]
    prometheus: Prometheus | None = None
    absent: str = ""
    port: int | None = None

    def next_port(self) -> int:
        """Return a port for the next trial, other than that of the last.

        Prometheus may ask for the last one's target for 5 s more, and must not take this one for it.

        Raises SubjectError: none is free.
        """
        self.port = free_port(after=self.port)
        return self.port

    def watch(self, planned: PlannedTrial, folder: Path) -> Watch:
        """Return what watches a trial whose files are in a folder.

        Raises:
            PrometheusRequiredError: one is required, and it answers no more.

        """
        if self.prometheus is None:
            return Unwatched(reason=self.absent, folder=folder)
        return PrometheusWatch(
            prometheus=self.prometheus,
            definition=self.definition,
            labels=setup.labels(
                self.definition,
                run=self.folder.resolve().name,
                trial=folder.name,
                configuration=planned.configuration.id,
                block=planned.block,
            ),
            scrape_interval_s=self.experiment.observe.scrape_interval,
            targets=self.folder / FOLDER / setup.TARGETS,
            folder=folder,
            failed=self._fail,
        )

    def _fail(self, reason: str) -> None:
        self.prometheus, self.absent = None, reason
        if self.experiment.observe.prometheus == "required":
            raise PrometheusRequiredError(f"observe.prometheus is required: {reason}")
        self.notice(reason)


@contextmanager
def observing(
    choice: Choice,
    *,
    folder: Path,
    experiment: Experiment,
    definition: Definition,
    notice: Callable[[str], None],
) -> Iterator[Observer]:
    """Have a run observed until the context ends, and say by what, or why by nothing.

    Raises:
        PrometheusRequiredError: it is required, and does not come up.

    """
    observer = Observer(folder=folder, experiment=experiment, definition=definition, notice=notice)
    with ExitStack() as open_:
        if isinstance(choice, Absent):
            observer.absent = choice.reason
        else:
            spec = experiment.observe
            text = setup.configuration(
                scrape_interval_s=spec.scrape_interval, metrics_path=experiment.subject.metrics
            )
            prepare(folder / FOLDER, text)
            try:
                url = open_.enter_context(running(choice, folder / FOLDER))
            except SubjectError as error:
                if spec.prometheus == "required":
                    raise PrometheusRequiredError(f"observe.prometheus is required: {error}") from error
                observer.absent = str(error).splitlines()[0]
            else:
                observer.prometheus = open_.enter_context(
                    Prometheus(parse_address(url), answer_within_s=ANSWER_WITHIN_S)
                )
        notice(f"no Prometheus watches: {observer.absent}" if observer.absent else f"watched by {choice}")
        yield observer
