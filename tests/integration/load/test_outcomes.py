"""Every way in which a request can end is told from the others, sent once, and counted."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from sloproof.analysis.samples import Outcome, Phase
from sloproof.load.arrivals import Arrival
from sloproof.load.files import read_samples
from tests.integration.load.harness import order

if TYPE_CHECKING:
    from pathlib import Path

    from sloproof.analysis.samples import Samples
    from sloproof.load.protocol import PhaseFacts
    from tests.integration.load.harness import RunningSubject, StartLoad, WriteLocustfile

EACH = 3
CASES = {
    "GET /status/200": (Outcome.ANSWERED, 200),
    "POST /status/201": (Outcome.ANSWERED, 201),
    "GET /status/404": (Outcome.ANSWERED, 404),
    "GET /status/503": (Outcome.ANSWERED, 503),
    "POST /status/500": (Outcome.ANSWERED, 500),
    "GET /hang": (Outcome.TIMEOUT, 0),
    "POST /hang": (Outcome.TIMEOUT, 0),
    "GET /drip": (Outcome.TIMEOUT, 200),
    "GET /close": (Outcome.RESET, 0),
    "POST /close": (Outcome.RESET, 0),
    "GET /abort": (Outcome.RESET, 0),
    "GET /cut/head": (Outcome.RESET, 0),
    "GET /cut/body": (Outcome.RESET, 200),
    "GET /junk": (Outcome.ERROR, 0),
}
DISLIKED = "GET /disliked"
RAISING = "GET /raising"


@pytest.fixture(params=[Phase.LOAD, Phase.DRAIN])
def run(
    request: pytest.FixtureRequest,
    subject: RunningSubject,
    locustfile: WriteLocustfile,
    load: StartLoad,
    tmp_path: Path,
) -> tuple[PhaseFacts, Samples, dict[str, int]]:
    methods = [
        f"""
@task
def case_{number}(self):
    self.client.request({", ".join(map(repr, endpoint.split(" ")))})
"""
        for number, endpoint in enumerate(CASES)
    ]
    methods.append("""
@task
def disliked(self):
    with self.client.get("/status/200", name="/disliked", catch_response=True) as response:
        response.failure("not what was wanted")

@task
def raising(self):
    with self.client.get("/status/200", name="/raising", catch_response=True):
        raise LookupError("a bug in the Locust file")

@task
def silent(self):
    pass
""")
    process = load(locustfile("".join(methods)), subject.host, users=24, timeout_s=0.5)
    count = EACH * (len(CASES) + 3)
    facts = process.phase(order(phase=request.param, arrival=Arrival.POISSON, rate=count, drain_s=30))
    process.finish()
    return facts, read_samples(tmp_path / "load"), subject.seen()


def test_outcomes_are_told_apart_and_no_request_is_sent_twice(
    run: tuple[PhaseFacts, Samples, dict[str, int]],
) -> None:
    facts, samples, seen = run
    outcomes = {
        endpoint: {
            (str(outcome), int(status)) for outcome, status in zip(rows.outcome, rows.status, strict=True)
        }
        for endpoint in samples.endpoints
        for rows in [samples.select(endpoint=endpoint)]
    }
    assert outcomes == {
        **{endpoint: {(str(outcome), status)} for endpoint, (outcome, status) in CASES.items()},
        DISLIKED: {("error", 200)},
        RAISING: {("error", 0)},
        "Visitor.silent": {("error", 0)},
    }
    expected = dict.fromkeys(CASES, EACH)
    expected["GET /status/200"] += 2 * EACH
    assert seen == expected
    assert (facts.scheduled, facts.completed, facts.unfinished) == (len(samples), len(samples), 0)
    assert facts.sent == sum(seen.values())
    good = [
        endpoint for endpoint, (outcome, status) in CASES.items() if outcome == "answered" and status < 500
    ]
    assert facts.bad == len(samples) - EACH * len(good)


def test_a_refused_connection_is_an_outcome_of_its_own(
    locustfile: WriteLocustfile, load: StartLoad, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    methods = """
        @task
        def get(self):
            self.client.get("/")
    """
    process = load(locustfile(methods), f"http://127.0.0.1:{port}")
    facts = process.phase(order(rate=20))
    process.finish()
    assert (facts.sent, facts.completed, facts.bad) == (20, 20, 20)
    assert set(read_samples(tmp_path / "load").outcome) == {Outcome.REFUSED}


def test_a_user_whose_requests_have_timed_out_is_as_good_as_any_other(
    subject: RunningSubject, locustfile: WriteLocustfile, load: StartLoad, tmp_path: Path
) -> None:
    # A time-out while sending would leak one of the ten sockets that a Locust user has.
    methods = """
        @task(3)
        def shout(self):
            self.client.post("/deaf", data="x" * 10_000_000)

        @task
        def ask(self):
            self.client.get("/status/200")
    """
    process = load(locustfile(methods), subject.host, users=1, timeout_s=0.1)
    facts = process.phase(order(rate=60, drain_s=60))
    process.finish()
    samples = read_samples(tmp_path / "load")
    shouted, asked = samples.select(endpoint="POST /deaf"), samples.select(endpoint="GET /status/200")
    assert (facts.sent, facts.completed, len(shouted), len(asked)) == (60, 60, 45, 15)
    assert set(shouted.outcome) == {Outcome.TIMEOUT}
    assert (shouted.end_s - shouted.start_s >= 0.1).all()
    assert set(asked.outcome) == {Outcome.ANSWERED}
