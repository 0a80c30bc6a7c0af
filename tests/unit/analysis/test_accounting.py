"""Where observers differ is told in parts, and the parts are the whole, whatever happened."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloproof.analysis.accounting import (
    NOT_SERVED,
    BadEvents,
    EventCounts,
    Gain,
    bad_events,
    by_outcome,
    pool_bad,
    pool_counts,
    pool_time,
    time_spent,
)
from sloproof.analysis.columns import Words
from sloproof.analysis.samples import Outcome, Phase, Samples

if TYPE_CHECKING:
    from collections.abc import Sequence

THRESHOLD_S = 0.1
SECONDS = st.floats(0, 2, allow_nan=False)
REQUEST = st.tuples(
    SECONDS, SECONDS, SECONDS, st.sampled_from([200, 404, 429, 500]), st.sampled_from(Outcome)
)
Request = tuple[float, float, float, int, Outcome]


def samples(requests: Sequence[Request]) -> Samples:
    """Return requests by the generator's lag, wait for a connection, service time, status and end."""
    intended = np.arange(len(requests), dtype=np.float64) * np.float64(0.01)
    lag, wait, service = (np.array([each[n] for each in requests], float) for n in range(3))
    answered = np.array([each[4] is Outcome.ANSWERED for each in requests], dtype=bool)
    start = intended + lag + wait
    return Samples(
        phase=Words.of([Phase.LOAD] * len(requests)),
        endpoint=Words.of(["GET /"] * len(requests)),
        intended_s=intended,
        dispatched_s=intended + lag,
        start_s=start,
        end_s=np.where(answered, start + service, nan),
        status=np.array([each[3] if each[4] is Outcome.ANSWERED else 0 for each in requests], dtype=np.int16),
        outcome=Words.of([each[4] for each in requests]),
    )


@given(st.lists(REQUEST), st.none() | st.integers(0, 50))
def test_every_bad_event_is_in_one_part(requests: list[Request], server_late: int | None) -> None:
    scored = samples(requests)

    bad = bad_events(scored, threshold_s=THRESHOLD_S, server_late=server_late)

    assert bad.total == int((~(scored.served & (scored.latency_s <= THRESHOLD_S))).sum())
    if server_late is not None:
        assert bad.late_before_server is not None
        assert bad.late_in_server is not None
        assert bad.given_up is not None
        assert bad.late_before_server + bad.late_in_server == bad.slow
        assert bad.late_in_server + bad.given_up == server_late
        assert min(bad.late_before_server, bad.late_in_server, bad.given_up) >= 0


@given(st.lists(REQUEST))
def test_what_was_scheduled_became_something(requests: list[Request]) -> None:
    assert sum(by_outcome(samples(requests).outcome).values()) == len(requests)


@given(st.lists(REQUEST, min_size=1), st.floats(0, 100))
def test_the_parts_of_the_time_add_up_to_the_latency(requests: list[Request], server_s: float) -> None:
    answered = [each for each in requests if each[4] is Outcome.ANSWERED]

    spent = time_spent(samples(requests), server=(server_s, len(answered)))

    if not answered:
        assert spent is None
        return
    assert spent is not None
    assert spent.before_server_s is not None
    assert spent.server_s == server_s
    parts = (spent.dispatch_lag_s, spent.connection_s, spent.before_server_s, spent.server_s)
    assert sum(parts) == pytest.approx(spent.latency_s, abs=1e-9)
    for part, theirs in (
        (spent.dispatch_lag_s, [each[0] for each in answered]),
        (spent.connection_s, [each[1] for each in answered]),
        (spent.service_s, [each[2] for each in answered]),
    ):
        assert part == pytest.approx(sum(theirs), abs=1e-9)


