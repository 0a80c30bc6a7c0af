from __future__ import annotations

from decimal import Decimal

import pytest

from sloproof.analysis.counts import Counts
from sloproof.observe import server
from sloproof.observe.scrape import Scrape
from sloproof.slo.definition import Availability, EventLatency, Indicator, Latency, Ratio

REQUESTS = "http_server_request_duration_seconds"
POST = 'http_request_method="POST",http_route="/jobs"'
GET = 'http_request_method="GET",http_route="/jobs/{id}"'


def series(labels: str, status: str, buckets: dict[str, int]) -> str:
    """Return a histogram's series; the last bucket is the count of all."""
    all_labels = f'{labels},http_response_status_code="{status}"'
    lines = [f'{REQUESTS}_bucket{{{all_labels},le="{bound}"}} {count}' for bound, count in buckets.items()]
    return "\n".join([*lines, f"{REQUESTS}_count{{{all_labels}}} {list(buckets.values())[-1]}", ""])


GAIN = Scrape.parse(
    series(POST, "202", {"0.1": 80, "0.25": 95, "+Inf": 100})
    + series(POST, "500", {"0.1": 3, "0.25": 4, "+Inf": 5})
    + series(POST, "429", {"0.1": 2, "0.25": 2, "+Inf": 2})
    + series(POST, "422", {"0.1": 1, "0.25": 1, "+Inf": 1})
    + series(GET, "200", {"0.1": 50, "0.25": 50, "+Inf": 50})
    + 'job_end_to_end_seconds_bucket{kind="sleep",le="2.0"} 40\n'
    + 'job_end_to_end_seconds_bucket{kind="digest",le="2"} 30\n'
    + 'job_end_to_end_seconds_count{kind="sleep"} 41\n'
    + 'job_end_to_end_seconds_count{kind="digest"} 30\n'
)


@pytest.mark.parametrize(
    ("indicator", "expected"),
    [
        pytest.param(
            Latency(method="POST", route="/jobs", threshold_s=Decimal("0.250")),
            Counts(good=96, total=108),
            id="latency: errors are bad however fast, a client's mistake is not",
        ),
        pytest.param(
            Latency(method="POST", route="/jobs", threshold_s=Decimal("0.2")),
            None,
            id="a threshold between bounds",
        ),
        pytest.param(
            Latency(method="POST", route="/elsewhere", threshold_s=Decimal("0.1")),
            None,
            id="a route without series",
        ),
        pytest.param(
            EventLatency(event="job_completed", histogram="job_end_to_end_seconds", threshold_s=Decimal(2)),
            Counts(good=70, total=71),
            id="le is compared as a number",
        ),
        pytest.param(Availability(), Counts(good=151, total=158), id="availability over all routes"),
        pytest.param(
            Availability(method="GET", route="/jobs/{id}"),
            Counts(good=50, total=50),
            id="availability of one route",
        ),
        pytest.param(Ratio(good="a", total="b"), None, id="free PromQL"),
    ],
)
def test_counts_are_those_of_the_counters(indicator: Indicator, expected: Counts | None) -> None:
    assert server.count(indicator, GAIN, requests=REQUESTS) == expected


def test_a_subject_without_the_histogram_says_nothing_about_availability() -> None:
    assert server.count(Availability(), Scrape.parse("up 1\n"), requests=REQUESTS) is None


def test_requests_are_counted_per_endpoint() -> None:
    assert server.endpoint_counts(GAIN, requests=REQUESTS) == {"GET /jobs/{id}": 50, "POST /jobs": 108}


@pytest.mark.parametrize(
    ("q", "bounds"),
    [
        pytest.param(0.5, (0.0, 0.1), id="in the first bucket"),
        pytest.param(0.9, (0.1, 0.25), id="between two bounds"),
        pytest.param(0.99, (0.25, None), id="beyond the last bound"),
    ],
)
def test_a_percentile_is_known_up_to_its_bucket(q: float, bounds: tuple[float, float | None]) -> None:
    merged = server.endpoint_histogram([GAIN, GAIN], requests=REQUESTS, endpoint="POST /jobs")

    assert merged[float("inf")] == 2 * 108
    assert server.percentile_bounds_s(merged, q) == bounds


def test_an_empty_histogram_has_no_percentile() -> None:
    assert server.percentile_bounds_s({}, 0.5) is None


def test_what_was_served_late_leaves_out_what_was_not_served() -> None:
    def late(threshold_s: str) -> int | None:
        asked = Latency(method="POST", route="/jobs", threshold_s=Decimal(threshold_s))
        return server.late(asked, GAIN, requests=REQUESTS)

    assert late("0.25") == 5
    assert late("0.1") == 20
    assert late("0.2") is None


def test_the_time_that_an_endpoint_took_is_known_where_sums_are_exported() -> None:
    summed = Scrape.parse(
        f'{REQUESTS}_sum{{{POST},http_response_status_code="202"}} 1.5\n'
        f'{REQUESTS}_sum{{{GET},http_response_status_code="200"}} 9\n'
        f'{REQUESTS}_count{{{POST},http_response_status_code="202"}} 3\n'
    )

    assert server.seconds(summed, requests=REQUESTS, endpoint="POST /jobs") == (1.5, 3)
    assert server.seconds(GAIN, requests=REQUESTS, endpoint="POST /jobs") is None
