"""What a comparison needs to know of a run's trials, and which metrics they have; it compares nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from sloproof.analysis.comparison.outcome import Kind, Metric

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sloproof.analysis.counts import Counts

LATENCY_SUFFIX = "-latency"


class SeenPercentile(Protocol):
    """A percentile of one trial, in seconds; infinite where it was never answered."""

    @property
    def about(self) -> str:
        """Return the endpoint or event."""
        ...

    @property
    def q(self) -> float:
        """Return which percentile it is, as a share."""
        ...

    @property
    def value_s(self) -> float:
        """Return its value."""
        ...


class SeenCounts(Protocol):
    """The events of one objective in one trial."""

    @property
    def client(self) -> Counts | None:
        """Return what the clients counted."""
        ...


class SeenIntegrity(Protocol):
    """Each breach of integrity in one trial, in words."""

    @property
    def violations(self) -> Sequence[str]:
        """Return them, in the order in which they were found."""
        ...


class Trial(Protocol):
    """One trial of one configuration."""

    @property
    def block(self) -> int:
        """Return the block in which it ran."""
        ...

    @property
    def configuration(self) -> str:
        """Return whose trial it is."""
        ...

    @property
    def valid(self) -> bool:
        """Return whether its measurement can be believed."""
        ...

    @property
    def percentiles(self) -> Sequence[SeenPercentile]:
        """Return those that it had requests enough for."""
        ...

    @property
    def observations(self) -> Mapping[str, SeenCounts]:
        """Return its counts by objective."""
        ...

    @property
    def integrity(self) -> SeenIntegrity:
        """Return what it broke."""
        ...


class Objective(Protocol):
    """What was asked for; integrity has no target."""

    @property
    def name(self) -> str:
        """Return its name."""
        ...

    @property
    def target(self) -> str | None:
        """Return its target as an exact decimal."""
        ...

    @property
    def endpoint(self) -> str | None:
        """Return the endpoint or event whose latency it is about."""
        ...


def metrics(objectives: Sequence[Objective], trials: Sequence[Trial]) -> Iterator[Metric]:
    """Yield what can be compared: percentiles that any trial has, then bad events, then integrity."""
    seen = {(each.about, each.q): None for trial in trials for each in trial.percentiles}
    for about, q in seen:
        yield Metric(kind=Kind.LATENCY, name=f"{_called(about, objectives)} p{100 * q:g}", about=about, q=q)
    for objective in objectives:
        if objective.target is None:
            yield Metric(kind=Kind.INTEGRITY, name=objective.name, about=objective.name)
        elif any(_client(trial, objective.name) for trial in trials):
            yield Metric(kind=Kind.ERRORS, name=f"{objective.name} bad events", about=objective.name)


def _called(about: str, objectives: Sequence[Objective]) -> str:
    """Return how people call an endpoint: as the objective about it does, if there is one.

    >>> from collections import namedtuple
    >>> Named = namedtuple("Named", "name target endpoint")
    >>> _called("POST /jobs", [Named("submit-latency", "0.99", "POST /jobs")]), _called("GET /", [])
    ('submit', 'GET /')
    """
    names = (each.name.removesuffix(LATENCY_SUFFIX) for each in objectives if each.endpoint == about)
    return next(names, about)


def latencies_s(metric: Metric, trials: Sequence[Trial]) -> dict[int, float]:
    """Return the percentile of each block's valid trial that has it."""
    return {
        trial.block: each.value_s
        for trial in trials
        if trial.valid
        for each in trial.percentiles
        if (each.about, each.q) == (metric.about, metric.q)
    }


def counts(metric: Metric, trials: Sequence[Trial]) -> dict[int, Counts]:
    """Return what the clients counted in each block's valid trial."""
    return {
        trial.block: seen
        for trial in trials
        if trial.valid and (seen := _client(trial, metric.about)) is not None
    }


def _client(trial: Trial, objective: str) -> Counts | None:
    seen = trial.observations.get(objective)
    return None if seen is None else seen.client
