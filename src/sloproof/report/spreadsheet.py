"""The verdicts as a CSV file: a row for each objective of each configuration, raw numbers, no formatting."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

from sloproof.slo.fileformat import INTEGRITY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sloproof.analysis.results import ConfigurationResult, ObjectiveResult, Results

# A spreadsheet takes a cell that begins so for a formula. Source: OWASP, "CSV Injection".
FORMULA = re.compile(r"[=+\-@\t]")
LINE_BREAK = re.compile(r"[\r\n]+")
MEASURED = ("verdict", "median", "low", "high", "trials", "good", "total", "more_trials", "reason")
Cell = str | int | float | None


def summary_csv(results: Results) -> str:
    """Return a row for each configuration and objective; ratios are 0 to 1, what is unknown is empty.

    ``trials`` are those that the verdict rests on: for integrity all of them, else the valid ones. A text
    that a spreadsheet would take for a formula begins with an apostrophe; none has line breaks.
    """
    factors = sorted({name for each in results.configurations for name in each.factors})
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    named = ("run", "configuration", *(f"factor_{name}" for name in factors), "objective", "target")
    writer.writerow((*named, *MEASURED))
    writer.writerows([_defused(cell) for cell in row] for row in _rows(results, factors))
    return file.getvalue()


def _rows(results: Results, factors: list[str]) -> Iterator[tuple[Cell, ...]]:
    targets = {objective.name: objective.target for objective in results.objectives}
    for configuration in results.configurations:
        levels = [configuration.factors.get(name) for name in factors]
        for objective in configuration.objectives:
            named = (results.run, configuration.id, *levels, objective.name, targets[objective.name])
            yield (*named, *_measured(configuration, objective))


def _measured(configuration: ConfigurationResult, objective: ObjectiveResult) -> tuple[Cell, ...]:
    interval, client = objective.interval, objective.client
    invalid = configuration.invalid_trials if objective.name == INTEGRITY else 0
    return (
        objective.verdict.name,
        *((interval.median, interval.low, interval.high) if interval else (None, None, None)),
        configuration.valid_trials + invalid,
        *((client.good, client.total) if client else (None, None)),
        objective.more_trials,
        objective.reason,
    )


def _defused(cell: Cell) -> Cell:
    if not isinstance(cell, str):
        return cell
    line = LINE_BREAK.sub(" ", cell)
    return f"'{line}" if FORMULA.match(line) else line
