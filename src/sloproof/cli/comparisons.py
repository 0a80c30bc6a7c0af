"""The table that `sloproof compare` shows, and what it says below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from sloproof.analysis.comparison.outcome import IMPROVEMENTS, REGRESSIONS
from sloproof.report import comparing
from sloproof.report.compared import answer, caveats
from sloproof.report.text import margins

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sloproof.analysis.comparison.outcome import Comparison, Relation
    from sloproof.report.compared import RunComparison


def comparison_table(made: RunComparison) -> Table:
    """Return a row for each configuration and metric."""
    table = Table(
        title=f"{made.current} beside {made.baseline}, margin {margins(made.margin)}",
        title_justify="left",
        padding=(0, 2, 0, 0),
    )
    table.add_column("configuration")
    table.add_column("metric")
    for name in ("estimate", "interval", "robust twin"):
        table.add_column(name, justify="right")
    table.add_column("verdict")
    for each in made.comparisons:
        table.add_row(
            comparing.pair(each),
            each.metric.name,
            comparing.estimate(each),
            comparing.interval(each),
            comparing.robust(each),
            _verdict(each),
        )
    return table


def lines(made: RunComparison) -> Iterator[str]:
    """Yield the answer, a sentence for each difference found, and what to know before believing it."""
    yield answer(made)
    for each in comparing.notable(made.comparisons):
        yield f"  {comparing.sentence(each)}"
    yield from caveats(made)


def _verdict(comparison: Comparison) -> Text:
    text = Text(comparison.relation, style=_style(comparison.relation))
    if comparison.reason:
        text.append(f"\n{comparison.reason}", style="dim")
    return text


def _style(relation: Relation) -> str:
    if relation in REGRESSIONS:
        return "bold red"
    return "green" if relation in IMPROVEMENTS else "default"
