from __future__ import annotations

from decimal import Decimal
from math import nan

import numpy as np
import pytest

from sloproof.analysis.columns import Words
from sloproof.analysis.counts import Counts
from sloproof.analysis.jobs import Jobs
from sloproof.analysis.samples import Samples
from sloproof.analysis.scored import Scored
from sloproof.observe import client
from sloproof.slo.definition import Availability, EventLatency, Indicator, Latency, Ratio

POST, GET = "POST /jobs", "GET /jobs/{id}"
# phase, endpoint, intended, start, end, status, outcome
ROWS = [
    ("warmup", POST, 0.0, 0.0, 9.0, 500, "answered"),
    ("load", POST, 1.0, 1.0, 1.25, 202, "answered"),
    ("load", POST, 1.0, 1.9, 2.0, 202, "answered"),  # fast once it had started, which was late
    ("load", POST, 1.0, 1.0, 1.1, 500, "answered"),
    ("load", POST, 1.0, 1.0, 1.1, 429, "answered"),
    ("load", POST, 1.0, 1.0, 1.1, 422, "answered"),
    ("load", POST, 1.0, 1.0, nan, 0, "timeout"),
    ("load", POST, 1.0, nan, nan, 0, "unfinished"),
    ("load", GET, 1.0, 1.0, 1.01, 404, "answered"),
    ("load", GET, 1.0, 1.0, 1.01, 0, "refused"),
    ("drain", GET, 1.0, 1.0, 1.01, 0, "reset"),
]


def samples(rows: list[tuple[str, str, float, float, float, int, str]]) -> Samples:
    phase, endpoint, intended, start, end, status, outcome = zip(*rows, strict=True)
    return Samples(
        phase=np.array(phase),
        endpoint=np.array(endpoint),
        intended_s=np.array(intended),
        dispatched_s=np.array(intended),
        start_s=np.array(start),
        end_s=np.array(end),
        status=np.array(status, dtype=np.int16),
        outcome=np.array(outcome),
    )


JOBS = Jobs(
    phase=Words.of(["warmup", "load", "load", "load", "load", "load"]),
    intended_at_s=np.array([1.0] * 6),
    found=np.array([True, True, True, True, True, False]),
    state=Words.of(["succeeded", "succeeded", "succeeded", "failed", "running", ""]),
    completions=np.array([1, 1, 1, 1, 0, 0]),
    finished_at_s=np.array([1.5, 3.0, 3.1, 1.5, nan, nan]),
)


@pytest.mark.parametrize(
    ("indicator", "expected"),
    [
        pytest.param(
            Latency(method="POST", route="/jobs", threshold_s=Decimal("0.25")),
            Counts(good=2, total=7),
            id="latency counts from the intended start, and what never ended is bad",
        ),
        pytest.param(
            Latency(method="PUT", route="/jobs", threshold_s=Decimal("0.25")),
            Counts(good=0, total=0),
            id="an endpoint that was never asked",
        ),
        pytest.param(Availability(), Counts(good=4, total=9), id="availability over all endpoints"),
        pytest.param(Availability(method="GET"), Counts(good=1, total=2), id="availability of one method"),
        pytest.param(
            EventLatency(event="job_completed", histogram="h", threshold_s=Decimal(2)),
            Counts(good=1, total=5),
            id="a job is good when it succeeded in time",
        ),
        pytest.param(
            EventLatency(event="cart_paid", histogram="h", threshold_s=Decimal(2)),
            None,
            id="an event clients cannot see",
        ),
        pytest.param(Ratio(good="a", total="b"), None, id="free PromQL"),
    ],
)
def test_only_the_load_phase_is_counted(indicator: Indicator, expected: Counts | None) -> None:
    assert client.count(indicator, Scored.of(samples(ROWS), JOBS)) == expected


def test_a_threshold_is_met_by_a_latency_that_equals_it() -> None:
    exactly = Latency(method="POST", route="/jobs", threshold_s=Decimal("0.25"))

    assert client.count(exactly, Scored.of(samples([ROWS[1]]), Jobs.none())) == Counts(good=1, total=1)


def test_without_a_request_nothing_was_available_and_nothing_was_not() -> None:
    assert client.count(Availability(), Scored.of(samples([ROWS[0]]), Jobs.none())) == Counts(good=0, total=0)
