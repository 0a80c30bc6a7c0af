"""The verdicts that end a run on the terminal: a table, and what to know before believing it."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from sloproof.analysis.capacity.result import CAPACITY
from sloproof.analysis.verdicts import Verdict
from sloproof.report.answer import notes, undecided
from sloproof.report.text import asks, percent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sloproof.analysis.results import ObjectiveResult, Results

STYLES = {Verdict.MET: "green", Verdict.VIOLATED: "bold red", Verdict.INCONCLUSIVE: "yellow"}

MOST_REASONS = 10


def verdict_table(results: Results) -> Table:
    """Return a row for each configuration, a column for each objective."""
    table = Table(
        title=f"{results.service}: {results.experiment}", title_justify="left", padding=(0, 2, 0, 0)
    )
    table.add_column("configuration")
    for objective in results.judged:
        table.add_column(f"{objective.name}\n{asks(objective)}")
    for configuration in results.configurations:
        table.add_row(configuration.id, *(_cell(objective) for objective in configuration.objectives))
    return table


def reasons(results: Results) -> Iterator[str]:
    """Yield why objectives are violated or undecided, where observers disagree, what was invalid: a few."""
    for about, note in islice(chain(notes(results), undecided(results)), MOST_REASONS):
        yield f"{about}: {note}"


def _cell(objective: ObjectiveResult) -> Text:
    text = Text(objective.verdict.name, style=STYLES[objective.verdict])
    if objective.name == CAPACITY:
        text.append(f"\n{objective.reason}", style="default")
    if objective.interval is not None:
        text.append(f"\n{percent(objective.interval.median)}", style="default")
    return text
