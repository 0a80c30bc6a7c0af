from __future__ import annotations

import math

import numpy as np
import pytest

from sloproof.analysis.samples import Outcome, Phase
from sloproof.load.measurement import Iteration, Measurement

TASKS = ["Visitor.read", "Visitor.write"]
READ, WRITE = range(2)


def dispatched(measurement: Measurement, *, task: int = READ, intended_s: float = 0.0) -> Iteration:
    return measurement.dispatch(Phase.LOAD, task=task, intended_s=intended_s)


def test_a_dispatched_arrival_is_unfinished_until_its_request_is_closed() -> None:
    measurement = Measurement(TASKS)
    iteration = dispatched(measurement, intended_s=-1.0)
    before = measurement.records.samples()
    assert before.outcome.tolist() == [Outcome.UNFINISHED]
    assert math.isnan(before.start_s[0])
    assert math.isnan(before.end_s[0])
    request = measurement.start(iteration, "GET /things")
    measurement.close(request, end_s=request.start_s + 0.5, status=200, outcome=Outcome.ANSWERED)
    measurement.end(iteration)
    after = measurement.records.samples()
    assert after.phase.tolist() == [Phase.LOAD]
    assert after.endpoint.tolist() == ["GET /things"]
    assert after.outcome.tolist() == [Outcome.ANSWERED]
    assert after.status.tolist() == [200]
    assert after.service_time_s.tolist() == [0.5]
    assert after.latency_s[0] == after.end_s[0] + 1.0
    assert after.intended_s[0] < after.dispatched_s[0] <= after.start_s[0]


@pytest.mark.parametrize(
    ("status", "outcome", "bad"),
    [
        pytest.param(200, Outcome.ANSWERED, 0, id="ok"),
        pytest.param(404, Outcome.ANSWERED, 0, id="the_clients_mistake"),
        pytest.param(429, Outcome.ANSWERED, 1, id="turned_away"),
        pytest.param(500, Outcome.ANSWERED, 1, id="server_error"),
        pytest.param(0, Outcome.TIMEOUT, 1, id="no_answer"),
        pytest.param(200, Outcome.ERROR, 1, id="disliked_by_the_locust_file"),
    ],
)
def test_the_running_count_of_bad_requests_follows_the_answer(
    status: int, outcome: Outcome, bad: int
) -> None:
    measurement = Measurement(TASKS)
    request = measurement.start(dispatched(measurement), "GET /things")
    measurement.close(request, end_s=1, status=status, outcome=outcome)
    tally = measurement.tally
    assert (tally.scheduled, tally.sent, tally.completed, tally.bad) == (1, 1, 1, bad)


def test_a_further_request_of_an_iteration_is_intended_when_it_starts() -> None:
    measurement = Measurement(TASKS)
    iteration = dispatched(measurement, intended_s=-1.0)
    measurement.start(iteration, "GET /first")
    measurement.start(iteration, "GET /second")
    samples = measurement.records.samples()
    assert samples.endpoint.tolist() == ["GET /first", "GET /second"]
    assert samples.start_lag_s[0] >= 1.0
    assert samples.start_lag_s[1] == samples.dispatch_lag_s[1] == 0.0
    assert measurement.records.planned().tolist() == [True, False]


def test_an_iteration_that_sends_nothing_or_does_not_say_how_it_ended_is_an_error() -> None:
    measurement = Measurement(TASKS)
    silent, mute = dispatched(measurement), dispatched(measurement)
    measurement.start(mute, "GET /things")
    measurement.end(silent)
    measurement.end(mute)
    assert measurement.records.samples().outcome.tolist() == [Outcome.ERROR, Outcome.ERROR]
    assert measurement.tally.bad == 2


def test_what_comes_after_the_end_of_a_phase_changes_nothing_but_the_ledger() -> None:
    measurement = Measurement(TASKS)
    iteration = dispatched(measurement)
    request = measurement.start(iteration, "POST /things")
    measurement.end_phase()
    measurement.begin_phase()
    measurement.close(request, end_s=9, status=202, outcome=Outcome.ANSWERED)
    measurement.accept(request, "/things/1")
    late = measurement.start(iteration, "GET /things/1")
    measurement.close(late, end_s=9, status=200, outcome=Outcome.ANSWERED)
    measurement.end(iteration)
    samples = measurement.records.samples()
    assert samples.outcome.tolist() == [Outcome.UNFINISHED]
    assert samples.start_s.tolist() == [request.start_s]
    assert math.isnan(samples.end_s[0])
    assert (measurement.tally.sent, measurement.tally.completed) == (0, 0)
    assert [job.location for job in measurement.ledger] == ["/things/1"]
    assert measurement.ledger[0].intended_at_s == measurement.epoch_unix_s + iteration.intended_s


def test_a_request_that_was_never_begun_is_named_after_what_its_task_sends() -> None:
    measurement = Measurement(TASKS)
    read = dispatched(measurement, task=READ)
    measurement.start(read, "GET /{id}")
    measurement.start(read, "GET /extra")
    dispatched(measurement, task=READ)
    dispatched(measurement, task=WRITE)
    names = measurement.records.samples().endpoint.tolist()
    assert names == ["GET /{id}", "GET /extra", "GET /{id}", "Visitor.write"]


def test_columns_can_be_read_while_they_grow() -> None:
    measurement = Measurement(TASKS)
    dispatched(measurement)
    samples = measurement.records.samples()
    for _ in range(1_000):
        dispatched(measurement)
    assert len(samples) == 1
    assert len(measurement.records.samples(begin=1)) == 1_000
    assert np.isnan(measurement.records.samples().start_s).all()
