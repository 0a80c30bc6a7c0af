"""What the proofs say of a real Prometheus in which something is wrong."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from deploy.stack_check import proofs
from deploy.stack_check.prometheus import Prometheus, QueryError
from deploy.stack_check.proof import until
from tests.integration.service.harness import DEADLINE_S, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

CONFIG = """
global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
rule_files: [rules/*.rules.yaml]
scrape_configs:
  - job_name: jobs
    static_configs: [{targets: ["127.0.0.1:1"]}]
"""
RULES = """
groups:
  - name: sloproof-jobs-good
    rules:
      - {record: "slo:sli:a", expr: vector(1), labels: {sloth_id: jobs-good}}
      - {record: "slo:sli:b", expr: vector(0), labels: {sloth_id: jobs-good}}
      - {alert: Burns, expr: vector(1) > 2, labels: {sloth_id: jobs-good}}
  - name: sloproof-jobs-bad
    rules:
      - {record: "slo:sli:a", expr: vector(1), labels: {sloth_id: jobs-bad}}
      - {record: "slo:sli:b", expr: no_such_series, labels: {sloth_id: jobs-bad}}
      - {record: "slo:sli:c", expr: vector(0) / 0, labels: {sloth_id: jobs-bad}}
"""
# Two series on one side for the one on the other: valid, and refused whenever it is evaluated.
FAILING = """
groups:
  - name: sloproof-jobs-failing
    rules:
      - record: "slo:sli:a"
        expr: vector(1) + on () (label_replace(vector(1), "a", "b", "", "") or vector(1))
        labels: {sloth_id: jobs-failing}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prometheus")
    (folder / "prometheus.yml").write_text(CONFIG)
    (folder / "rules").mkdir()
    (folder / "rules/jobs.rules.yaml").write_text(RULES)
    return folder


@pytest.fixture(scope="module")
def prometheus(folder: Path) -> Iterator[Prometheus]:
    if (program := shutil.which("prometheus")) is None:
        pytest.skip("there is no prometheus on this machine")
    (folder / "rules/failing.rules.yaml").write_text(FAILING)
    port = free_port()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                program,
                f"--config.file={folder}/prometheus.yml",
                f"--storage.tsdb.path={folder}/data",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log,
            stderr=log,
        )
    try:
        with Prometheus.at(f"http://127.0.0.1:{port}") as server:
            assert until(server.ready, good=bool, within_s=DEADLINE_S, every_s=0.1), (
                folder / "log"
            ).read_text()
            yield server
    finally:
        process.kill()
        process.wait()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait briefly for what will not come: rules are evaluated every second, targets read after five."""
    monkeypatch.setattr(proofs, "FOUND_WITHIN_S", 0)
    monkeypatch.setattr(proofs, "RECORDED_WITHIN_S", 4)
    monkeypatch.setattr(proofs, "SHOWN_WITHIN_S", 1)
    monkeypatch.setattr(proofs, "SCRAPED_WITHIN_S", 10)


def test_a_target_that_does_not_answer_is_told_with_the_reason(prometheus: Prometheus) -> None:
    proof = proofs.target_up(prometheus)

    assert not proof.held
    assert "http://127.0.0.1:1/metrics down" in proof.what
    assert "connection refused" in proof.what


def test_a_rule_that_fails_is_told_by_name(prometheus: Prometheus, folder: Path) -> None:
    proof = proofs.rules_loaded(prometheus, proofs.expected_groups(folder / "rules"))

    assert not proof.held
    assert "7 rules in 3 groups are loaded: 1 err, 6 ok" in proof.what
    assert "slo:sli:a: " in proof.what
    assert "many-to-many" in proof.what or "multiple matches" in proof.what


def test_rules_that_are_evaluated_are_proven(prometheus: Prometheus, folder: Path) -> None:
    expected = proofs.expected_groups(folder / "rules")
    del expected["sloproof-jobs-failing"]

    proof = proofs.rules_loaded(prometheus, expected)

    assert proof.held
    assert proof.what == "6 rules in 2 groups are loaded: 6 ok"


def test_a_group_that_is_not_loaded_is_told(prometheus: Prometheus) -> None:
    proof = proofs.rules_loaded(prometheus, {"sloproof-shop-orders": [{"record": "a", "expr": "b"}]})

    assert not proof.held
    assert "sloproof-shop-orders" in proof.what


def test_a_series_without_a_value_is_told_by_objective_and_name(prometheus: Prometheus, folder: Path) -> None:
    expected = proofs.expected_groups(folder / "rules")
    del expected["sloproof-jobs-failing"]

    bad, good = proofs.recording(prometheus, expected)

    assert str(good) == "✓ jobs-good: 2 of 2 recorded series have a value"
    assert str(bad) == "✗ jobs-bad: 1 of 3 recorded series have a value, without: slo:sli:b, slo:sli:c"


def dashboard(folder: Path, *expressions: str, **more: object) -> Path:
    targets = [{"refId": str(number), "expr": each} for number, each in enumerate(expressions)]
    file = folder / "board.json"
    file.write_text(json.dumps({"panels": [{"title": "Panel", "targets": targets}], **more}))
    return file


def test_a_dashboard_is_proven_with_the_queries_that_rightly_have_no_data(
    prometheus: Prometheus, tmp_path: Path
) -> None:
    variable = {"name": "job", "type": "query", "query": "label_values(up, job)"}
    file = dashboard(tmp_path, "vector(1)", "no_such_series", templating={"list": [variable]})

    proof = proofs.dashboard_answers(prometheus, file, {"Panel/1"})

    assert str(proof) == ("✓ board.json: 2 of 2 queries answered, 1 of them rightly with no data (Panel/1)")


def test_a_dashboard_about_what_is_not_here_is_proven_without_any_data(
    prometheus: Prometheus, tmp_path: Path
) -> None:
    proof = proofs.dashboard_answers(prometheus, dashboard(tmp_path, "no_such_series"), {"Panel/0"})

    assert str(proof) == "✓ board.json: 1 of 1 queries answered, all of them rightly with no data"


def test_a_query_without_the_data_that_it_should_have_is_told(prometheus: Prometheus, tmp_path: Path) -> None:
    file = dashboard(tmp_path, "vector(1)", "no_such_series", "nor_this")

    proof = proofs.dashboard_answers(prometheus, file, {"Panel/2"})

    assert str(proof) == (
        "✗ board.json: 3 of 3 queries answered, 1 of them rightly with no data (Panel/2)"
        "; no data, and it should have: Panel/1"
    )


@pytest.mark.parametrize(
    ("expressions", "more", "told"),
    [
        pytest.param(["rate(up)", "up"], {}, "1 of 2 queries answered", id="a query that is refused"),
        pytest.param(['up{job="$jobb"}'], {}, "$jobb is no variable", id="a variable that is not there"),
        pytest.param([], {}, "0 of 0 queries", id="nothing to ask"),
        pytest.param(
            ["up"],
            {"templating": {"list": [{"name": "x", "type": "query", "query": "label_values(up{, job)"}]}},
            "parse error",
            id="a variable that is refused",
        ),
    ],
)
def test_a_dashboard_that_cannot_be_shown_is_told(
    prometheus: Prometheus, tmp_path: Path, expressions: list[str], more: Mapping[str, object], told: str
) -> None:
    proof = proofs.dashboard_answers(prometheus, dashboard(tmp_path, *expressions, **more), ())

    assert not proof.held
    assert told in proof.what


def test_that_there_is_no_dashboard_is_no_proof(prometheus: Prometheus, tmp_path: Path) -> None:
    (proof,) = proofs.every_dashboard(prometheus, tmp_path, {})

    assert not proof.held
    assert "has no dashboard; `sloproof generate` writes them" in proof.what


def test_alerts_that_go_to_nobody_are_told(prometheus: Prometheus) -> None:
    assert str(proofs.alerts_go_somewhere(prometheus)) == "✗ alerts go to nobody"


def test_a_prometheus_that_is_gone_is_no_empty_answer() -> None:
    with Prometheus.at(f"http://127.0.0.1:{free_port()}") as gone:
        assert not gone.ready()
        with pytest.raises(QueryError):
            gone.instant("up")
