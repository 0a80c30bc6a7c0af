"""The keys of an SLO file and what each accepts, as pydantic models; it knows no file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from sloproof.slo.quantities import Share, Target, Threshold, WholeSeconds, Window
from sloproof.slo.tiers import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

WINDOW_PLACEHOLDER = "{{window}}"
INTEGRITY = "integrity"
"""The objective that every service has: no accepted work is lost, doubled or left unanswered."""


def _matches(pattern: str, advice: str) -> AfterValidator:
    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"'{text}' is no such name: write {advice}")
        return text

    return AfterValidator(check)


def _not_reserved(name: str) -> str:
    if name == INTEGRITY:
        raise ValueError(
            f"'{INTEGRITY}' is the objective that every service has already: choose another name"
        )
    return name


def _own_label(name: str) -> str:
    if not re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", name) or name.startswith("__"):
        raise ValueError(f"'{name}' is no such name: write a Prometheus label, e.g. team")
    if name.startswith("sloth_") or name in {"severity", "tier", "alertname"}:
        raise ValueError(f"the label '{name}' is set by sloproof: choose another name")
    return name


def _promql(query: str) -> str:
    if WINDOW_PLACEHOLDER not in query:
        raise ValueError(
            f"a query must hold {WINDOW_PLACEHOLDER}, e.g. sum(rate(x_total[{WINDOW_PLACEHOLDER}]))"
        )
    return query


Slug = Annotated[
    str,
    _matches(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", "lower-case letters and digits, with single hyphens between"),
]
EventName = Annotated[
    str, _matches(r"[a-z][a-z0-9_]*", "lower-case letters, digits and underscores, e.g. job_completed")
]
MetricName = Annotated[
    str, _matches(r"[a-zA-Z_:][a-zA-Z0-9_:]*", "a Prometheus metric, e.g. job_end_to_end_seconds")
]
LabelName = Annotated[str, AfterValidator(_own_label)]
Labels = dict[LabelName, str]
"""Label names and values that rules and alerts carry."""
Matchers = dict[Annotated[str, _matches(r"[a-zA-Z_][a-zA-Z0-9_]*", "a Prometheus label, e.g. job")], str]
"""Label names and the exact values that series must have."""
Link = Annotated[str, _matches(r"https?://\S+", "a link, e.g. https://runbooks.example/jobs")]
Route = Annotated[str, _matches(r"/\S*", "the route's template from its first '/', e.g. /jobs/{id}")]
Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
Query = Annotated[str, AfterValidator(_promql)]


class Section(BaseModel):
    """A mapping that refuses keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class LatencySection(Section):
    """Requests of one endpoint, answered within the threshold."""

    method: Method = Field(examples=["POST"])
    route: Route = Field(examples=["/jobs"])
    threshold: Threshold


class EventLatencySection(Section):
    """Events that are no requests, ended within the threshold."""

    event: EventName = Field(examples=["job_completed"])
    histogram: MetricName = Field(examples=["job_end_to_end_seconds"])
    threshold: Threshold


class AvailabilitySection(Section):
    """Requests served, of all endpoints unless a method or a route narrows them."""

    method: Method | None = None
    route: Route | None = None


class RatioSection(Section):
    """Good or bad events, and all of them, by PromQL."""

    good: Query | None = Field(None, examples=["sum(increase(x_total{ok='1'}[{{window}}]))"])
    bad: Query | None = Field(None, examples=["sum(increase(x_total{ok='0'}[{{window}}]))"])
    total: Query = Field(examples=["sum(increase(x_total[{{window}}]))"])

    @model_validator(mode="after")
    def _has_one_part(self) -> Self:
        if (self.good is None) == (self.bad is None):
            raise ValueError("takes either good or bad beside total: what is not the one is the other")
        return self


class ErrorRatioSection(Section):
    """The share of bad events itself by PromQL; how many events there were stays unknown."""

    query: Query = Field(examples=["1 - avg_over_time(x[{{window}}])"])


