"""Tests of when each tier of burn alerts fires and ends, by the closed forms; no time is typed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sloproof.compile.proofs.case import (
    LONGEST_STEP_S,
    Case,
    Expectation,
    before,
    between,
    fires,
    never,
    silent,
    step_within,
    up_to,
)
from sloproof.compile.proofs.traffic import NotProvableError, Phase
from sloproof.slo.burnrate import detection_s, reset_s

if TYPE_CHECKING:
    from sloproof.compile.proofs.case import Subject
    from sloproof.slo.tiers import Tier

OUTAGE = 1.0
BURNING = 3.0
"""The error ratio of the longer fault, as a multiple of the threshold; a third of the window finds it."""
BELOW = 0.95
PER_SHORT = 10
"""Up to so many evaluations in a short window, a test evaluates as often as production does."""
COARSE = 5
"""In longer ones so many, for promtool evaluates every rule every time."""
SCRAPES = 20
"""Scrapes in a short window, at least."""
EARLY = 8
"""The first fault comes after this part of the long window."""


def pace_s(subject: Subject, tier: Tier) -> int:
    """Return how often the rules are evaluated in the tests of a tier."""
    if tier.short_s <= PER_SHORT * subject.pace_s:
        return subject.pace_s
    return max(1, tier.short_s // COARSE // subject.pace_s) * subject.pace_s


def detection(subject: Subject, tier: Tier) -> Case:
    """Return a test that a tier fires and ends when the closed forms say so.

    First a total outage on a Prometheus that has not been there for long, and sees a shorter window; then,
    when nothing of it is left in any window, a lesser fault, which lasts until the tier has fired and all of
    the short window is bad. A fault shows in the first scrape after it began, so a tier may be as much late.
    """
    return _Faults(subject, tier).case()


def below(subject: Subject, tier: Tier) -> Case:
    """Return a test that a tier is silent just below its threshold, whatever its windows are.

    From the first scrape on the error ratio is the same, so it is the same in every window.
    """
    pace = subject.pace_s
    step, end, ratio = step_within(pace, SCRAPES), 12 * pace, BELOW * subject.threshold(tier)
    volume = subject.volume(share=ratio, pace_s=pace, step_s=step, history_s=end // 2)
    phases = [Phase(steps=end // step, requests=volume or 40, errors=ratio)]
    return Case(
        title=f"{tier.name} is silent just below its threshold",
        objectives=(subject.objective.name,),
        pace_s=pace,
        step_s=step,
        series=subject.traffic(phases),
        expectations=(
            between(subject.ratio(tier.long_s), ratio * 0.99, ratio * 1.01, end),
            never(subject.alerts(tier), end),
        ),
    )


class _Faults:
    """Builds the phases of a test of one tier, and what is expected of it at their turns."""

    def __init__(self, subject: Subject, tier: Tier) -> None:
        self.subject, self.tier = subject, tier
        self.pace = pace_s(subject, tier)
        self.step = step_within(self.pace, min(LONGEST_STEP_S, tier.short_s // SCRAPES))
        self.limit = subject.threshold(tier)
        self.requests = 0
        self.phases: list[Phase] = []
        self.expectations: list[Expectation] = []

    @property
    def now_s(self) -> int:
        return sum(phase.steps for phase in self.phases) * self.step

    def case(self) -> Case:
        tier = self.tier
        early_s = up_to(tier.long_s / EARLY, self.pace)
        found_s = self._predicted(OUTAGE, history_s=early_s)
        is_short = found_s <= tier.long_s / 2 and not self.subject.is_gauge
        self.requests = self._volume(early_s if is_short else tier.long_s)
        if is_short:
            self._until(early_s)
            self._outage(found_s)
        self._until(up_to(self.now_s + tier.long_s + self.step, self.pace))
        self._fault(min(OUTAGE, BURNING * self.limit))
        return Case(
            title=f"{tier.name} fires and ends when predicted",
            objectives=(self.subject.objective.name,),
            pace_s=self.pace,
            step_s=self.step,
            series=self.subject.traffic(self.phases),
            expectations=tuple(self.expectations),
        )

    def _outage(self, found_s: float) -> None:
        """Let everything fail until the tier has fired, and no longer."""
        begun_s = self.now_s
        self._fires(begun_s, found_s)
        self._until(up_to(begun_s + found_s + self.step, self.pace), errors=OUTAGE)
        self._silent(up_to(self.now_s + self.tier.short_s + self.step, self.pace))

    def _fault(self, ratio: float) -> None:
        begun_s = self.now_s
        found_s = self._predicted(ratio)
        self._fires(begun_s, found_s)
        lasts_s = max(found_s, self.tier.short_s) + self.step + self.pace
        self._until(up_to(begun_s + lasts_s, self.pace), errors=ratio)
        ended_s, budget = self.now_s, self.subject.objective.budget
        goes_on_s = reset_s(self.tier, budget=budget, error_ratio=ratio) or 0.0
        firing_s = max(ended_s, before(ended_s + goes_on_s - self.step, self.pace))
        over_s = up_to(ended_s + goes_on_s + self.step, self.pace)
        self.expectations.append(fires(self.subject, self.tier, firing_s))
        self._silent(over_s)
        if self.tier.long_s != self.subject.objective.window_s:  # it is the short window that forgets first
            self.expectations.append(between(self.subject.ratio(self.tier.long_s), self.limit, 1, over_s))
        self._until(over_s)

    def _fires(self, begun_s: int, found_s: float) -> None:
        """Expect silence while it is surely early, and the alert one scrape after its time."""
        self._silent(max(begun_s, before(begun_s + found_s - self.step, self.pace)))
        late_s = up_to(begun_s + found_s + self.step, self.pace)
        self.expectations.append(fires(self.subject, self.tier, late_s))

    def _silent(self, at_s: int) -> None:
        self.expectations.append(silent(self.subject, self.tier, at_s))

    def _until(self, time_s: int, errors: float = 0.0) -> None:
        steps = (time_s - self.now_s) // self.step
        self.phases.append(Phase(steps=steps, requests=self.requests, errors=errors))

    def _predicted(self, ratio: float, history_s: float | None = None) -> float:
        budget = self.subject.objective.budget
        found_s = detection_s(self.tier, budget=budget, error_ratio=ratio, history_s=history_s)
        if found_s is None:
            raise AssertionError("unreachable: a ratio above the threshold is found in the end")
        return found_s

    def _volume(self, history_s: int) -> int:
        found = self.subject.volume(share=self.limit, pace_s=self.pace, step_s=self.step, history_s=history_s)
        if found is None:
            raise NotProvableError(
                f"so few samples would not reach {self.subject.objective.alerting.minimum_failures} failures"
            )
        return found
