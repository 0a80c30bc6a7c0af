"""What a service promises, as frozen types, and how a file becomes one; it knows nothing of measurements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from sloproof.slo.fileformat import (
    AvailabilitySection,
    DefinitionSection,
    EventLatencySection,
    LatencySection,
    RatioSection,
)
from sloproof.slo.yamlfile import open_document

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal
    from pathlib import Path

    from sloproof.slo.fileformat import IndicatorSection, ObjectiveSection
    from sloproof.slo.yamlfile import Document, Problem
    from sloproof.slo.yamltree import Location, Plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Requests of one endpoint; good is one served at most `threshold_s` after its intended start."""

    method: str
    route: str
    threshold_s: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLatency:
    """Events that are no requests; good is one that ended at most `threshold_s` after it was asked for.

    `histogram` is the subject's metric of the same durations.
    """

    event: str
    histogram: str
    threshold_s: Decimal


@dataclass(frozen=True, slots=True)
class Availability:
    """Requests, of all endpoints where `method` and `route` are ``None``; good is one that was served.

    A time-out, a refusal, 5xx and 429 are bad; any other 4xx is the client's mistake and good.
    """

    method: str | None = None
    route: str | None = None


@dataclass(frozen=True, slots=True)
class Ratio:
    """Good and total events as PromQL, with ``{{window}}`` where a range is meant; clients cannot see it."""

    good: str
    total: str


Indicator = Latency | EventLatency | Availability | Ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """What the subject calls its metrics."""

    requests: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """A promise: the share of good events is at least `target`, an exact ratio above 0 and below 1.

    `line` is where it stands in its file, from 1.
    """

    name: str
    description: str
    target: Decimal
    indicator: Indicator
    line: int

    def __post_init__(self) -> None:
        if not 0 < self.target < 1:
            raise ValueError(f"the target of '{self.name}' must lie between 0 and 1, not at {self.target}")

    @property
    def budget(self) -> Decimal:
        """The share of events that may be bad, exactly: 0.001 for a target of 99.9 %."""
        return 1 - self.target


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """Everything that one service promises, over a window of so many seconds."""

    service: str
    window_s: Decimal
    metrics: Metrics
    objectives: tuple[Objective, ...]


def load(path: Path) -> Definition:
    """Return the definition in an SLO file.

    Raises:
        InvalidFile: with every mistake found and what would be right in its place.

    """
    document = open_document(path)
    section = document.validate(DefinitionSection, also=_repeated_names(document))
    return Definition(
        service=section.service,
        window_s=section.window,
        metrics=Metrics(requests=section.metrics.requests),
        objectives=tuple(
            _objective(objective, line=document.line(("objectives", index)))
            for index, objective in enumerate(section.objectives)
        ),
    )


def _objective(section: ObjectiveSection, *, line: int) -> Objective:
    return Objective(
        name=section.name,
        description=section.description,
        target=section.target,
        indicator=_indicator(section.indicator),
        line=line,
    )


def _indicator(section: IndicatorSection) -> Indicator:
    match section.kind:
        case LatencySection(method=method, route=route, threshold=threshold):
            return Latency(method=method, route=route, threshold_s=threshold)
        case EventLatencySection(event=event, histogram=histogram, threshold=threshold):
            return EventLatency(event=event, histogram=histogram, threshold_s=threshold)
        case AvailabilitySection(method=scored_method, route=scored_route):
            return Availability(method=scored_method, route=scored_route)
        case RatioSection(good=good, total=total):
            return Ratio(good=good, total=total)
        case unknown:
            assert_never(unknown)


def _repeated_names(document: Document) -> Iterator[Problem]:
    """Yield a problem for each name given before; looks at the text, so that it is told with all others."""
    first: dict[str, Location] = {}
    for location, name in _names(document.tree.data):
        if (taken := first.setdefault(name, location)) != location:
            message = f"name: '{name}' is taken by line {document.line(taken)}: choose another"
            yield document.problem(location, message)


def _names(data: Plain) -> Iterator[tuple[Location, str]]:
    match data:
        case {"objectives": [*objectives]}:
            for index, objective in enumerate(objectives):
                match objective:
                    case {"name": str(name)}:
                        yield ("objectives", index, "name"), name
