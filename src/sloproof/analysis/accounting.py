"""Where three observers differ, in parts that add up exactly: by subtraction, never by estimate; pure."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - resolved when results are read back
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from sloproof.analysis.columns import together
from sloproof.analysis.samples import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from sloproof.analysis.columns import Words
    from sloproof.analysis.jobs import Jobs
    from sloproof.analysis.samples import Samples

N = TypeVar("N", int, float)
NOT_SERVED = "answered 5xx or 429"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """What the counters gained between a Prometheus' first and last scrape, and what its query made of it.

    >>> Gain(between_scrapes=1350, increase=1350.25).extrapolated
    0.25
    """

    between_scrapes: int
    increase: float

    @property
    def extrapolated(self) -> float:
        """The events that no scrape saw: the rate, carried on to the two ends of the window."""
        return self.increase - self.between_scrapes

    def __add__(self, other: Gain) -> Gain:
        return Gain(
            between_scrapes=self.between_scrapes + other.between_scrapes,
            increase=self.increase + other.increase,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EventCounts:
    """The events of one objective as each observer counted them.

    ``clients`` are by what became of them, and their sum is what was scheduled. ``None``: not counted there.
    """

    clients: Mapping[str, int]
    server: int | None
    prometheus: Gain | None

    @property
    def scheduled(self) -> int:
        """All events that the clients wanted."""
        return sum(self.clients.values())

    @property
    def missed_at_edges(self) -> int | None:
        """Events that the server counted and no scrape of Prometheus was in time to see the counting of.

        Below 0 its scrapes lie further apart than the load: it counted what is not scored.
        """
        if self.server is None or self.prometheus is None:
            return None
        return self.server - self.prometheus.between_scrapes


@dataclass(frozen=True, slots=True, kw_only=True)
class BadEvents:
    """The bad events of a latency objective, each in one part by the first thing that made it bad.

    ``not_served`` is by kind. ``late_start``: served within the threshold of its actual start, but started
    too late. The rest took longer than the threshold from its start on: ``late_in_server`` by the server's
    own clock, ``late_before_server`` only by the clients': connecting, the network, the accept queue, the
    event loop's queue. Which of them is which nobody can tell, so the split is by count. ``given_up`` are
    those that were late by the server's clock and that clients had not waited for: part of ``not_served``.
    ``None``: the server has no bound at the threshold.
    """

    not_served: Mapping[str, int]
    late_start: int
    late_before_server: int | None
    late_in_server: int | None
    given_up: int | None
    slow: int

    @property
    def total(self) -> int:
        """All bad events."""
        return sum(self.not_served.values()) + self.late_start + self.slow


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeSpent:
    """Where the time of the answered requests of one endpoint went: sums in seconds, so that trials add up.

    ``dispatch_lag_s`` is the generator's, ``connection_s`` the wait for a free connection, ``server_s`` what
    the server's own clock saw; ``before_server_s``, the rest, is connecting, network, accept queue and event
    loop. The last two are ``None`` where the server did not count just the requests that were answered;
    then ``service_s`` is what is known of them together.
    """

    answered: int
    latency_s: float
    dispatch_lag_s: float
    connection_s: float
    service_s: float
    before_server_s: float | None
    server_s: float | None


def by_outcome(*parts: Words) -> dict[str, int]:
    """Return how many requests of all parts ended how, the outcomes that occur."""
    counts = _added(outcomes.count() for outcomes in parts)
    return {outcome.value: count for outcome in Outcome if (count := counts.get(outcome.value, 0))}


def by_fate(scored: Jobs) -> dict[str, int]:
    """Return how many jobs ended how, the fates that occur."""
    counts = {
        "succeeded": scored.succeeded,
        "failed": scored.ended & ~scored.succeeded,
        "lost": scored.lost,
        "pending": scored.pending,
    }
    return {name: count for name, rows in counts.items() if (count := int(np.count_nonzero(rows)))}


def bad_events(scored: Samples, *, threshold_s: float, server_late: int | None) -> BadEvents:
    """Return what made the bad ones of an endpoint's requests bad.

    `server_late` are the requests that the server served and counted above the threshold.
    """
    served = scored.served
    in_time = scored.service_time_s <= threshold_s
    kinds = by_outcome(scored.outcome)
    answered = kinds.pop(Outcome.ANSWERED.value, 0)
    if failed := answered - int(np.count_nonzero(served)):
        kinds[NOT_SERVED] = failed
    slow = int(np.count_nonzero(served & ~in_time))
    in_server = None if server_late is None else min(server_late, slow)
    return BadEvents(
        not_served=kinds,
        late_start=int(np.count_nonzero(served & in_time & (scored.latency_s > threshold_s))),
        late_before_server=None if in_server is None else slow - in_server,
        late_in_server=in_server,
        given_up=None if server_late is None or in_server is None else server_late - in_server,
        slow=slow,
    )


def time_spent(scored: Samples, *, server: tuple[float, int] | None) -> TimeSpent | None:
    """Return where the time of an endpoint's answered requests went; ``None`` where none was answered.

    `server` is the sum of the durations that the server measured, in seconds, and of how many requests.
    """
    rows = together(scored.answered)
    if not (answered := len(scored.intended_s[rows])):
        return None
    latency_s, lag_s, service_s = (
        _sum(column[rows]) for column in (scored.latency_s, scored.dispatch_lag_s, scored.service_time_s)
    )
    server_s = server[0] if server is not None and server[1] == answered else None
    return TimeSpent(
        answered=answered,
        latency_s=latency_s,
        dispatch_lag_s=lag_s,
        connection_s=latency_s - lag_s - service_s,
        service_s=service_s,
        before_server_s=None if server_s is None else service_s - server_s,
        server_s=server_s,
    )


def pool_counts(trials: Iterable[EventCounts | None]) -> EventCounts | None:
    """Return the counts of several trials together; an observer that missed one of them has none."""
    every = [each for each in trials if each is not None]
    if not every:
        return None
    servers = [each.server for each in every if each.server is not None]
    gains = [each.prometheus for each in every if each.prometheus is not None]
    gain = None
    if len(gains) == len(every):
        gain = sum(gains[1:], start=gains[0])
    return EventCounts(
        clients=_added([each.clients for each in every]),
        server=sum(servers) if len(servers) == len(every) else None,
        prometheus=gain,
    )


def pool_bad(trials: Iterable[BadEvents | None]) -> BadEvents | None:
    """Return the bad events of several trials together."""
    every = [each for each in trials if each is not None]
    if not every:
        return None
    return BadEvents(
        not_served=_added([each.not_served for each in every]),
        late_start=sum(each.late_start for each in every),
        late_before_server=_known([each.late_before_server for each in every]),
        late_in_server=_known([each.late_in_server for each in every]),
        given_up=_known([each.given_up for each in every]),
        slow=sum(each.slow for each in every),
    )


def pool_time(trials: Iterable[TimeSpent]) -> TimeSpent | None:
    """Return the time that the requests of several trials spent together."""
    every = list(trials)
    if not every:
        return None
    before, server = (
        _known([getattr(each, name) for each in every]) for name in ("before_server_s", "server_s")
    )
    sums = {
        field.name: sum(getattr(each, field.name) for each in every)
        for field in fields(TimeSpent)
        if field.name not in {"before_server_s", "server_s"}
    }
    return TimeSpent(**sums, before_server_s=before, server_s=server)


def _known(values: list[N | None]) -> N | None:
    """Return the sum of numbers, ``None`` where one of them is not known."""
    found = [each for each in values if each is not None]
    return sum(found[1:], start=found[0]) if found and len(found) == len(values) else None


def _added(each: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for counts in each:
        for name, count in counts.items():
            total[name] = total.get(name, 0) + count
    return total


def _sum(values: NDArray[np.float64]) -> float:
    return float(values.sum())
