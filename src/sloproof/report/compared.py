"""The comparison of two runs, or two configurations, as JSON and as Markdown, the answer in a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from sloproof.analysis.comparison.outcome import IMPROVEMENTS, REGRESSIONS, Comparison, Design, Margin
from sloproof.analysis.comparison.recorded import Difference  # noqa: TC001 - resolved when JSON is made
from sloproof.report import comparing
from sloproof.report.markdown import text
from sloproof.report.text import margins

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA = "sloproof.comparison/1"
MOST_SENTENCES = 20
MOST_ROWS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class RunComparison:
    """Two runs, or two configurations of one, and how they compare.

    ``differences`` is what should have been the same in both, where that was overruled.
    """

    schema: str = SCHEMA
    baseline: str
    current: str
    margin: Margin
    differences: tuple[Difference, ...]
    comparisons: tuple[Comparison, ...]


def answer(made: RunComparison) -> str:
    """Return how the runs compare in one sentence."""
    relations = [each.relation for each in made.comparisons]
    worse, better = (sum(each in some for each in relations) for some in (REGRESSIONS, IMPROVEMENTS))
    tally = comparing.tally(made.comparisons) or "nothing in common"
    if worse:
        count = f"{worse} comparison{'' if worse == 1 else 's'}"
        return f"Regression: {made.current} is slower or worse than {made.baseline} in {count} ({tally})."
    shown = "an improvement and no regression" if better else "neither a regression nor an improvement"
    return f"{made.current} shows {shown} beside {made.baseline} ({tally})."


def caveats(made: RunComparison) -> Iterator[str]:
    """Yield what a reader must know before believing it."""
    if made.differences:
        named = ", ".join(each.field for each in made.differences)
        yield f"Compared by force, though not the same in both: {named}."
    if any(each.design is Design.RUNS for each in made.comparisons):
        yield (
            "The two runs had each its own time on the machine: what changed in between is in the estimates, "
            "and in no interval. Two configurations of one run are compared without that."
        )


def as_json(made: RunComparison) -> str:
    """Return everything; what is infinite, or unknown, is null."""
    return TypeAdapter(RunComparison).dump_json(made, indent=1).decode() + "\n"


def as_markdown(made: RunComparison) -> str:
    """Return a comment for a pull request: the answer, the differences, and a table folded away."""
    found = comparing.notable(made.comparisons)
    rows = [*found, *(each for each in made.comparisons if each not in found)][:MOST_ROWS]
    lines = [
        f"### {'✗' if any(each.relation in REGRESSIONS for each in found) else '✓'} {text(answer(made))}",
        "",
        *(f"- {text(comparing.sentence(each))}" for each in found[:MOST_SENTENCES]),
        *([f"- {len(found) - MOST_SENTENCES} more"] if len(found) > MOST_SENTENCES else []),
        "",
        f"<details><summary>{len(made.comparisons)} comparisons, margin {margins(made.margin)}</summary>",
        "",
        "| configuration | metric | estimate | interval | robust twin | verdict |",
        "|---|---|---|---|---|---|",
        *(_row(each) for each in rows),
        "",
        "</details>",
        "",
        *(f"{text(each)}  " for each in caveats(made)),
    ]
    return "\n".join(lines) + "\n"


def _row(comparison: Comparison) -> str:
    cells = (
        comparing.pair(comparison),
        comparison.metric.name,
        comparing.estimate(comparison),
        comparing.interval(comparison),
        comparing.robust(comparison),
        f"{comparison.relation}{f': {comparison.reason}' if comparison.reason else ''}",
    )
    return f"| {' | '.join(map(text, cells))} |"
