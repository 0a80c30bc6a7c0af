"""How an objective stands, from raw metrics: which queries to ask a Prometheus, and what its answers mean."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from sloproof.compile import conventions as names
from sloproof.compile import promql
from sloproof.compile.selectors import selectors
from sloproof.slo.definition import ErrorRatio
from sloproof.slo.quantities import in_units
from sloproof.slo.tiers import HOUR

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sloproof.slo.definition import Definition, Metrics, Objective
    from sloproof.slo.tiers import Severity, Tier

PARTS = 200
"""Into so many steps a search for the earliest sample divides its range: thirty days take three queries."""


class Verdict(StrEnum):
    """Whether an objective is met over the part of its window that there is data of."""

    MET = "MET"
    VIOLATED = "VIOLATED"
    NO_DATA = "no data"


@dataclass(frozen=True, slots=True, kw_only=True)
class TierStatus:
    """One tier: its burn rates, with ``None`` where a window has no events, and whether it would fire now.

    `failures` are the bad events in the long window; ``None``: they cannot be counted.
    """

    name: str
    severity: Severity
    factor: float
    long_s: int
    short_s: int
    long_burn_rate: float | None
    short_burn_rate: float | None
    failures: float | None
    fires: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveStatus:
    """One objective over the last `covered_s` seconds of its window, which is all there is data of.

    `bad` and `total` are events, as floats because Prometheus extrapolates; ``None``: they are not known.
    `budget_left` is a ratio, below 0 once more than all is spent. `reason` says why there is no verdict.
    """

    service: str
    objective: str
    target: str
    window_s: int
    covered_s: int
    bad: float | None
    total: float | None
    error_ratio: float | None
    budget_left: float | None
    burn_rate: float | None
    tiers: tuple[TierStatus, ...]
    verdict: Verdict
    reason: str = ""

    @property
    def sli(self) -> float | None:
        """The share of good events."""
        return None if self.error_ratio is None else 1 - self.error_ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A search for when series began, within `whole_s` seconds up to `now_s` (Unix time).

    Each answer narrows it down to a step: it looks at `range_s` up to `until_s`, every `step_s`.
    """

    series: str
    now_s: float
    whole_s: int
    until_s: float
    range_s: int
    step_s: int
    began_s: float | None = None

    @property
    def query(self) -> str:
        """The query for the first step at which there is any series, to be asked for at `until_s`."""
        range_, step = in_units(self.range_s), in_units(self.step_s)
        return f"min_over_time((vector(time()) and on () ({self.series}))[{range_}:{step}])"

    @property
    def covered_s(self) -> int:
        """For how long, by all answers so far, there have been series."""
        return 0 if self.began_s is None else min(int(self.now_s - self.began_s), self.whole_s)

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to ask."""
        return self.range_s == 0

    def narrowed(self, answer: float | None) -> Search:
        """Return the next search: before the first step that had a series, or after the last if none had."""
        return replace(
            self,
            until_s=self.until_s if answer is None else answer,
            range_s=0 if self.step_s == 1 else self.step_s,
            step_s=max(1, self.step_s // PARTS),
            began_s=self.began_s if answer is None else answer,
        )


def search(objective: Objective, metrics: Metrics, *, now_s: float) -> Search:
    """Return the search for the beginning of an objective's data within its window."""
    counted = promql.events(objective.indicator, metrics, names.COUNTED_S)
    ratio = promql.error_ratio(objective.indicator, metrics, names.COUNTED_S)
    found = selectors(ratio if counted is None else counted.total, shifted=False)
    whole_s = int(objective.window_s)
    return Search(
        series=" or ".join(f"count({each})" for each in found),
        now_s=now_s,
        whole_s=whole_s,
        until_s=now_s,
        range_s=whole_s,
        step_s=max(1, whole_s // PARTS),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The queries on one objective that has data of the last `covered_s` seconds, and when to ask for."""

    definition: Definition
    objective: Objective
    covered_s: int
    now_s: float

    def queries(self) -> dict[str, float]:
        """Return each query with the moment, as Unix time, at which it is to be evaluated."""
        # Steps of subqueries are at whole multiples; so the last of them is where the period ends.
        period_s = self.now_s // names.COUNTED_S * names.COUNTED_S if self.covered_s > HOUR else self.now_s
        now = [self._ratio(names.COUNTED_S)]
        for tier in self.objective.alerting.tiers:
            now += [self._ratio(tier.long_s), self._ratio(tier.short_s)]
            if (total := self._total(tier.long_s)) is not None:
                now.append(total)
        return {**dict.fromkeys(self._period(), period_s), **dict.fromkeys(now, self.now_s)}

    def judge(self, answers: Mapping[str, float | None], *, refusal: str = "") -> ObjectiveStatus:
        """Return how the objective stands by the answers to its queries; one that is missing is no data.

        `refusal` says why there are none, where the Prometheus could not give any.
        """
        bad, total, ratio = self._spent(answers)
        budget = float(self.objective.budget)
        current = answers.get(self._ratio(names.COUNTED_S))
        return ObjectiveStatus(
            service=self.definition.service,
            objective=self.objective.name,
            target=str(self.objective.target),
            window_s=int(self.objective.window_s),
            covered_s=self.covered_s,
            bad=bad,
            total=total,
            error_ratio=ratio,
            budget_left=None if ratio is None else 1 - ratio / budget,
            burn_rate=None if current is None else current / budget,
            tiers=tuple(self._tier(tier, answers) for tier in self.objective.alerting.tiers),
            verdict=_verdict(ratio, budget),
            reason="" if ratio is not None else refusal or self._silence(total),
        )

    def _period(self) -> Iterator[str]:
        """Yield the queries for the whole period: for all events, and for the good or the bad ones.

        Over hours and days, they add the events of five minutes each, as rules do: most series are younger
        than that (a process is, and so is its first error), and over a whole window what such a series had
        counted at its first sample would be lost. Data of an hour or less are looked at in one piece.
        """
        piece_s = self.covered_s if self.covered_s <= HOUR else names.COUNTED_S
        counted = promql.events(self.objective.indicator, self.definition.metrics, piece_s)
        if counted is None:
            ratio = promql.error_ratio(self.objective.indicator, self.definition.metrics, piece_s)
            yield self._over_pieces("avg", ratio, piece_s)
        else:
            yield self._over_pieces("sum", counted.total, piece_s)
            yield self._over_pieces("sum", counted.good or counted.bad or "", piece_s)

    def _over_pieces(self, how: str, query: str, piece_s: int) -> str:
        if piece_s == self.covered_s:
            return query
        # A second less than whole pieces, since Prometheus 2 includes both ends of a range.
        range_s = max(self.covered_s // piece_s, 1) * piece_s - 1
        return f"{how}_over_time((\n{promql.indent(query)}\n)[{in_units(range_s)}:{in_units(piece_s)}])"

    def _spent(self, answers: Mapping[str, float | None]) -> tuple[float | None, float | None, float | None]:
        """Return the bad and all events of the period, and the share of the bad."""
        queries = list(self._period())
        if isinstance(self.objective.indicator, ErrorRatio):
            return None, None, answers.get(queries[0])
        total, part = (answers.get(query) for query in queries)
        if not total:
            return None, total, None
        counted = promql.events(self.objective.indicator, self.definition.metrics, names.COUNTED_S)
        known = part or 0.0  # a kind of event that was never seen
        # Clamped: counters of one histogram are extrapolated each by itself, and differ by a hair.
        bad = known if counted is not None and counted.bad is not None else max(0.0, total - known)
        return bad, total, bad / total

    def _tier(self, tier: Tier, answers: Mapping[str, float | None]) -> TierStatus:
        budget, total_query = float(self.objective.budget), self._total(tier.long_s)
        long, short = (answers.get(self._ratio(window_s)) for window_s in (tier.long_s, tier.short_s))
        total = None if total_query is None else answers.get(total_query)
        failures = None if total is None or long is None else long * total
        threshold = float(tier.threshold(self.objective.budget))
        return TierStatus(
            name=tier.name,
            severity=tier.severity,
            factor=float(tier.factor),
            long_s=tier.long_s,
            short_s=tier.short_s,
            long_burn_rate=None if long is None else long / budget,
            short_burn_rate=None if short is None else short / budget,
            failures=failures,
            fires=(
                long is not None
                and short is not None
                and min(long, short) > threshold
                and (total_query is None or (failures or 0) >= self.objective.alerting.minimum_failures)
            ),
        )

    def _ratio(self, window_s: int) -> str:
        return promql.error_ratio(self.objective.indicator, self.definition.metrics, window_s)

    def _total(self, window_s: int) -> str | None:
        counted = promql.events(self.objective.indicator, self.definition.metrics, window_s)
        return None if counted is None else counted.total

    def _silence(self, total: float | None) -> str:
        if not self.covered_s:
            return "none of its series is there: are the metrics named as in the file, and is the target up?"
        if total is not None:
            return f"its series are there, and there was no event in {in_units(self.covered_s)}"
        return f"its series give nothing over {in_units(self.covered_s)}"


def _verdict(error_ratio: float | None, budget: float) -> Verdict:
    if error_ratio is None:
        return Verdict.NO_DATA
    return Verdict.VIOLATED if error_ratio > budget else Verdict.MET


def exit_status(statuses: list[ObjectiveStatus]) -> int:
    """Return the exit status that sums up objectives: 1 one is violated, 3 one has no data, 0 all are met."""
    verdicts = {each.verdict for each in statuses}
    if Verdict.VIOLATED in verdicts:
        return 1
    return 3 if Verdict.NO_DATA in verdicts or not verdicts else 0
