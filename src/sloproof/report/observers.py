"""Three observers side by side, and where they differ, as cells of tables; it computes no difference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sloproof.report.text import percent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sloproof.analysis.accounting import TimeSpent
    from sloproof.analysis.estimates import Estimate
    from sloproof.analysis.results import Results

MOST_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of the mean latency: its name, the class of its colour, its mean in seconds, its share."""

    name: str
    kind: str
    mean_s: float
    share_ratio: float


def time_parts(spent: TimeSpent) -> list[Part]:
    """Return the parts of the mean latency of an endpoint's answered requests, in the order of their time."""
    parts = [
        ("generator's lag", "lag", spent.dispatch_lag_s),
        ("wait for a connection", "wait", spent.connection_s),
    ]
    if spent.before_server_s is None or spent.server_s is None:
        parts.append(("from its start to the last byte", "server", spent.service_s))
    else:
        parts += [
            ("before the server's clock", "before", spent.before_server_s),
            ("in the server", "server", spent.server_s),
        ]
    whole = sum(max(0.0, seconds) for _, _, seconds in parts)
    return [
        Part(
            name=name,
            kind=kind,
            mean_s=seconds / spent.answered,
            share_ratio=max(0.0, seconds) / whole if whole else 0.0,
        )
        for name, kind, seconds in parts
    ]


def estimated(estimate: Estimate | None) -> str:
    """Return how many of how many events were good, with a digit that shows that they are extrapolated."""
    if estimate is None or estimate.good is None or estimate.total is None:
        return "–"
    return f"{estimate.good:,.1f} of {estimate.total:,.1f}"


def estimated_sli(estimate: Estimate | None) -> str:
    """Return the share of good events."""
    return "–" if estimate is None or estimate.ratio is None else percent(estimate.ratio)


def tally(counts: Mapping[str, int]) -> str:
    """Return what became of how many events.

    >>> tally({"answered": 1350, "timeout": 2}), tally({})
    ('1,350 answered, 2 timeout', 'none')
    """
    return ", ".join(f"{count:,} {name}" for name, count in counts.items()) or "none"


def watching(results: Results) -> Iterator[str]:
    """Yield in sentences what watched the run, and in which trials it saw nothing, or not all."""
    nothing, _, reason = results.plan.prometheus.partition("none: ")
    if not nothing:
        yield f"No Prometheus watched: {reason}."
        return
    yield f"Watched by {results.plan.prometheus}."
    problems = [
        f"{trial.folder}: {trial.scrapes.problem}"
        for trial in results.trials
        if trial.scrapes is not None and trial.scrapes.problem
    ]
    if problems:
        more = "" if len(problems) <= MOST_NAMED else f"; and {len(problems) - MOST_NAMED} more"
        yield f"It did not see all of {len(problems)} trials. {'; '.join(problems[:MOST_NAMED])}{more}."
