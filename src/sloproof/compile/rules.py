"""An objective as Prometheus rules: recorded series and the alerts on them, in order of evaluation."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from sloproof.compile import conventions as names
from sloproof.compile import promql
from sloproof.slo.definition import ErrorRatio
from sloproof.slo.quantities import in_units
from sloproof.slo.tiers import DAY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sloproof.slo.definition import Definition, Objective
    from sloproof.slo.tiers import Tier

SPEC = "sloproof/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A rule that records a series."""

    record: str
    expr: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A rule that alerts; it must hold for `for_s` first."""

    alert: str
    expr: str
    for_s: int = 0
    labels: Mapping[str, str]
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Rules that are evaluated one after the other, every so many seconds."""

    name: str
    interval_s: int
    rules: tuple[Recording | Alert, ...]


def compile_rules(definition: Definition) -> Iterator[Group]:
    """Yield the rules of each objective, a group each.

    Within a group, later rules see what earlier ones have recorded at the same moment, so an alert is never
    an evaluation behind its ratio.
    """
    for objective in definition.objectives:
        of = _Names(definition, objective)
        yield Group(
            name=f"sloproof-{of.id}",
            interval_s=definition.prometheus.evaluation_interval_s,
            rules=(*_recordings(definition, objective, of), *_alerts(definition, objective, of)),
        )


def windows_s(objective: Objective) -> list[int]:
    """Return the windows over which the error ratio of an objective is recorded, in seconds, rising."""
    tiers = objective.alerting.tiers
    return sorted({names.COUNTED_S, *(t.long_s for t in tiers), *(t.short_s for t in tiers)})


class _Names:
    """What the series of one objective are called."""

    def __init__(self, definition: Definition, objective: Objective) -> None:
        self.id = names.slo_id(definition.service, objective.name)
        self.labels = {
            **objective.labels,
            names.ID: self.id,
            names.SERVICE: definition.service,
            names.SLO: objective.name,
        }
        self.selector = promql.matchers({names.ID: self.id})

    def ratio(self, window_s: int) -> str:
        return f"{names.error_ratio(window_s)}{self.selector}"

    def series(self, name: str) -> str:
        return f"{name}{self.selector}"


def _recordings(definition: Definition, objective: Objective, of: _Names) -> Iterator[Recording]:
    def record(name: str, expr: str, **labels: str) -> Recording:
        return Recording(record=name, expr=expr, labels={**of.labels, **labels})

    period_s = int(objective.window_s)
    for window_s in windows_s(objective):
        if window_s == period_s:
            continue  # is recorded from counts below, once
        expr = promql.error_ratio(objective.indicator, definition.metrics, window_s)
        yield record(names.error_ratio(window_s), expr, **{names.WINDOW: in_units(window_s)})
    counted = promql.events(objective.indicator, definition.metrics, names.COUNTED_S)
    if counted is not None:
        yield record(names.TOTAL, counted.total)
        yield record(
            names.BAD,
            f"{of.series(names.TOTAL)} * ignoring ({names.WINDOW}) {of.ratio(names.COUNTED_S)}",
        )
    yield record(
        names.error_ratio(period_s),
        _over_period(objective, of, in_units(period_s)),
        **{names.WINDOW: in_units(period_s)},
    )
    yield record(names.OBJECTIVE, f"vector({objective.target:f})")
    yield record(names.BUDGET, f"vector({objective.budget:f})")
    yield record(names.PERIOD_DAYS, f"vector({_plain(objective.window_s / DAY)})")
    yield record(names.CURRENT_BURN_RATE, f"{of.ratio(names.COUNTED_S)} / {objective.budget:f}")
    yield record(names.PERIOD_BURN_RATE, f"{of.ratio(period_s)} / {objective.budget:f}")
    yield record(names.BUDGET_REMAINING, f"1 - {of.series(names.PERIOD_BURN_RATE)}")
    yield record(
        names.INFO,
        "vector(1)",
        sloth_mode="cli-gen-prom",
        sloth_spec=SPEC,
        sloth_objective=_plain(objective.target * 100),
    )


def _over_period(objective: Objective, of: _Names, period: str) -> str:
    """Return the share of bad events over the whole period, each event weighing the same.

    Every evaluation adds the events of the last five minutes, so each event is counted equally often above
    and below the line, and an idle time adds nothing.
    """
    if isinstance(objective.indicator, ErrorRatio):  # without counts, a mean over time is all there is
        return f"avg_over_time({of.ratio(names.COUNTED_S)}[{period}])"
    bad, total = (f"sum_over_time({of.series(name)}[{period}])" for name in (names.BAD, names.TOTAL))
    return f"{bad}\n/\n({total} > 0)"


