"""`sloproof validate` asks a real Prometheus and a real service what a file takes for granted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from sloproof.cli import main
from tests.integration.observe.harness import REQUESTS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.observe.harness import Stand

HEAD = """\
service: shop
window: 14d
prometheus: {retention: 15d}
metrics: {matchers: {job: shop}}
objectives:
"""


def validated(stand: Stand, file: Path, objectives: str, *, head: str = HEAD) -> int:
    file.write_text(f"{head}{objectives}")
    return main(["validate", str(file), "--prometheus", stand.url])


LATENCY = "latency: {method: GET, route: /items, threshold: 250ms}"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(
            ("window: 14d", "window: 20d"),
            "2: error: the window, 20d, is longer than samples",
            id="retention",
        ),
        pytest.param(
            ("retention: 15d", "retention: 90d"),
            "3: warning: prometheus.retention is 90d, which is not so, because the Prometheus at {url} keeps",
            id="a retention that is not so",
        ),
        pytest.param(
            ("job: shop", "job: shp"),
            f'6: error: {REQUESTS}_count{{{{job="shp",http_request_method="GET",http_route="/items"}}}} of '
            '\'fast\' matches nothing, because at {url} no series has job="shp": job is "jobs" or "shop"',
            id="a job that is not there",
        ),
        pytest.param(
            ("250ms", "200ms"),
            'no series has le="0.2": le is "+Inf", "0.1", "0.25", "0.5" or "1.0": choose a threshold',
            id="a threshold that is no bound",
        ),
        pytest.param(
            ("GET", "PUT"),
            'no series has http_request_method="PUT": ',
            id="a method nobody has used",
        ),
        pytest.param(
            ("metrics: {", "metrics: {requests: http_server_request_duration, "),
            f"there is no metric http_server_request_duration_count, only {REQUESTS}_count: correct",
            id="a metric of another name",
        ),
    ],
)
def test_what_a_prometheus_does_not_have_is_told(
    stand: Stand,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: tuple[str, str],
    message: str,
) -> None:
    objective = f"  - {{name: fast, target: 99%, indicator: {{{LATENCY}}}}}\n"
    text = f"{HEAD}{objective}"
    assert change[0] in text
    file = tmp_path / "f.yaml"

    status = validated(stand, file, "", head=text.replace(*change))

    told = capsys.readouterr().err
    expected = message.format(url=stand.url)
    assert expected in told
    assert status == (0 if expected.startswith("3: warning") else 2)


def test_what_a_prometheus_has_is_fine(
    stand: Stand, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "f.yaml"

    assert validated(stand, file, f"  - {{name: fast, target: 99%, indicator: {{{LATENCY}}}}}\n") == 0
    assert capsys.readouterr() == (f"{file}: shop, 1 objectives\n", "")


def test_a_service_is_told_from_others_and_its_own_interval_counts(
    stand: Stand, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    objective = "  - {name: up, target: 99%, indicator: {up: {}}}\n"
    head = HEAD.replace("metrics: {matchers: {job: shop}}\n", "").replace(
        "15d}", "15d, scrape_interval: 30s}"
    )

    assert validated(stand, tmp_path / "f.yaml", objective, head=head) == 0

    told = capsys.readouterr().err
    assert (
        "'up' counts the events of 2 jobs as one service's, because up matches series of jobs and shop"
        in told
    )
    assert (
        f"scrape_interval is 30s, which is not so, because the Prometheus at {stand.url} scrapes the" in told
    )


def test_traffic_is_measured(stand: Stand, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rare = (
        "  - name: rare\n    target: 99%\n    indicator: {up: {}}\n"
        "    alerting: {minimum_failures: 1000, disable: [page-slow, ticket-fast, ticket-slow]}\n"
    )

    assert validated(stand, tmp_path / "f.yaml", rare) == 0  # what was measured makes warnings only
    assert re.search(
        r"f\.yaml:6: warning: the tier 'page-fast' of 'rare' cannot fire even in an outage, because the "
        r"traffic was (4|3\.9\d)/m, which makes 1[12]\d events in 30m, and it waits for 1000 failures: ",
        capsys.readouterr().err,
    )


def test_thresholds_are_held_against_what_a_service_exposes(
    stand: Stand, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "f.yaml"
    file.write_text(
        f"{HEAD}  - {{name: fast, target: 99%, indicator: {{{LATENCY}}}}}\n".replace(
            "GET, route: /items", "POST, route: /jobs"
        ).replace("250ms", "2s")
        + "  - name: never\n    target: 99%\n"
        "    indicator: {latency: {event: job_completed, histogram: never_seconds, threshold: 1s}}\n"
    )

    assert main(["validate", str(file), "--metrics", stand.jobs.url]) == 2

    told = capsys.readouterr().err
    assert (
        f"{file}:6: error: the threshold of 'fast', 2s, is no bound of a bucket, because the buckets of"
        in told
    )
    assert (
        "end at 1s, the next only at infinity, and nothing in between is counted: write threshold: 1s, or"
        in told
    )
    assert (
        f"{file}:9: warning: the threshold of 'never' cannot be checked, because {stand.jobs.url} declares"
        in told
    )