class UpSection(Section):
    """Samples of a gauge that is 1 while all is well and 0 while it is not."""

    metric: MetricName = Field("up", examples=["up"])
    matchers: Matchers = Field({}, examples=["{job: jobs}"])


Kind = (
    LatencySection | EventLatencySection | AvailabilitySection | RatioSection | ErrorRatioSection | UpSection
)


def _latency_variant(section: Any) -> str:  # noqa: ANN401 - whatever the file holds
    of_event = isinstance(section, dict) and not section.keys().isdisjoint({"event", "histogram"})
    return (EventLatencySection if of_event else LatencySection).__name__


class IndicatorSection(Section):
    """What counts as a good event: exactly one of these kinds."""

    latency: (
        Annotated[
            Annotated[LatencySection, Tag(LatencySection.__name__)]
            | Annotated[EventLatencySection, Tag(EventLatencySection.__name__)],
            Discriminator(_latency_variant),
        ]
        | None
    ) = None
    availability: AvailabilitySection | None = None
    ratio: RatioSection | None = None
    error_ratio: ErrorRatioSection | None = None
    up: UpSection | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (given := len(list(self._given()))) != 1:
            kinds = ", ".join(type(self).model_fields)
            raise ValueError(f"takes exactly one of {kinds}, not {given}, e.g. {{availability: {{}}}}")
        return self

    @property
    def kind(self) -> Kind:
        """The one that is given."""
        return next(self._given())

    def _given(self) -> Iterator[Kind]:
        kinds = (getattr(self, name) for name in type(self).model_fields)
        return (kind for kind in kinds if kind is not None)


class TierSection(Section):
    """One alert: how much of the error budget, burnt within how long, is too much."""

    name: Slug = Field(examples=["page-fast"])
    severity: Severity = Field(examples=["page"])
    budget: Share = Field(examples=["2%"])
    long: WholeSeconds = Field(examples=["1h"])
    short: WholeSeconds | None = Field(None, examples=["5m"])

    @model_validator(mode="after")
    def _is_short(self) -> Self:
        if self.short is not None and self.short >= self.long:
            raise ValueError("the short window must be shorter than the long one, e.g. a twelfth of it")
        return self


class AbsenceSection(Section):
    """The alert that tells that there is nothing left to alert on."""

    severity: Severity = Severity.PAGE
    after: WholeSeconds = 600


class AlertingSection(Section):
    """How to alert; what an objective gives itself counts instead of what its file gives."""

    minimum_failures: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    tiers: tuple[TierSection, ...] | None = Field(None, min_length=1)
    disable: tuple[Slug, ...] | None = None
    absence: AbsenceSection | None = None
    labels: Labels | None = None
    annotations: Labels | None = None
    runbook: Link | None = None
    dashboard: Link | None = None


class ObjectiveSection(Section):
    """One promise."""

    name: Annotated[Slug, AfterValidator(_not_reserved)] = Field(examples=["submit-latency"])
    description: str = ""
    target: Target
    window: Window | None = None
    labels: Labels = Field({}, examples=["{team: jobs}"])
    alerting: AlertingSection = AlertingSection()
    indicator: IndicatorSection = Field(examples=["{availability: {}}"])


class MetricsSection(Section):
    """What the subject calls its metrics."""

    requests: MetricName = "http_server_request_duration_seconds"
    matchers: Matchers = Field({}, examples=["{job: jobs}"])
    native: bool = False


class PrometheusSection(Section):
    """How the Prometheus that runs the rules is set up."""

    scrape_interval: WholeSeconds = 15
    evaluation_interval: WholeSeconds = 30
    retention: WholeSeconds | None = Field(None, examples=["90d"])


class DefinitionSection(Section):
    """The whole file."""

    service: Slug = Field(examples=["jobs"])
    window: Window
    metrics: MetricsSection = MetricsSection()
    prometheus: PrometheusSection = PrometheusSection()
    labels: Labels = Field({}, examples=["{team: jobs}"])
    alerting: AlertingSection = AlertingSection()
    objectives: tuple[ObjectiveSection, ...] = Field(min_length=1, examples=["[{name: availability, …}]"])
