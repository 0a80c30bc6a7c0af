"""The table that `sloproof status` shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from sloproof.compile.status import Verdict
from sloproof.report.text import percent, target
from sloproof.slo.quantities import in_units

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sloproof.compile.status import ObjectiveStatus, TierStatus

STYLES = {Verdict.MET: "green", Verdict.VIOLATED: "bold red", Verdict.NO_DATA: "yellow"}
NOTHING = "–"
WHOLE = 100  # from here on fractions of an event tell nobody anything


def standing_table(statuses: Iterable[ObjectiveStatus], *, prometheus: str) -> Table:
    """Return a row for each objective, and within it a line for each tier."""
    table = Table(title=f"By {prometheus}", title_justify="left", padding=(0, 1, 0, 0))
    for name in ("objective", "verdict", "SLI", "over", "bad events", "budget left", "burning"):
        table.add_column(name, overflow="fold")
    table.add_column("tiers: over long / short", overflow="fold", no_wrap=True)
    for each in statuses:
        table.add_row(
            Text(f"{each.service}\n{each.objective}\n{target(each.target)}"),
            Text(each.verdict, style=STYLES[each.verdict]),
            _sli(each),
            Text(_over(each)),
            Text(_events(each)),
            _left(each.budget_left),
            _burning(each.burn_rate),
            Text("\n").join(_tier(tier) for tier in each.tiers),
        )
        table.add_section()
    return table


def _sli(status: ObjectiveStatus) -> Text:
    if status.sli is None:
        return Text(status.reason, style="yellow")
    return Text(percent(status.sli))


def _over(status: ObjectiveStatus) -> str:
    window = in_units(status.window_s)
    if status.covered_s >= status.window_s:
        return window
    return f"{in_units(status.covered_s)}\nof {window}"


def _events(status: ObjectiveStatus) -> str:
    if status.bad is None or status.total is None:
        return NOTHING
    return f"{_count(status.bad)}\nof {_count(status.total)}"


def _count(events: float) -> str:
    return f"{events:,.0f}" if events >= WHOLE or events == int(events) else f"{events:.1f}"


def _left(ratio: float | None) -> str:
    return NOTHING if ratio is None else f"{ratio * 100:.1f} %".replace("-", "−")


def _burning(rate: float | None) -> str:
    return NOTHING if rate is None else f"{rate:.3g}×"


def _tier(tier: TierStatus) -> Text:
    rates = f"{_burning(tier.long_burn_rate)} / {_burning(tier.short_burn_rate)}"
    text = Text(f"{tier.name} {tier.factor:g}× {in_units(tier.long_s)}/{in_units(tier.short_s)}: {rates}")
    if tier.fires:
        text.append(" FIRES", style="bold red")
    return text
