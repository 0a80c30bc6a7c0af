"""What exports to other tools have in common: queries with a placeholder for the window, and what is lost."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, cast

from sloproof.compile import promql
from sloproof.compile.interop import queries
from sloproof.compile.interop.foreign import Note
from sloproof.slo.definition import Availability, ErrorRatio, EventLatency, Latency, Ratio, Up
from sloproof.slo.fileformat import WINDOW_PLACEHOLDER
from sloproof.slo.problems import WrongInput
from sloproof.slo.quantities import in_units

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from sloproof.compile.promql import Events
    from sloproof.slo.definition import Definition, Indicator, Metrics, Objective

PLACEHOLDER = "{{.window}}"
"""What Sloth replaces by a window, in its own files and in OpenSLO's."""
NAMES = {
    Latency: "latency",
    EventLatency: "latency",
    Availability: "availability",
    Ratio: "ratio",
    ErrorRatio: "error_ratio",
    Up: "up",
}


@dataclass(frozen=True, slots=True)
class Exported:
    """The text of a file for another tool, and what it does not say of what the SLO file said."""

    text: str
    notes: tuple[Note, ...]


class NothingLeft(WrongInput):
    """No objective of a file can be exported; carries why each is left out."""

    def __init__(self, notes: tuple[Note, ...]) -> None:
        self.notes = notes
        super().__init__("no objective of it can be exported, so nothing is written")


def templated(indicator: Indicator, metrics: Metrics) -> Events | str:
    """Return the events of an indicator as queries with a placeholder for the window.

    Where only the ratio of bad events is known, it is the query of that. Raises ValueError where one of the
    queries gives events per second and the other does not: only in a window of known length do those compare.
    """
    match indicator:
        case ErrorRatio(query=query):
            return _placed(query)
        case Ratio(good=good, bad=bad, total=total):
            if bool(promql.PER_SECOND.search(total)) != bool(promql.PER_SECOND.search(good or bad or "")):
                raise ValueError(
                    "one of its queries gives events per second and the other does not: "
                    "write increase(…) in both"
                )
            return promql.Events(
                total=_own(total),
                good=None if good is None else _own(good),
                bad=None if bad is None else _own(bad),
            )
        case _:
            return _rendered(indicator, metrics)


def number(value: Decimal) -> int | float:
    """Return a number for YAML that reads as the decimal does: 99, not 99.0."""
    return int(value) if value == int(value) else float(value)


def became_query(objective: Objective) -> Note | None:
    """Return what an indicator loses that is more than its query, if it is."""
    if isinstance(objective.indicator, Ratio | ErrorRatio | Up):
        return None
    kind = NAMES[type(objective.indicator)]
    return Note(
        objective.line,
        f"the {kind} indicator of '{objective.name}' became its PromQL: read back, it is a ratio, which no "
        "load test sees",
    )


def exported(text: str, notes: list[Note], *, some: bool) -> Exported:
    """Return a text with its notes in the order of the file, each once.

    Raises:
        NothingLeft: where there is not `some` objective in it.

    """
    told = tuple(sorted(set(notes)))
    if not some:
        raise NothingLeft(told)
    return Exported(text, told)


def lost_settings(definition: Definition) -> Iterator[str]:
    """Yield each setting of the Prometheus that is not the default, as it stands in an SLO file."""
    settings = definition.prometheus
    default = type(settings)()
    for key in ("scrape_interval", "evaluation_interval", "retention"):
        value = getattr(settings, f"{key}_s")
        if value != getattr(default, f"{key}_s"):
            yield f"{key}: {in_units(value)}"


def _placed(query: str) -> str:
    return query.replace(WINDOW_PLACEHOLDER, PLACEHOLDER).strip()


def _own(query: str) -> str:
    return _placed(queries.summed(query))


def _rendered(indicator: Indicator, metrics: Metrics) -> Events:
    """Return the events over a window that nobody uses, with the placeholder wherever it stands."""
    written = f"{indicator} {metrics}"
    window_s = next(each for each in count(7_919) if in_units(each) not in written)
    events = cast("Events", promql.events(indicator, metrics, window_s))  # only an error ratio has none

    def place(query: str | None) -> str | None:
        return query and query.replace(in_units(window_s), PLACEHOLDER)

    return promql.Events(total=place(events.total) or "", good=place(events.good), bad=place(events.bad))
