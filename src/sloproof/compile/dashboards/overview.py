"""The dashboard of all objectives: which of them is in danger, and how much."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sloproof.compile import conventions as names
from sloproof.compile.dashboards.board import (
    GREEN,
    ORANGE,
    RED,
    Board,
    Choice,
    Column,
    Lines,
    Link,
    Panel,
    Query,
    Row,
    States,
    Step,
    number,
    table,
)
from sloproof.compile.dashboards.queries import firing, series, shared
from sloproof.slo.quantities import in_units
from sloproof.slo.tiers import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sloproof.compile.dashboards.queries import Shared
    from sloproof.slo.definition import Definition
    from sloproof.slo.tiers import Tier

UID = "sloproof-slo-overview"
DETAIL_UID = "sloproof-slo-detail"
CHOSEN = f'{names.SERVICE}=~"$service"'
OBJECTIVE = f"{names.SERVICE}, {names.SLO}"
LEGEND = f"{{{{{names.SERVICE}}}}} {{{{{names.SLO}}}}}"
NO_EVENTS = "no events: idle, or the metrics are gone"
NO_ALERT = "no alert is firing"
BUDGET_STEPS = (Step(None, RED), Step(0, ORANGE), Step(0.25, GREEN))
COLORS = {Severity.PAGE: RED, Severity.TICKET: ORANGE}


def overview(definitions: Sequence[Definition]) -> Board:
    """Return the dashboard of all objectives."""
    return Board(
        uid=UID,
        title="SLO overview",
        description="All objectives: how they are met, what is left of their error budgets, how fast it"
        " burns against what alerts, and which alerts fire.",
        variables=(
            Choice(
                name="service",
                label="Service",
                query=f"label_values({names.INFO}, {names.SERVICE})",
                several=True,
            ),
        ),
        rows=(
            Row("Now", tuple(_numbers())),
            Row("Objectives", (_objectives(definitions),)),
            Row("Over time", (_budgets(), _burn_rates())),
            Row("Alerts", (_alerts(), _alerts_over_time())),
        ),
    )


def _counted(of: str) -> str:
    """Return how many there are, 0 rather than nothing while there are objectives at all."""
    return f"count({of}) or 0 * count({series(names.OBJECTIVE, CHOSEN)})"


def _numbers() -> Iterator[Panel]:
    recorded = series(names.OBJECTIVE, CHOSEN)
    events = series(names.CURRENT_BURN_RATE, CHOSEN)
    pages = firing(f'{names.SEVERITY}="{Severity.PAGE}"', CHOSEN)
    tickets = firing(f'{names.SEVERITY}="{Severity.TICKET}"', CHOSEN)
    some, violated = (Step(None, GREEN), Step(1, ORANGE)), (Step(None, GREEN), Step(1, RED))
    yield number(Query(expr=f"count({recorded})", legend="Objectives"), "How many objectives are recorded.")
    used_up = _counted(f"{series(names.BUDGET_REMAINING, CHOSEN)} <= 0")
    yield number(
        Query(expr=used_up, legend="Budgets used up"),
        "Objectives that are violated: nothing is left of their error budget.",
        steps=violated,
    )
    yield number(
        Query(expr=_counted(pages), legend="Pages"), "Alerts that page somebody now.", steps=violated
    )
    yield number(
        Query(expr=_counted(tickets), legend="Tickets"),
        "Alerts that ask for work on a working day.",
        steps=some,
    )
    yield number(
        Query(expr=_counted(f"{recorded} unless on ({names.ID}) {events}"), legend="Without events"),
        "Objectives with no event in the last five minutes: nobody asked, or the metrics are gone. An alert"
        " tells the second case.",
        steps=some,
    )


def _objectives(definitions: Sequence[Definition]) -> Panel:
    recorded = _one(series(names.OBJECTIVE, CHOSEN))
    ratio = series(names.PERIOD_BURN_RATE, CHOSEN)
    spent = f"{_one(ratio)} * {_one(series(names.BUDGET, CHOSEN))}"
    chosen = "var-service=${__data.fields.Service}&var-objective=${__data.fields.Objective}"
    detail = f"/d/{DETAIL_UID}?{chosen}&${{datasource:queryparam}}&${{__url_time_range}}"
    return table(
        Column(title="Service", label=names.SERVICE),
        Column(title="Objective", label=names.SLO, link=Link("Show this objective", detail)),
        Column(
            title="Target",
            query=Query(expr=recorded, legend="Target"),
            unit="percentunit",
            decimals=3,
        ),
        _column("SLI over its window", f"1 - {spent}", unit="percentunit", decimals=3),
        _column(
            "Budget left",
            _one(series(names.BUDGET_REMAINING, CHOSEN)),
            unit="percentunit",
            decimals=1,
            steps=BUDGET_STEPS,
        ),
        _column("Burn rate, 5m", _one(series(names.CURRENT_BURN_RATE, CHOSEN)), unit="none", decimals=2),
        *(_tier(tier) for tier in shared(definitions, lambda objective: objective.alerting.tiers)),
        Column(
            title="Firing",
            query=Query(
                expr=f"count by ({OBJECTIVE}) ({firing(CHOSEN)}) or 0 * {recorded}",
                legend="Firing",
            ),
            unit="short",
            decimals=0,
            steps=(Step(None, GREEN), Step(1, RED)),
        ),
        title="All objectives",
        description="Each objective with its target, the share of good events over its own window, and what"
        " is left of its error budget. A burn rate of 1 spends the budget in exactly one"
        " window. The columns of tiers have the burn rate over the tier's long window and turn"
        " colour above its factor; the alert also needs the short window above it, and some"
        " failures.",
        no_value=NO_EVENTS,
        height=10,
    )


def _tier(tier: Shared[Tier]) -> Column:
    value = tier.value
    ratio = series(names.error_ratio(value.long_s), CHOSEN, *tier.matchers)
    return _column(
        f"{value.name}: {in_units(value.long_s)} above {value.factor:f}",
        f"{_one(ratio)} / {_one(series(names.BUDGET, CHOSEN))}",
        unit="none",
        decimals=2,
        steps=(Step(None, GREEN), Step(float(value.factor), COLORS[value.severity])),
    )


def _column(title: str, expr: str, *, unit: str, decimals: int, steps: tuple[Step, ...] = ()) -> Column:
    """Return a column of what objectives without events have no value of."""
    query = Query(expr=expr, legend=title, may_be_empty=NO_EVENTS)
    return Column(title=title, query=query, unit=unit, decimals=decimals, steps=steps)


def _one(of: str) -> str:
    """Return one value an objective, with the two labels that all columns have."""
    return f"max by ({OBJECTIVE}) ({of})"


def _budgets() -> Panel:
    return Panel(
        title="Error budgets left",
        description="What is left of each error budget over the window that slides behind each moment."
        " Below 0 the objective is violated.",
        look=Lines(decimals=1),
        queries=(
            Query(expr=_one(series(names.BUDGET_REMAINING, CHOSEN)), legend=LEGEND, may_be_empty=NO_EVENTS),
        ),
        unit="percentunit",
        no_value=NO_EVENTS,
        width=12,
        steps=BUDGET_STEPS,
    )


def _burn_rates() -> Panel:
    return Panel(
        title="Burn rates, 5m",
        description="How many times faster than its even pace each budget burnt in the last five minutes."
        " Which rates alert, over which windows, is in the table above and in the dashboard of"
        " one objective.",
        look=Lines(decimals=2),
        queries=(
            Query(expr=_one(series(names.CURRENT_BURN_RATE, CHOSEN)), legend=LEGEND, may_be_empty=NO_EVENTS),
        ),
        unit="none",
        no_value=NO_EVENTS,
        width=12,
        steps=(Step(None, GREEN), Step(1, ORANGE)),
    )


def _alerts() -> Panel:
    return table(
        Column(title="Service", label=names.SERVICE),
        Column(title="Objective", label=names.SLO),
        Column(title="Alert", label="alertname"),
        Column(title="Tier", label=names.TIER),
        Column(title="Severity", label=names.SEVERITY),
        Column(
            title="Firing",
            unit="bool_yes_no",
            query=Query(
                expr=f"max by ({OBJECTIVE}, alertname, {names.TIER}, {names.SEVERITY}) ({firing(CHOSEN)})",
                legend="Firing",
                may_be_empty=NO_ALERT,
            ),
        ),
        title="Firing alerts",
        description="The alerts of objectives that fire now, as Prometheus sees them: before any silence.",
        no_value=NO_ALERT,
    )


def _alerts_over_time() -> Panel:
    return Panel(
        title="Alerts over time",
        description="When each alert was firing.",
        look=States(((1, "firing", RED),)),
        queries=(
            Query(
                expr=f"max by ({OBJECTIVE}, {names.TIER}) ({firing(CHOSEN)})",
                legend=f"{LEGEND} {{{{{names.TIER}}}}}",
                may_be_empty=NO_ALERT,
            ),
        ),
        unit="none",
        no_value=NO_ALERT,
        width=24,
    )
