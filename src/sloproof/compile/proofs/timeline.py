"""Phases of traffic at the pace of production, one after the other, as a test of one objective."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sloproof.compile.proofs.case import Case, step_within, up_to
from sloproof.compile.proofs.traffic import Phase

if TYPE_CHECKING:
    from sloproof.compile.proofs.case import Expectation, Subject
    from sloproof.compile.proofs.traffic import Series

STEP_S = 15
MANY = 100
"""Requests before each scrape, so many that a single one does not matter."""


class Timeline:
    """Builds phases of traffic, one after the other, at the pace of production."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.pace = subject.pace_s
        self.step = step_within(self.pace, STEP_S)
        self.phases: list[Phase] = []

    @property
    def now_s(self) -> int:
        """When the last phase so far ends."""
        return sum(phase.steps for phase in self.phases) * self.step

    def go(self, duration_s: float, requests: int, errors: float = 0.0) -> int:
        """Let requests come for a while, to the next evaluation at least, and return when that ends."""
        steps = up_to(duration_s, self.pace) // self.step
        self.phases.append(Phase(steps=steps, requests=requests, errors=errors))
        return self.now_s

    def one_by_one(self, times: int, every_s: int, requests: int, errors: float = 0.0) -> int:
        """Let requests come at once, every so often, and return when the last ones did."""
        pause = [Phase(steps=every_s // self.step - 1, requests=0)] if every_s > self.step else []
        self.phases += [*pause, Phase(steps=1, requests=requests, errors=errors)] * times
        return self.now_s

    def case(self, title: str, *expectations: Expectation, series: Series | None = None) -> Case:
        """Return the test, of metrics that show the phases or of given ones."""
        return Case(
            title=title,
            objectives=(self.subject.objective.name,),
            pace_s=self.pace,
            step_s=self.step,
            series=self.subject.traffic(self.phases) if series is None else series,
            expectations=expectations,
        )
