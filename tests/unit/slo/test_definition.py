"""An SLO file becomes exact, frozen types."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from sloproof.slo.definition import (
    Availability,
    Definition,
    EventLatency,
    Latency,
    Metrics,
    Objective,
    Ratio,
    load,
)

JOBS = Path(__file__).parents[3] / "slo" / "jobs.yaml"
DAY_S = 86_400


def written(folder: Path, text: str) -> Path:
    path = folder / "slo.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_definition_of_the_jobs_service_loads() -> None:
    definition = load(JOBS)

    assert definition.service == "jobs"
    assert definition.window_s == 30 * DAY_S
    assert definition.metrics == Metrics(requests="http_server_request_duration_seconds")
    assert {
        objective.name: (objective.target, objective.indicator) for objective in definition.objectives
    } == {
        "submit-latency": (
            Decimal("0.99"),
            Latency(method="POST", route="/jobs", threshold_s=Decimal("0.25")),
        ),
        "read-latency": (
            Decimal("0.99"),
            Latency(method="GET", route="/jobs/{id}", threshold_s=Decimal("0.1")),
        ),
        "availability": (Decimal("0.999"), Availability()),
        "completion": (
            Decimal("0.99"),
            EventLatency(event="job_completed", histogram="job_end_to_end_seconds", threshold_s=Decimal(2)),
        ),
    }


def test_each_objective_knows_its_line() -> None:
    lines = JOBS.read_text(encoding="utf-8").splitlines()

    for objective in load(JOBS).objectives:
        assert lines[objective.line - 1].strip() == f"- name: {objective.name}"


def test_every_key_of_the_format_arrives(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """
        service: mail-api
        window: 1w
        metrics: {requests: http_requests_seconds}
        objectives:
          - name: delivered
            description: Mail arrives.
            target: 99.95%
            indicator: {ratio: {good: 'sum(rate(ok[{{window}}]))', total: 'sum(rate(all[{{window}}]))'}}
          - name: read
            target: 0.9
            indicator: {availability: {method: GET, route: /mail}}
        """,
    )

    assert load(path) == Definition(
        service="mail-api",
        window_s=Decimal(7 * DAY_S),
        metrics=Metrics(requests="http_requests_seconds"),
        objectives=(
            Objective(
                name="delivered",
                description="Mail arrives.",
                target=Decimal("0.9995"),
                indicator=Ratio(good="sum(rate(ok[{{window}}]))", total="sum(rate(all[{{window}}]))"),
                line=6,
            ),
            Objective(
                name="read",
                description="",
                target=Decimal("0.9"),
                indicator=Availability(method="GET", route="/mail"),
                line=10,
            ),
        ),
    )


def test_anchors_and_aliases_share_values(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """
        service: jobs
        window: 30d
        objectives:
          - {name: fast, target: &high 99.9%, indicator: &all {availability: {}}}
          - {name: sure, target: *high, indicator: *all}
        """,
    )

    fast, sure = load(path).objectives

    assert (fast.target, fast.indicator) == (sure.target, sure.indicator)


def test_a_file_with_a_byte_order_mark_and_windows_line_ends_loads(tmp_path: Path) -> None:
    path = tmp_path / "slo.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + JOBS.read_bytes().replace(b"\n", b"\r\n"))

    assert load(path) == load(JOBS)


def test_the_budget_of_three_nines_is_one_in_a_thousand_and_no_float() -> None:
    objective = Objective(
        name="up", description="", target=Decimal("0.999"), indicator=Availability(), line=1
    )

    assert objective.budget == Decimal("0.001")
    assert str(objective.budget) == "0.001"


@pytest.mark.parametrize("target", ["0", "1", "99.9"])
def test_an_objective_cannot_be_built_with_an_impossible_target(target: str) -> None:
    with pytest.raises(ValueError, match=f"the target of 'up' must lie between 0 and 1, not at {target}"):
        Objective(name="up", description="", target=Decimal(target), indicator=Availability(), line=1)
