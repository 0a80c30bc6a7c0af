"""What is wrong with the alerts of an objective at so many events per second."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from sloproof.compile.lint.findings import Level, about, about_percent, percent, rate, span
from sloproof.slo.definition import ErrorRatio
from sloproof.slo.quantities import in_units

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sloproof.compile.lint.findings import Finding, Source
    from sloproof.slo.definition import Objective
    from sloproof.slo.tiers import Tier


ROUNDED = Decimal("1e-9")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Flow:
    """An objective and its events per second; what was measured may be another tomorrow."""

    source: Source
    objective: Objective
    per_second: Decimal
    measured: bool

    def __str__(self) -> str:
        return f"the traffic {'was' if self.measured else 'is'} {rate(self.per_second)}"

    def within(self, seconds: Decimal | int) -> Decimal:
        """Return the events within so many seconds; a rate that has no exact decimal has been rounded."""
        return (self.per_second * seconds).quantize(ROUNDED)

    def finding(self, level: Level, *, what: str, because: str, cure: str) -> Finding:
        return self.source.finding(self.objective.line, level, what=what, because=because, cure=cure)


def check(
    source: Source, traffic: Callable[[int], Decimal | None], *, measured: bool = False
) -> Iterator[Finding]:
    """Yield what is wrong at the events per second of each objective; ``None``: they are not known.

    What was `measured` makes nothing worse than a warning.
    """
    for index, objective in source.objectives():
        if per_second := traffic(index):
            flow = _Flow(source=source, objective=objective, per_second=per_second, measured=measured)
            yield from _budget(flow)
            for tier in objective.alerting.tiers:
                if tier.can_fire(objective.budget):
                    yield from _reach(flow, tier)
                    yield from _one_is_enough(flow, tier)


def _budget(flow: _Flow) -> Iterator[Finding]:
    objective, events = flow.objective, flow.within(flow.objective.window_s)
    if (allowed := events * objective.budget) < 1:
        yield flow.finding(
            Level.WARNING,
            what=f"a single bad event breaks '{objective.name}'",
            because=(
                f"{flow}, which makes {about(events)} events in {in_units(int(objective.window_s))}, and "
                f"{percent(objective.budget)} of them is {about(allowed)}"
            ),
            cure="lower the target, lengthen the window, or add the events of other endpoints",
        )


def _reach(flow: _Flow, tier: Tier) -> Iterator[Finding]:
    """Yield a finding where an outage does not make enough failures for a tier, or not in time."""
    objective, floor = flow.objective, flow.objective.alerting.minimum_failures
    if isinstance(objective.indicator, ErrorRatio):  # nobody can count its failures
        return
    in_long, reached_s = flow.within(tier.long_s), floor / flow.per_second
    detection_s = tier.threshold(objective.budget) * tier.long_s
    if in_long < floor:
        yield flow.finding(
            Level.WARNING if flow.measured else Level.ERROR,
            what=f"the tier '{tier.name}' of '{objective.name}' cannot fire even in an outage",
            because=(
                f"{flow}, which makes {about(in_long)} events in {in_units(tier.long_s)}, and it waits for "
                f"{floor} failures"
            ),
            cure=(
                f"lower alerting.minimum_failures, give it a long window of {span(reached_s)} or more, or "
                f"write alerting: {{disable: [{tier.name}]}}"
            ),
        )
    elif reached_s > detection_s and reached_s > tier.short_s:
        yield flow.finding(
            Level.WARNING,
            what=f"the tier '{tier.name}' of '{objective.name}' is late even in an outage",
            because=(
                f"{flow}, at which {floor} failures take {span(reached_s)}, when the budget that it lets "
                f"burn is gone in {span(detection_s)}"
            ),
            cure="lower alerting.minimum_failures, or watch the service by a probe that adds traffic",
        )


def _one_is_enough(flow: _Flow, tier: Tier) -> Iterator[Finding]:
    """Yield a finding where one bad event is above a tier's threshold, and no floor is below it."""
    objective, threshold = flow.objective, tier.threshold(flow.objective.budget)
    in_long = max(flow.within(tier.long_s), Decimal(1))
    counted = not isinstance(objective.indicator, ErrorRatio)
    if (counted and objective.alerting.minimum_failures > 1) or in_long * threshold >= 1:
        return
    yield flow.finding(
        Level.WARNING,
        what=f"a single bad event fires the tier '{tier.name}' of '{objective.name}'",
        because=(
            f"{flow}, so one of {about(in_long)} events in {in_units(tier.long_s)} is "
            f"{about_percent(1 / in_long)}, above its {about_percent(threshold)}"
        ),
        cure=(
            "set alerting.minimum_failures to 2 or more"
            if counted
            else "take the indicator ratio, whose events can be counted, or disable the tier"
        ),
    )
