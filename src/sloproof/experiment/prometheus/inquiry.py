"""What the Prometheus of a run is asked about one trial: the compiled rules' own PromQL over its load."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sloproof.compile import promql
from sloproof.compile.conventions import UP
from sloproof.compile.selectors import selectors
from sloproof.experiment.prometheus.reading import Answers, Asked, Ends
from sloproof.observe.prometheus import QueryError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sloproof.compile.selectors import Selector
    from sloproof.experiment.prometheus.reading import Window
    from sloproof.observe.prometheus import Prometheus
    from sloproof.slo.definition import Definition, Indicator, Metrics


def ask(prometheus: Prometheus, definition: Definition, window: Window) -> dict[str, Answers]:
    """Return what it says of each objective over a window.

    No matcher of the trial is needed: the series of an earlier one went stale when its subject ended, long
    before the window, and its target has another port, on which nothing answers any more. So the queries are
    those of the rules to the letter.

    Raises:
        PrometheusError: it does not answer any more.

    """
    inquiry = _Inquiry(prometheus, definition.metrics, window)
    answers = {}
    for objective in definition.objectives:
        try:
            answers[objective.name] = inquiry.answers(objective.indicator)
        except QueryError as error:  # a query of the user's own may be wrong, and says nothing of the others
            answers[objective.name] = Answers(failed=str(error))
    return answers


@dataclass(frozen=True, slots=True)
class _Inquiry:
    prometheus: Prometheus
    metrics: Metrics
    window: Window

    def answers(self, indicator: Indicator) -> Answers:
        length_s = self.window.length_s
        error_ratio = self._ask(promql.error_ratio(indicator, self.metrics, length_s))
        events = promql.events(indicator, self.metrics, length_s)
        if events is None:
            return Answers(error_ratio=error_ratio)
        return Answers(
            total=self._ask(events.total),
            good=None if events.good is None else self._ask(events.good),
            bad=None if events.bad is None else self._ask(events.bad),
            error_ratio=error_ratio,
            ends=tuple(self._ends(events.total)),
        )

    def _ask(self, query: str) -> Asked:
        value = self.prometheus.number(query, at_s=float(self.window.ends_at_s))
        return Asked(query=query, value=value)

    def _ends(self, total: str) -> Iterator[Ends]:
        """Yield the series that a total counts; whether the target was up is in the reading already."""
        for selector in selectors(total, shifted=False):
            if selector.metric == UP:
                continue
            first, last = (self._values(selector, at_s) for at_s in (self.window.first_s, self.window.last_s))
            for labels in {**first, **last}:
                yield Ends(
                    selector=str(selector),
                    labels=dict(labels),
                    first=first.get(labels),
                    last=last.get(labels),
                )

    def _values(self, selector: Selector, at_s: float) -> dict[tuple[tuple[str, str], ...], float]:
        return {
            tuple(sorted(sample.labels.items())): sample.value
            for sample in self.prometheus.query(str(selector), at_s=at_s)
        }
