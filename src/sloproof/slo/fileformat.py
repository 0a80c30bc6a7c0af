"""The keys of an SLO file and what each accepts, as pydantic models; it knows no file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from sloproof.slo.quantities import Target, Threshold, Window

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
    """Good and total events by PromQL."""

    good: Query = Field(examples=["sum(rate(x_total{ok='1'}[{{window}}]))"])
    total: Query = Field(examples=["sum(rate(x_total[{{window}}]))"])


Kind = LatencySection | EventLatencySection | AvailabilitySection | RatioSection


def _latency_variant(section: Any) -> str:  # noqa: ANN401 - whatever the file holds
    of_event = isinstance(section, dict) and not section.keys().isdisjoint({"event", "histogram"})
    return (EventLatencySection if of_event else LatencySection).__name__


class IndicatorSection(Section):
    """What counts as a good event: exactly one of four kinds."""

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
        return (kind for kind in (self.latency, self.availability, self.ratio) if kind is not None)


class ObjectiveSection(Section):
    """One promise."""

    name: Annotated[Slug, AfterValidator(_not_reserved)] = Field(examples=["submit-latency"])
    description: str = ""
    target: Target
    indicator: IndicatorSection = Field(examples=["{availability: {}}"])


class MetricsSection(Section):
    """What the subject calls its metrics."""

    requests: MetricName = "http_server_request_duration_seconds"


class DefinitionSection(Section):
    """The whole file."""

    service: Slug = Field(examples=["jobs"])
    window: Window
    metrics: MetricsSection = MetricsSection()
    objectives: tuple[ObjectiveSection, ...] = Field(min_length=1, examples=["[{name: availability, …}]"])
