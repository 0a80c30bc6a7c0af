"""Which rate to try next, from what was seen so far: the whole search as a value, without running anything.

First a bracket: rates that double until one is missed, then bisected, each judged by the median of three
trials. Then a few rates around it, each tried several times in random order, to which `fit` lays its lines:
what the bracket saw has chosen these rates and is no evidence. Where there is no rate above the limit to be
had, because the generator can do no more or the file asks for no more, the rate itself is put to a sign test.
"""

from __future__ import annotations

import random
from collections.abc import Generator
from dataclasses import dataclass, field
from enum import StrEnum
from math import log, sqrt
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sloproof.analysis.capacity.observation import Observation

SPREAD = (0.75, 0.875, 1.0, 1.125, 1.25)
"""The rates of the fit, relative to the middle of the bracket."""
CLOSE_RATIO = 1.3
"""So close are the ends of the bracket that the rates of the fit reach beyond both."""
CLEAR = log(2)
"""A trial with half of what is allowed: no noise turns that into a miss, and one trial is enough."""
ONE_SIDED_RATIO = 0.6
"""Four of five trials on one side: the limit lies at the edge of the rates that were tried."""
LEAST_FITTED = 3
TO_CLOSE_IN = 6
"""Trials that judge the rates next to the limit, in the mean of simulated searches."""
MAJORITY = 2
PATIENCE, PATIENCE_PROVEN = 2, 4
CERTAIN, CERTAIN_BUT_ONE = 6, 10
"""Six of six trials, or nine of the first ten, on one side: of a coin, one time in 46 together (2.15 %)."""

T = TypeVar("T")


class Step(StrEnum):
    """The part of the search that a trial belongs to."""

    BRACKET = "bracket"
    FIT = "fit"
    CONFIRM = "confirm"


