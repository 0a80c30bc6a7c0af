"""The answer as Markdown for a pull request: at most sixty lines, the verdict first."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sloproof.report import answer, comparing
from sloproof.report.facts import traffics
from sloproof.report.text import SYMBOLS, asks, percent, straight

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sloproof.analysis.results import ConfigurationResult, ObjectiveResult, Results

MOST_ROWS = 24
MOST_COLUMNS = 12
MOST_VIOLATIONS = 10
MOST_UNDECIDED = 7
MOST_PROFILES = 4
MOST_CHARACTERS = 300
MARKUP = re.compile(r"[\\`*_\[\]|~$]")
ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
# What a forge turns into a mention, a reference or a link; a space of no width keeps it from that.
AUTOLINK = re.compile(r"(?<=[@#!])(?=\w)|(?<=:)(?=//)|(?<=www)(?=\.)", re.IGNORECASE)
NO_WIDTH = "&#8203;"


def markdown(results: Results) -> str:
    """Return the verdict, a table of them, and what to know before believing it."""
    heaviest = sorted(results.configurations, key=lambda each: answer.BY_WEIGHT.index(answer.worst(each)))
    shown = results.configurations if len(heaviest) <= MOST_ROWS else heaviest[:MOST_ROWS]
    lines = [
        f"### {SYMBOLS[answer.overall(results).name]} {text(answer.headline(results))}",
        "",
        " · ".join(filter(None, map(text, (results.service, results.experiment, results.description)))),
        "",
        *(_items([*answer.capacities(results)], MOST_ROWS) or [*_table(results, shown), ""]),
        *([] if results.capacities else _left_out(results, shown)),
        *_items([*answer.notes(results)], MOST_VIOLATIONS),
        *_items([*answer.undecided(results)], MOST_UNDECIDED),
        *_compared(results),
        " · ".join(map(text, (answer.trials(results), *traffics(results.plan)[:MOST_PROFILES]))),
        "",
        f"[The whole report](report.html), run {text(results.run)}",
    ]
    return "\n".join(lines) + "\n"


def text(raw: str) -> str:
    r"""Return a text that Markdown shows as it is, on one line, shortened where it is very long.

    >>> print(text("a|b <i>@all</i>"))
    a\|b &lt;i&gt;@&#8203;all&lt;/i&gt;
    """
    line = " ".join(straight(raw).split())
    if len(line) > MOST_CHARACTERS:
        line = f"{line[: MOST_CHARACTERS - 1]}…"
    # The places are found first: what is put in for one character must not be taken for another's markup.
    return "".join(_escaped(part) for part in AUTOLINK.sub("\0", line.replace("\0", "")))


def _escaped(character: str) -> str:
    if character == "\0":
        return NO_WIDTH
    return ENTITIES.get(character) or MARKUP.sub(r"\\\g<0>", character)


def _table(results: Results, shown: Sequence[ConfigurationResult]) -> Iterator[str]:
    objectives = results.judged[:MOST_COLUMNS]
    names = (f"{text(each.name)}<br>{text(asks(each))}" for each in objectives)
    yield f"| configuration | {' | '.join(names)} |"
    yield f"|---|{'---|' * len(objectives)}"
    for configuration in shown:
        cells = " | ".join(_cell(each) for each in configuration.objectives[:MOST_COLUMNS])
        yield f"| {text(configuration.id)} | {cells} |"


def _cell(objective: ObjectiveResult) -> str:
    verdict = f"{SYMBOLS[objective.verdict.name]} {objective.verdict.name}"
    return f"{verdict}<br>{percent(objective.interval.median)}" if objective.interval else verdict


def _left_out(results: Results, shown: Sequence[ConfigurationResult]) -> Iterator[str]:
    rows = len(results.configurations) - len(shown)
    columns = max(0, len(results.judged) - MOST_COLUMNS)
    if rows or columns:
        parts = (f"{rows} configurations" if rows else "", f"{columns} objectives" if columns else "")
        first = ", those shown weigh most" if rows else ""
        yield f"{' and '.join(filter(None, parts))} are left out of this table{first}."
        yield ""


def _compared(results: Results) -> Iterator[str]:
    if found := comparing.notable(results.comparisons):
        yield f"- **compared**: {text(comparing.sentence(found[0]))}"
        if left := len(found[1:]):
            yield f"- {left} more differences in the report"
        yield ""


def _items(notes: Sequence[tuple[str, str]], most: int) -> list[str]:
    lines = [f"- **{text(about)}**: {text(what)}" for about, what in notes[:most]]
    if left := len(notes[most:]):
        lines.append(f"- {left} more in the report")
    return [*lines, ""] if notes else []