def test_a_server_that_counted_other_requests_tells_nothing_of_the_time_of_those_that_were_answered() -> None:
    spent = time_spent(samples([(0.0, 0.0, 0.5, 200, Outcome.ANSWERED)]), server=(0.7, 2))

    assert spent is not None
    assert spent.before_server_s is None
    assert spent.server_s is None
    assert spent.service_s == pytest.approx(0.5)


@given(st.lists(REQUEST), st.lists(REQUEST), st.integers(0, 5), st.integers(0, 5))
def test_trials_add_up_to_their_parts_together(
    one: list[Request], other: list[Request], late: int, later: int
) -> None:
    apart = [
        bad_events(samples(requests), threshold_s=THRESHOLD_S, server_late=n)
        for requests, n in ((one, late), (other, later))
    ]
    whole = bad_events(samples([*one, *other]), threshold_s=THRESHOLD_S, server_late=late + later)

    pooled = pool_bad(apart)

    assert pooled is not None
    assert pooled.total == whole.total == sum(each.total for each in apart)
    assert dict(pooled.not_served) == dict(whole.not_served)
    assert pooled.late_start == whole.late_start
    spent = [
        found
        for requests in (one, other, [*one, *other])
        if (found := time_spent(samples(requests), server=None))
    ]
    if len(spent) == 3:
        together = pool_time(spent[:2])
        assert together is not None
        assert together.latency_s == pytest.approx(spent[2].latency_s)
        assert together.answered == spent[2].answered


def test_each_bad_event_counts_for_the_first_thing_that_made_it_bad() -> None:
    bad = bad_events(
        samples(
            [
                (0.0, 0.0, 0.05, 200, Outcome.ANSWERED),  # good
                (0.2, 0.0, 0.05, 200, Outcome.ANSWERED),  # its client was late
                (0.0, 0.2, 0.05, 200, Outcome.ANSWERED),  # no connection was free
                (0.0, 0.0, 0.5, 200, Outcome.ANSWERED),  # slow
                (0.2, 0.0, 0.5, 200, Outcome.ANSWERED),  # both
                (0.0, 0.0, 0.5, 500, Outcome.ANSWERED),
                (0.0, 0.0, 0.0, 0, Outcome.TIMEOUT),
            ]
        ),
        threshold_s=THRESHOLD_S,
        server_late=1,
    )

    assert bad == BadEvents(
        not_served={"timeout": 1, NOT_SERVED: 1},
        late_start=2,
        late_before_server=1,
        late_in_server=1,
        given_up=0,
        slow=2,
    )


def test_what_the_server_was_late_with_beyond_the_clients_own_is_what_they_had_given_up() -> None:
    bad = bad_events(
        samples([(0.0, 0.0, 0.0, 0, Outcome.TIMEOUT)] * 3), threshold_s=THRESHOLD_S, server_late=2
    )

    assert (bad.late_in_server, bad.given_up, bad.total) == (0, 2, 3)


def test_counts_say_what_was_missed_and_what_was_made_up() -> None:
    counts = EventCounts(
        clients={"answered": 98, "timeout": 2},
        server=99,
        prometheus=Gain(between_scrapes=90, increase=95.5),
    )

    assert counts.scheduled == 100
    assert counts.missed_at_edges == 9
    assert counts.prometheus is not None
    assert counts.prometheus.extrapolated == 5.5


def test_an_observer_that_missed_a_trial_has_no_count_of_them_all() -> None:
    gain = Gain(between_scrapes=10, increase=10.5)
    seen = EventCounts(clients={"answered": 10}, server=10, prometheus=gain)
    unseen = EventCounts(clients={"answered": 9, "reset": 1}, server=10, prometheus=None)

    assert pool_counts([seen, unseen]) == EventCounts(
        clients={"answered": 19, "reset": 1}, server=20, prometheus=None
    )
    assert pool_counts([seen, seen]) == EventCounts(
        clients={"answered": 20}, server=20, prometheus=Gain(between_scrapes=20, increase=21.0)
    )
    assert pool_counts([None]) is None
