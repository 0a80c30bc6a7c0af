"""The dashboard of one objective: its budget, its burn rates against each tier, its alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sloproof.compile import conventions as names
from sloproof.compile.dashboards.board import (
    FULL_WIDTH,
    GREEN,
    ORANGE,
    RED,
    Annotation,
    Board,
    Choice,
    Lines,
    Panel,
    Query,
    Row,
    States,
    Step,
    number,
)
from sloproof.compile.dashboards.overview import BUDGET_STEPS, DETAIL_UID, NO_ALERT, NO_EVENTS
from sloproof.compile.dashboards.queries import firing, series, shared
from sloproof.slo.definition import ErrorRatio
from sloproof.slo.quantities import in_units
from sloproof.slo.tiers import DAY, HOUR, MINUTE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sloproof.compile.dashboards.queries import Shared
    from sloproof.slo.definition import Definition
    from sloproof.slo.tiers import Tier

CHOSEN = (f'{names.SERVICE}="$service"', f'{names.SLO}="$objective"')
NOT_BURNING = "nothing burns now"
NOT_COUNTED = "its events are not counted, only their ratio is"
TARGET = "target"


def detail(definitions: Sequence[Definition]) -> Board:
    """Return the dashboard of one objective at a time."""
    return Board(
        uid=DETAIL_UID,
        title="SLO detail",
        description="One objective: what is left of its error budget and what took it, the burn rates that"
        " each alert looks at with its limit, the events, and the alerts.",
        variables=(
            Choice(name="service", label="Service", query=f"label_values({names.INFO}, {names.SERVICE})"),
            Choice(
                name="objective",
                label="Objective",
                query=f"label_values({series(names.INFO, CHOSEN[0])}, {names.SLO})",
            ),
        ),
        annotations=(
            Annotation(
                name="Alerts",
                expr=f"max by (alertname, {names.TIER}, {names.SEVERITY}) ({firing(*CHOSEN)})",
                color=RED,
                title=f"{{{{{names.TIER}}}}} fires",
                text="{{alertname}}",
                tags=(names.TIER, names.SEVERITY),
                may_be_empty=NO_ALERT,
            ),
        ),
        rows=(
            Row("Now", tuple(_numbers())),
            Row("Error budget", (_left(definitions), _spent_a_day(definitions))),
            Row("Burn rates", tuple(_tiers(definitions))),
            Row("Events", (_sli(), _events(definitions))),
            Row("Alerts", (_alerts(),)),
        ),
        newest="24h",
        refresh="1m",
    )


def _of(name: str, *matchers: str) -> str:
    """Return a recorded series of the chosen objective, without labels."""
    return f"max({series(name, *CHOSEN, *matchers)})"


def _numbers() -> Iterator[Panel]:
    sli = f"1 - {_of(names.PERIOD_BURN_RATE)} * {_of(names.BUDGET)}"
    burn = _of(names.CURRENT_BURN_RATE)
    lasts = f"clamp_min({_of(names.BUDGET_REMAINING)}, 0) * {_of(names.PERIOD_DAYS)} * {DAY} / ({burn} > 0)"
    alerts = f"count({firing(*CHOSEN)}) or 0 * count({series(names.OBJECTIVE, *CHOSEN)})"
    yield number(
        Query(expr=_of(names.OBJECTIVE), legend="Target"),
        "The share of events that must be good.",
        unit="percentunit",
        decimals=3,
    )
    yield number(
        Query(expr=sli, legend="SLI", may_be_empty=NO_EVENTS),
        "The share of good events over the objective's window; each event weighs the same.",
        unit="percentunit",
        decimals=3,
    )
    yield number(
        Query(expr=_of(names.BUDGET_REMAINING), legend="Budget left", may_be_empty=NO_EVENTS),
        "What is left of the error budget over the window. Below 0 the objective is violated.",
        unit="percentunit",
        decimals=1,
        steps=BUDGET_STEPS,
    )
    yield number(
        Query(expr=burn, legend="Burn rate, 5m", may_be_empty=NO_EVENTS),
        "How many times faster than its even pace the budget burnt in the last five minutes; at 1 it lasts"
        " exactly its window.",
        unit="none",
        decimals=2,
        steps=(Step(None, GREEN), Step(1, ORANGE)),
    )
    yield number(
        Query(expr=lasts, legend="Budget lasts", may_be_empty=NOT_BURNING),
        "How long what is left lasts if it goes on burning as in the last five minutes.",
        unit="dtdurations",
        decimals=1,
        steps=(Step(None, RED), Step(DAY, ORANGE), Step(3 * DAY, GREEN)),
    )
    yield number(
        Query(expr=alerts, legend="Firing"),
        "How many alerts of this objective fire now.",
        steps=(Step(None, GREEN), Step(1, RED)),
    )


def _left(definitions: Sequence[Definition]) -> Panel:
    longest_s = max(int(each.window_s) for definition in definitions for each in definition.objectives)
    return Panel(
        title="Budget burn-down",
        description="What is left of the error budget, over the window that slides behind each moment: it"
        " falls as bad events happen and rises as old ones leave the window. Shows the whole"
        " window, whatever time is chosen above. Below 0 the objective is violated.",
        look=Lines(decimals=1),
        queries=(Query(expr=_of(names.BUDGET_REMAINING), legend="left", may_be_empty=NO_EVENTS),),
        unit="percentunit",
        no_value=NO_EVENTS,
        width=12,
        steps=BUDGET_STEPS,
        newest=_in_one_unit(longest_s),
    )


def _spent_a_day(definitions: Sequence[Definition]) -> Panel:
    empty = NOT_COUNTED if _ratios_only(definitions) else NO_EVENTS
    return Panel(
        title="Budget spent within a day",
        description="Which share of the whole window's error budget went in the day before each moment. The"
        " line is the even pace, at which the budget just lasts.",
        look=Lines(limits=("even pace",), decimals=1),
        queries=tuple(
            query
            for window in shared(definitions, lambda objective: (int(objective.window_s),))
            for query in _spent(window, empty)
        ),
        unit="percentunit",
        no_value=empty,
        width=12,
    )


def _spent(window: Shared[int], empty: str) -> Iterator[Query]:
    def total(name: str, over: str) -> str:
        return f"max(sum_over_time({series(name, *CHOSEN, *window.matchers)}[{over}]))"

    whole = f"({total(names.TOTAL, in_units(window.value))} * {_of(names.BUDGET)} > 0)"
    yield Query(expr=f"{total(names.BAD, '1d')} / {whole}", legend="spent", may_be_empty=empty)
    of_others = "of objectives with another window" if window.matchers else None
    pace = f"{DAY} / {window.value} + 0 * {_of(names.OBJECTIVE, *window.matchers)}"
    yield Query(expr=pace, legend="even pace", may_be_empty=of_others)


def _tiers(definitions: Sequence[Definition]) -> Iterator[Panel]:
    variants: dict[str, list[Shared[Tier]]] = {}
    for tier in shared(definitions, lambda objective: objective.alerting.tiers):
        variants.setdefault(tier.value.name, []).append(tier)
    for name, tiers in variants.items():
        yield Panel(
            title=f"{name}: burn rates against its limit",
            description=f"The alert '{name}' ({tiers[0].value.severity}) fires while the burn rates over"
            " both its windows are above the limit, and enough events failed. The long window"
            " tells that it matters, the short one that it goes on.",
            look=Lines(limits=tuple(_limit(tier.value) for tier in tiers), decimals=2),
            queries=tuple(query for tier in tiers for query in _burn_rates(tier)),
            unit="none",
            no_value=NO_EVENTS,
            width=12,
        )


def _limit(tier: Tier) -> str:
    return f"limit {tier.factor:f}"


def _burn_rates(tier: Shared[Tier]) -> Iterator[Query]:
    for window_s in (tier.value.long_s, tier.value.short_s):
        ratio = _of(names.error_ratio(window_s), *tier.matchers)
        yield Query(expr=f"{ratio} / {_of(names.BUDGET)}", legend=in_units(window_s), may_be_empty=NO_EVENTS)
    yield Query(
        expr=f"{tier.value.factor:f} + 0 * {_of(names.OBJECTIVE, *tier.matchers)}",
        legend=_limit(tier.value),
        may_be_empty="of objectives with other tiers" if tier.matchers else None,
    )


def _sli() -> Panel:
    window = f"1 - {_of(names.PERIOD_BURN_RATE)} * {_of(names.BUDGET)}"
    now = f"1 - {_of(names.CURRENT_BURN_RATE)} * {_of(names.BUDGET)}"
    return Panel(
        title="SLI against its target",
        description="The share of good events in the last five minutes, and over the objective's window,"
        " which is what the target is about.",
        look=Lines(limits=(TARGET,), decimals=3),
        queries=(
            Query(expr=now, legend="5m", may_be_empty=NO_EVENTS),
            Query(expr=window, legend="window", may_be_empty=NO_EVENTS),
            Query(expr=_of(names.OBJECTIVE), legend=TARGET),
        ),
        unit="percentunit",
        no_value=NO_EVENTS,
        width=12,
    )


def _events(definitions: Sequence[Definition]) -> Panel:
    empty = NOT_COUNTED if _ratios_only(definitions) else NO_EVENTS
    total, bad = _of(names.TOTAL), _of(names.BAD)
    return Panel(
        title="Events, good and bad, 5m",
        description="How many events there were in the five minutes before each moment. Fractions are"
        " Prometheus's extrapolation to the ends of the window.",
        look=Lines(stacked=True, decimals=0),
        queries=(
            Query(expr=f"{total} - ({bad} or 0 * {total})", legend="good", may_be_empty=empty),
            Query(expr=f"{bad} or 0 * {total}", legend="bad", may_be_empty=empty),
        ),
        unit="short",
        no_value=empty,
        width=12,
    )


def _alerts() -> Panel:
    return Panel(
        title="Alerts over time",
        description="When each of the objective's alerts was firing. The alert 'absence' tells that its"
        " metrics are gone.",
        look=States(((1, "firing", RED),)),
        queries=(
            Query(
                expr=f"max by ({names.TIER}) ({firing(*CHOSEN)})",
                legend=f"{{{{{names.TIER}}}}}",
                may_be_empty=NO_ALERT,
            ),
        ),
        unit="none",
        no_value=NO_ALERT,
        width=FULL_WIDTH,
        height=6,
    )


def _ratios_only(definitions: Sequence[Definition]) -> bool:
    """Tell whether some objective is known by a ratio alone."""
    return any(
        isinstance(each.indicator, ErrorRatio) for definition in definitions for each in definition.objectives
    )


def _in_one_unit(seconds: int) -> str:
    """Return a duration as Grafana takes it for a range, which has one unit only.

    >>> _in_one_unit(2_592_000), _in_one_unit(5_400), _in_one_unit(90)
    ('30d', '90m', '90s')
    """
    for unit, length in (("d", DAY), ("h", HOUR), ("m", MINUTE)):
        if seconds % length == 0:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"