def _alerts(definition: Definition, objective: Objective, of: _Names) -> Iterator[Alert]:
    alerting = objective.alerting
    for tier in alerting.tiers:
        yield Alert(
            alert=names.BURN_ALERT,
            expr=_burns(definition, objective, of, tier),
            labels={
                **of.labels,
                **alerting.labels,
                names.SEVERITY: tier.severity,
                names.SLOTH_SEVERITY: tier.severity,
                names.TIER: tier.name,
            },
            annotations=_burn_annotations(definition, objective, of, tier),
        )
    if not isinstance(objective.indicator, ErrorRatio):  # whose idle time looks just the same
        yield Alert(
            alert=names.ABSENCE_ALERT,
            expr=f"absent({of.series(names.TOTAL)})",
            for_s=alerting.absence.after_s,
            labels={
                **of.labels,
                **alerting.labels,
                names.SEVERITY: alerting.absence.severity,
                names.SLOTH_SEVERITY: alerting.absence.severity,
                names.TIER: "absence",
            },
            annotations={
                "summary": f"{of.id}: its metrics are gone, so none of its alerts can fire",
                "description": "No series that counts its events has been there for"
                f" {in_units(alerting.absence.after_s)}."
                " Is the target up, and are its metrics named as before?",
                **links(definition, objective),
                **alerting.annotations,
            },
        )


def _burns(definition: Definition, objective: Objective, of: _Names, tier: Tier) -> str:
    """Return the expression of one tier, whose value is the burn rate over the long window.

    The windows differ in a label, which must go before ``and`` compares them: with it, none ever matches.
    """
    long, short = (
        f"max without ({names.WINDOW}) ({of.ratio(window_s)} / {objective.budget:f}) > {tier.factor:f}"
        for window_s in (tier.long_s, tier.short_s)
    )
    if isinstance(objective.indicator, ErrorRatio):
        return f"{long}\nand\n{short}"
    return f"{long}\nand\n{short}\nand\n(\n{promql.indent(_enough(definition, objective, of, tier))}\n)"


def _enough(definition: Definition, objective: Objective, of: _Names, tier: Tier) -> str:
    """Return the condition that enough events were bad in the long window, for one may be an accident.

    Each evaluation has counted the last five minutes' events, so each event was counted as often as there
    are evaluations in them; the latest ones not yet, of which those five minutes themselves tell. Counters
    are extrapolated to the ends of a window, by up to a scrape: half an event is granted for that.
    """
    prometheus, least = definition.prometheus, objective.alerting.minimum_failures - Decimal("0.5")
    repeated = _thousandths(Decimal(names.COUNTED_S) / prometheus.evaluation_interval_s)
    counted = f"sum_over_time({of.series(names.BAD)}[{in_units(tier.long_s)}]) / {repeated} > {least}"
    covered_s = names.COUNTED_S - prometheus.scrape_interval_s
    if covered_s <= 0:
        return counted
    extrapolated = _thousandths(least * names.COUNTED_S / covered_s)
    return f"{counted}\nor\n{of.series(names.BAD)} > {extrapolated}"


def _burn_annotations(definition: Definition, objective: Objective, of: _Names, tier: Tier) -> dict[str, str]:
    remaining = f"slo:period_error_budget_remaining:ratio{{{names.ID}='{of.id}'}}"
    burn = f"{names.error_ratio(tier.long_s)}{{{names.ID}='{of.id}'}} / {objective.budget:f}"
    left_s = f"clamp_min({remaining}, 0) * {int(objective.window_s)} / ignoring ({names.WINDOW}) ({burn})"
    return {
        "summary": f'{of.id}: its error budget burns {{{{ $value | printf "%.1f" }}}} times too fast',
        "description": (
            f"Over the last {in_units(tier.long_s)} and {in_units(tier.short_s)} it burnt more than"
            f" {tier.factor:f} times as fast as it lasts {in_units(int(objective.window_s))}."
            f" Left of it: {_queried(remaining, 'humanizePercentage')};"
            f" at this rate for: {_queried(left_s, 'humanizeDuration')}."
        ),
        **links(definition, objective),
        **objective.alerting.annotations,
    }


def _queried(query: str, form: str) -> str:
    shown = f"{{{{ . | first | value | {form} }}}}"
    return f'{{{{ with query "{query}" }}}}{shown}{{{{ else }}}}unknown{{{{ end }}}}'


def links(definition: Definition, objective: Objective) -> dict[str, str]:
    """Return the annotations with the links of an objective, names filled in."""
    given = {"runbook_url": objective.alerting.runbook, "dashboard_url": objective.alerting.dashboard}
    return {
        name: link.replace("{{service}}", definition.service).replace("{{objective}}", objective.name)
        for name, link in given.items()
        if link
    }


def _plain(number: Decimal) -> str:
    """Return a number without an exponent or trailing zeros.

    >>> _plain(Decimal("30.00"))
    '30'
    """
    return f"{number.normalize():f}"


def _thousandths(number: Decimal) -> str:
    return _plain(number.quantize(Decimal("0.001")))