class Ending(StrEnum):
    """How a search ended."""

    FITTED = "fitted"  # trials on both sides of the limit, for a fit
    TOP = "top"  # the highest rate asked for is met
    BOTTOM = "bottom"  # the lowest is missed
    GENERATOR = "generator"  # beyond the highest rate that was met, no measurement is valid
    BUDGET = "budget"  # the time was over before there was anything to conclude from
    UNMEASURED = "unmeasured"  # not even the lowest rate gives a valid measurement


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPlan:
    """What a search is given: rates, the time for all of its trials, and about how long one takes.

    ``trials`` is how often each rate of the fit is tried.
    """

    from_per_s: float
    to_per_s: float
    budget_s: float
    trial_s: float
    trials: int
    seed: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """The next trial: its rate, and what for."""

    rate_per_s: float
    step: Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a search has come to.

    ``met_per_s`` is the highest rate that the bracket saw met, ``missed_per_s`` the lowest it saw missed,
    ``invalid_per_s`` the lowest at which the generator could not measure. ``evidence`` are the valid trials
    of the last step: those to fit, or those at the one rate of a sign test. ``shown``: the test decided.
    ``capped``: the fit would have tried higher rates, and could not or should not.
    """

    ending: Ending
    met_per_s: float | None
    missed_per_s: float | None
    invalid_per_s: float | None
    evidence: tuple[Observation, ...]
    shown: bool
    capped: bool
    steps: tuple[Step, ...]


Trials = Generator[Proposal, "Observation", T]


def step(plan: SearchPlan, seen: Sequence[Observation]) -> Proposal | Finding:
    """Return the next trial of a search, or what it has come to, after the trials that were `seen`.

    The same observations always lead to the same step, so a search that was interrupted goes on from its
    records. Observations past the end of the search are of no account.
    """
    trials = _Search(plan).run()
    try:
        return _replayed(trials, seen)
    except StopIteration as ended:
        return _found(ended)


def so_far(plan: SearchPlan, seen: Sequence[Observation]) -> Finding:
    """Return what a search has come to, as if its time were over after the trials that were `seen`."""
    trials = _Search(plan).run()
    try:
        _replayed(trials, seen)
        trials.throw(_BudgetSpentError())
    except StopIteration as ended:
        return _found(ended)
    raise AssertionError("unreachable: a search proposes nothing once its time is over")


def _replayed(trials: Trials[Finding], seen: Sequence[Observation]) -> Proposal:
    proposal = next(trials)
    for each in seen:
        proposal = trials.send(each)
    return proposal


def _found(ended: StopIteration) -> Finding:
    finding: Finding = ended.value
    return finding


def most_trials(plan: SearchPlan) -> int:
    """Return how many trials of the usual length the time is enough for."""
    return int(plan.budget_s / plan.trial_s)


def needed_trials(plan: SearchPlan) -> int:
    """Return about how many trials a search takes: one a doubling, some to close in, and the fit."""
    return len(_climb(plan)) + TO_CLOSE_IN + len(SPREAD) * plan.trials


class _BudgetSpentError(Exception):
    """The next trial would end after the time that there is."""


class _Verdict(StrEnum):
    MET = "met"
    MISSED = "missed"
    INVALID = "invalid"


@dataclass(slots=True)
class _Search:
    plan: SearchPlan
    seen: list[tuple[Step, Observation]] = field(default_factory=list)
    met_per_s: float | None = None
    missed_per_s: float | None = None
    invalid_per_s: float | None = None
    capped: bool = False

    def run(self) -> Trials[Finding]:
        """Propose trials until there is something to conclude, or no time left."""
        try:
            return (yield from self._search())
        except _BudgetSpentError:
            fitted = self._of(Step.FIT)
            enough = len(fitted) >= LEAST_FITTED * len(SPREAD)
            return self._finding(Ending.FITTED if enough else Ending.BUDGET, fitted)

    def _search(self) -> Trials[Finding]:
        yield from self._bracket()
        if self.met_per_s is None and self.missed_per_s is None:
            return self._finding(Ending.UNMEASURED, [])
        if self.met_per_s is None:
            end, rate = Ending.BOTTOM, self.plan.from_per_s
        elif self.missed_per_s is not None and self.missed_per_s == self._above():
            return (yield from self._fit(sqrt(self.met_per_s * self.missed_per_s)))
        else:
            end, rate = (Ending.GENERATOR if self.invalid_per_s else Ending.TOP), self.met_per_s
        if (yield from self._confirm(rate, met=end is not Ending.BOTTOM)):
            return self._finding(end, self._of(Step.CONFIRM), shown=True)
        return (yield from self._fit(rate, otherwise=end))

    def _bracket(self) -> Trials[None]:
        """Find a rate that is met and one that is not, close to each other."""
        for rate in _climb(self.plan):
            if (yield from self._judge(rate)) is not _Verdict.MET:
                break
        while self.met_per_s and (above := self._above()) and above > CLOSE_RATIO * self.met_per_s:
            yield from self._judge(_readable(sqrt(self.met_per_s * above)))

    def _above(self) -> float | None:
        """Return the lowest rate that is too high, for the subject or for its generator."""
        return min(filter(None, (self.missed_per_s, self.invalid_per_s)), default=None)

    def _judge(self, rate: float) -> Trials[_Verdict]:
        """Return the median verdict of three valid trials, as soon as it is certain."""
        counts = dict.fromkeys(_Verdict, 0)
        while not self._decided(rate, counts):
            seen = yield from self._try(rate, Step.BRACKET)
            verdict = (_Verdict.MET if seen.met else _Verdict.MISSED) if seen.valid else _Verdict.INVALID
            counts[verdict] += 2 if seen.valid and seen.worst <= -CLEAR else 1
        valid = max(_Verdict.MET, _Verdict.MISSED, key=lambda each: counts[each])
        verdict = valid if counts[valid] >= MAJORITY else _Verdict.INVALID
        match verdict:
            case _Verdict.MET:
                self.met_per_s = rate
            case _Verdict.MISSED:
                self.missed_per_s = rate
            case _Verdict.INVALID:
                self.invalid_per_s = rate
        return verdict

    def _confirm(self, rate: float, *, met: bool) -> Trials[bool]:
        """Return whether the typical trial at a rate is met, or missed, with 97.5 % confidence."""
        against = 0
        for tried in range(1, CERTAIN_BUT_ONE + 1):
            seen = yield from self._valid(rate, Step.CONFIRM)
            against += seen is None or seen.met is not met
            if against > 1:
                return False
            if tried == CERTAIN and not against:
                return True
        return True

    def _fit(self, middle: float, *, otherwise: Ending = Ending.FITTED) -> Trials[Finding]:
        """Try several rates around the middle of the bracket; move where nearly all are on one side."""
        order = random.Random(self.plan.seed)  # noqa: S311 - not a secret
        for _ in range(self.plan.trials):
            rates = self._around(middle)
            order.shuffle(rates)
            met = []
            for rate in rates:
                seen = yield from self._valid(rate, Step.FIT)
                met += [] if seen is None else [seen.met]
            middle *= _shift(met)
        fitted = self._of(Step.FIT)
        enough = len({each.rate_per_s for each in fitted}) > 1
        return self._finding(Ending.FITTED if enough else otherwise, fitted)

    def _around(self, middle: float) -> list[float]:
        """Return the rates of a fit, none of them one that cannot be measured, or that was not asked for."""
        rates = [_readable(middle * share) for share in SPREAD]
        above = self.invalid_per_s
        kept = [rate for rate in rates if rate <= self.plan.to_per_s and (above is None or rate < above)]
        self.capped = len(kept) < len(rates)
        return kept

    def _decided(self, rate: float, counts: Mapping[_Verdict, int]) -> bool:
        valid = max(counts[_Verdict.MET], counts[_Verdict.MISSED])
        return valid >= MAJORITY or counts[_Verdict.INVALID] >= self._patience(rate)

    def _valid(self, rate: float, step: Step) -> Trials[Observation | None]:
        """Return a valid trial; ``None`` where none is to be had: this is the generator's limit."""
        for _ in range(self._patience(rate)):
            if (seen := (yield from self._try(rate, step))).valid:
                return seen
        self.invalid_per_s = min(rate, self.invalid_per_s or rate)
        self.capped = True
        return None

    def _patience(self, rate: float) -> int:
        """Return how many invalid trials at a rate say that its generator cannot do it.

        Where it has done more before, it is the machine that is busy, and will not be for ever.
        """
        has_done_it = any(each.valid and each.rate_per_s >= rate for _, each in self.seen)
        return PATIENCE_PROVEN if has_done_it else PATIENCE

    def _try(self, rate: float, step: Step) -> Trials[Observation]:
        alike_s = [each.seconds for _, each in self.seen if each.rate_per_s <= CLOSE_RATIO * rate]
        spent_s = sum(each.seconds for _, each in self.seen)
        if spent_s + max(alike_s, default=self.plan.trial_s) > self.plan.budget_s:
            raise _BudgetSpentError
        seen = yield Proposal(rate, step)
        self.seen.append((step, seen))
        return seen

    def _of(self, step: Step) -> list[Observation]:
        return [each for its, each in self.seen if its is step and each.valid]

    def _finding(self, ending: Ending, evidence: Sequence[Observation], *, shown: bool = False) -> Finding:
        return Finding(
            ending=ending,
            met_per_s=self.met_per_s,
            missed_per_s=self.missed_per_s,
            invalid_per_s=self.invalid_per_s,
            evidence=tuple(evidence),
            shown=shown,
            capped=self.capped,
            steps=tuple(its for its, _ in self.seen),
        )


def _shift(met: Sequence[bool]) -> float:
    """Return by what to move the middle of the fit, where nearly all of a round's trials were on one side.

    >>> _shift([True] * 5), _shift([True] * 4 + [False]), _shift([True, True, True, False, False])
    (1.25, 1.125, 1.0)
    """
    if not met:
        return 1.0
    one_sided = abs(2 * sum(met) - len(met)) / len(met)
    if one_sided < ONE_SIDED_RATIO:
        return 1.0
    towards = SPREAD[3:] if sum(met) * 2 > len(met) else SPREAD[1::-1]
    return towards[one_sided == 1]


def _climb(plan: SearchPlan) -> list[float]:
    """Return the rates of the first steps: each twice the one before, the last no more than asked for.

    >>> _climb(SearchPlan(from_per_s=50, to_per_s=300.0, budget_s=60, trial_s=1, trials=4, seed=1))
    [50.0, 100.0, 200.0, 300.0]
    """
    rates = [_readable(plan.from_per_s)]
    while rates[-1] < plan.to_per_s:
        rates.append(min(_readable(2 * rates[-1]), plan.to_per_s))
    return rates


def _readable(rate: float) -> float:
    """Return a rate to three digits, as people say it."""
    return float(f"{rate:.3g}")
