from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from sloproof.observe.address import parse_address
from sloproof.observe.prometheus import Prometheus, QueryError, Target, read_metrics
from tests.integration.observe.harness import REQUESTS, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.observe.harness import Stand


@pytest.fixture
def asked(stand: Stand) -> Iterator[Prometheus]:
    with Prometheus(parse_address(stand.url)) as prometheus:
        yield prometheus


def test_it_says_what_time_it_is_and_how_long_it_keeps_samples(asked: Prometheus) -> None:
    assert abs(asked.now_s() - time.time()) < 60
    assert asked.retention_s() == 15 * 86_400
    assert asked.flags()["storage.tsdb.retention.time"] == "15d"


def test_it_says_what_it_scrapes_and_how_often(asked: Prometheus, stand: Stand) -> None:
    target = Target(job="jobs", instance=f"127.0.0.1:{stand.jobs.port}", scrape_interval_s=2, up=True)

    assert eventually(lambda: asked.targets() == [target])


def test_a_query_is_answered_for_the_moment_that_is_asked_for(asked: Prometheus, stand: Stand) -> None:
    total = f'sum({REQUESTS}_count{{job="shop"}})'

    assert asked.number(total, at_s=stand.began_s + 150) == 1_500
    assert asked.number(total, at_s=stand.began_s - 1_000) is None


def test_series_come_with_their_labels(asked: Prometheus, stand: Stand) -> None:
    found = asked.query(f'count by (le) ({REQUESTS}_bucket{{job="shop"}})', at_s=stand.began_s + 150)

    assert {each.labels["le"]: each.value for each in found} == {"0.1": 1, "0.25": 1, "+Inf": 1}


def test_it_knows_the_names_of_its_metrics(asked: Prometheus) -> None:
    assert {"up", f"{REQUESTS}_count", f"{REQUESTS}_bucket"} <= set(asked.metrics())


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("sum(", True),
        (f"up[10y:1ms] and {REQUESTS}_count", True),
        (f"{REQUESTS}_bucket * on (job) {REQUESTS}_bucket", False),
    ],
    ids=["no PromQL", "another type", "series that do not match"],
)
def test_what_it_refuses_is_told_apart(asked: Prometheus, query: str, *, wrong: bool) -> None:
    with pytest.raises(QueryError) as told:
        asked.query(query)

    assert told.value.wrong is wrong


def test_what_a_service_exposes_is_read(stand: Stand) -> None:
    assert f"# TYPE {REQUESTS} histogram" in read_metrics(parse_address(stand.jobs.url))
