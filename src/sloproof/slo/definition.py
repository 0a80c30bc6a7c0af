"""What a service promises, as frozen types, and how a file becomes one; it knows nothing of measurements."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, assert_never

from sloproof.slo.fileformat import (
    AbsenceSection,
    AvailabilitySection,
    DefinitionSection,
    ErrorRatioSection,
    EventLatencySection,
    LatencySection,
    RatioSection,
    UpSection,
)
from sloproof.slo.tiers import Severity, Share, default_tiers
from sloproof.slo.wording import nearest
from sloproof.slo.yamlfile import InvalidFile, open_document

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from decimal import Decimal
    from pathlib import Path

    from sloproof.slo.fileformat import AlertingSection, IndicatorSection, ObjectiveSection, TierSection
    from sloproof.slo.tiers import Tier
    from sloproof.slo.yamlfile import Document, Problem
    from sloproof.slo.yamltree import Location, Plain

MINIMUM_FAILURES = 5
"""So many failed requests on a quiet service are no accident; one is."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """Good or bad events (one of them is given) and total events as PromQL."""

    good: str | None = None
    bad: str | None = None
    total: str


@dataclass(frozen=True, slots=True)
class ErrorRatio:
    """The share of bad events as PromQL; how many there were is not known, so no window can be weighted."""

    query: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Up:
    """Samples of a gauge, by exact label values; good is one that is 1 rather than 0."""

    metric: str
    matchers: Mapping[str, str]


OfPrometheus = Ratio | ErrorRatio | Up
"""What clients cannot see. A query holds ``{{window}}`` where a range is meant."""
Indicator = Latency | EventLatency | Availability | OfPrometheus


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """What the subject calls its metrics, and the labels that tell them from those of others.

    `native`: its histograms are native ones, without buckets of their own.
    """

    requests: str
    matchers: Mapping[str, str] = field(default_factory=dict)
    native: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Prometheus:
    """How the Prometheus that runs the rules is set up, in seconds; an unknown retention is ``None``."""

    scrape_interval_s: int = 15
    evaluation_interval_s: int = 30
    retention_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """The alert that tells that the metrics of an objective have been gone for so long."""

    severity: Severity = Severity.PAGE
    after_s: int = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerting:
    """How to alert on one objective.

    No tier fires before `minimum_failures` bad events in its long window. `runbook` and `dashboard` are
    links, in which ``{{service}}`` and ``{{objective}}`` stand for the names.
    """

    tiers: tuple[Tier, ...]
    minimum_failures: int = MINIMUM_FAILURES
    absence: Absence = Absence()
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    runbook: str | None = None
    dashboard: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """A promise: the share of good events is at least `target`, an exact ratio above 0 and below 1.

    The error budget counts over `window_s`. `labels` go onto every rule. `line` is where it stands in its
    file, from 1.
    """

    name: str
    description: str
    target: Decimal
    indicator: Indicator
    window_s: Decimal
    alerting: Alerting
    labels: Mapping[str, str] = field(default_factory=dict)
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
    """Everything that one service promises; `window_s` is for objectives that have no window of their own."""

    service: str
    window_s: Decimal
    metrics: Metrics
    prometheus: Prometheus = Prometheus()
    objectives: tuple[Objective, ...]


def load(path: Path) -> Definition:
    """Return the definition in an SLO file.

    Raises:
        InvalidFile: with every mistake found and what would be right in its place.

    """
    document = open_document(path)
    section = document.validate(DefinitionSection, also=_repeated_names(document))
    objectives: list[Objective] = []
    problems: list[Problem] = []
    for index, each in enumerate(section.objectives):
        location: Location = ("objectives", index)
        problems += _stray_tiers(document, location, each, section)
        objectives.append(_objective(each, of=section, line=document.line(location)))
    if problems:
        raise InvalidFile(problems)
    return Definition(
        service=section.service,
        window_s=section.window,
        metrics=Metrics(
            requests=section.metrics.requests,
            matchers=section.metrics.matchers,
            native=section.metrics.native,
        ),
        prometheus=Prometheus(
            scrape_interval_s=section.prometheus.scrape_interval,
            evaluation_interval_s=section.prometheus.evaluation_interval,
            retention_s=section.prometheus.retention,
        ),
        objectives=tuple(objectives),
    )


def _objective(section: ObjectiveSection, *, of: DefinitionSection, line: int) -> Objective:
    window_s = section.window or of.window
    return Objective(
        name=section.name,
        description=section.description,
        target=section.target,
        indicator=_indicator(section.indicator),
        window_s=window_s,
        labels={**of.labels, **section.labels},
        alerting=_alerting(section.alerting, of.alerting, window_s=window_s),
        line=line,
    )


def _alerting(own: AlertingSection, common: AlertingSection, *, window_s: Decimal) -> Alerting:
    def first(name: str, default: Any) -> Any:  # noqa: ANN401 - of whichever type the key has
        given = (getattr(section, name) for section in (own, common))
        return next((value for value in given if value is not None), default)

    absence: AbsenceSection = first("absence", AbsenceSection())
    disabled: tuple[str, ...] = first("disable", ())
    return Alerting(
        tiers=tuple(tier for tier in _tiers(first("tiers", None), window_s) if tier.name not in disabled),
        minimum_failures=first("minimum_failures", MINIMUM_FAILURES),
        absence=Absence(severity=absence.severity, after_s=absence.after),
        labels={**(common.labels or {}), **(own.labels or {})},
        annotations={**(common.annotations or {}), **(own.annotations or {})},
        runbook=first("runbook", None),
        dashboard=first("dashboard", None),
    )


def _tiers(sections: tuple[TierSection, ...] | None, window_s: Decimal) -> tuple[Tier, ...]:
    if sections is None:
        return default_tiers(window_s)
    return tuple(
        Share(
            name=each.name, severity=each.severity, budget=each.budget, long_s=each.long, short_s=each.short
        ).tier(window_s)
        for each in sections
    )


def _stray_tiers(
    document: Document, location: Location, section: ObjectiveSection, of: DefinitionSection
) -> Iterator[Problem]:
    """Yield a problem for each tier that is disabled and does not exist."""
    disabled = section.alerting.disable
    place: Location = (*location, "alerting", "disable")
    if disabled is None:
        disabled, place = of.alerting.disable or (), ("alerting", "disable")
    tiers = _tiers(section.alerting.tiers or of.alerting.tiers, section.window or of.window)
    names = [each.name for each in tiers]
    for index, name in enumerate(disabled):
        if name not in names:
            message = f"there is no tier '{name}'{nearest(name, names)} (one of: {', '.join(names)})"
            yield document.problem((*place, index), message)


def _indicator(section: IndicatorSection) -> Indicator:
    match section.kind:
        case LatencySection(method=method, route=route, threshold=threshold):
            return Latency(method=method, route=route, threshold_s=threshold)
        case EventLatencySection(event=event, histogram=histogram, threshold=threshold):
            return EventLatency(event=event, histogram=histogram, threshold_s=threshold)
        case AvailabilitySection(method=scored_method, route=scored_route):
            return Availability(method=scored_method, route=scored_route)
        case RatioSection(good=good, bad=bad, total=total):
            return Ratio(good=good, bad=bad, total=total)
        case ErrorRatioSection(query=query):
            return ErrorRatio(query)
        case UpSection(metric=metric, matchers=matchers):
            return Up(metric=metric, matchers=matchers)
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
