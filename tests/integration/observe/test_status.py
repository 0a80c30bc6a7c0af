"""`sloproof status` finds in raw metrics what was put there, without any rule."""

from __future__ import annotations

import contextlib
import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from sloproof.cli import main
from tests.integration.observe.harness import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.observe.harness import Stand

SHOP = """\
service: shop
window: 30d
metrics: {matchers: {job: shop}}
objectives:
  - {name: availability, target: 99.9%, indicator: {availability: {}}}
  - {name: speed, target: 99.9%, indicator: {latency: {method: GET, route: /items, threshold: 100ms}}}
  - {name: last-hour, target: 99%, window: 1h, indicator: {availability: {}}}
  - {name: up, target: 99%, indicator: {up: {}}}
  - name: share
    target: 99%
    indicator: {error_ratio: {query: "1 - avg_over_time(up{job='shop'}[{{window}}])"}}
  - name: own
    target: 99%
    indicator:
      ratio:
        bad: sum(rate(http_server_request_duration_seconds_count{http_route="/none"}[{{window}}]))
        total: sum(rate(http_server_request_duration_seconds_count{job="shop"}[{{window}}]))
"""
JOBS = """\
service: jobs
window: 30d
metrics: {matchers: {job: jobs}}
objectives:
  - {name: availability, target: 99.9%, indicator: {availability: {}}}
"""


@pytest.fixture(scope="module")
def shop(stand: Stand, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return the status of each objective of the shop, by its name."""
    file = tmp_path_factory.mktemp("slo") / "shop.yaml"
    file.write_text(SHOP)
    status, told = _json(stand, file)
    assert status == 1
    return {each["objective"]: {**each, "at_s": told["at_s"]} for each in told["objectives"]}


def _json(stand: Stand, *files: Path) -> tuple[int, dict[str, Any]]:
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        status = main(["status", "--prometheus", stand.url, "--json", *map(str, files)])
    return status, json.loads(said.getvalue())


def test_the_events_of_a_long_window_are_all_counted(shop: dict[str, Any]) -> None:
    found = shop["availability"]

    assert found["total"] == pytest.approx(216_000, rel=0.03)  # up to five minutes are missing at its ends
    assert found["bad"] == pytest.approx(100)  # although their counter began with them
    assert found["verdict"] == "MET"
    assert found["budget_left"] == pytest.approx(1 - 100 / 216, rel=0.03)


def test_the_span_of_the_data_is_told_to_the_second(shop: dict[str, Any], stand: Stand) -> None:
    assert shop["availability"]["at_s"] - shop["availability"]["covered_s"] == pytest.approx(
        stand.began_s, abs=2
    )
    assert shop["last-hour"]["covered_s"] == 3_600


def test_slow_requests_and_failures_are_bad_for_a_latency(shop: dict[str, Any]) -> None:
    found = shop["speed"]

    assert found["bad"] == pytest.approx(2_160 + 100, rel=0.03)
    assert found["verdict"] == "VIOLATED"
    assert found["burn_rate"] == pytest.approx(10, rel=0.01)


def test_tiers_fire_whose_both_windows_burn_fast_enough(shop: dict[str, Any]) -> None:
    def fires(name: str) -> list[str]:
        return [each["name"] for each in shop[name]["tiers"] if each["fires"]]

    assert fires("speed") == ["page-slow", "ticket-fast", "ticket-slow"]  # it burns ten times too fast
    assert fires("last-hour") == []


def test_a_short_window_is_looked_at_in_one_piece(shop: dict[str, Any]) -> None:
    assert shop["last-hour"]["total"] == pytest.approx(36_000, rel=0.1)


@pytest.mark.parametrize(("name", "bad"), [("up", 0), ("share", None), ("own", 0)])
def test_other_indicators_have_a_verdict_too(shop: dict[str, Any], name: str, bad: float | None) -> None:
    assert shop[name]["verdict"] == "MET"
    assert shop[name]["bad"] == (None if bad is None else pytest.approx(bad))


def test_a_young_service_is_judged_by_the_data_there_are(stand: Stand, tmp_path: Path) -> None:
    (tmp_path / "jobs.yaml").write_text(JOBS)

    def told() -> dict[str, Any] | None:
        _, found = _json(stand, tmp_path / "jobs.yaml")
        (one,) = found["objectives"]
        return one if one["total"] else None

    assert eventually(lambda: _json(stand, tmp_path / "jobs.yaml")[1]["objectives"][0]["covered_s"] > 4)
    stand.jobs.serve(202, 500)
    met = eventually(told)
    assert met is not None
    assert (met["verdict"], met["bad"]) == ("MET", 0)
    assert met["covered_s"] < 600

    stand.jobs.serve(500, 50)
    violated = eventually(lambda: found if (found := told()) and found["bad"] else None)
    assert violated is not None
    assert (violated["verdict"], violated["bad"]) == ("VIOLATED", pytest.approx(50, rel=0.5))


def test_without_data_there_is_no_verdict_and_an_exit_status_of_its_own(stand: Stand, tmp_path: Path) -> None:
    (tmp_path / "none.yaml").write_text(JOBS.replace("job: jobs", "job: none"))

    status, told = _json(stand, tmp_path / "none.yaml")

    assert status == 3
    assert [each["verdict"] for each in told["objectives"]] == ["no data"]


def test_the_table_shows_the_same_for_people(
    stand: Stand, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "shop.yaml").write_text(SHOP)

    assert main(["status", "--prometheus", stand.url, str(tmp_path / "shop.yaml")]) == 1

    shown = capsys.readouterr().out
    assert shown.startswith(f"By {stand.url}")
    for part in ("availability", "MET", "VIOLATED", "of 30d", "FIRES", "page-slow 6× 6h/30m: 10"):
        assert part in shown


def test_a_query_that_the_prometheus_refuses_is_told_with_its_line(
    stand: Stand, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text(
        "service: shop\nwindow: 30d\nobjectives:\n  - name: own\n    target: 99%\n"
        "    indicator: {error_ratio: {query: 'ts_of_max_over_time(up[{{window}}])'}}\n"
    )

    assert main(["status", "--prometheus", stand.url, str(file)]) == 2
    assert capsys.readouterr().err.startswith(
        f"{file}:4:1: the Prometheus at {stand.url} refuses 'own': invalid parameter "
    )


def test_a_query_that_cannot_be_answered_leaves_its_objective_open_and_the_others_judged(
    stand: Stand, tmp_path: Path
) -> None:
    both = "http_server_request_duration_seconds_bucket{job='shop'}"
    (tmp_path / "shop.yaml").write_text(
        "service: shop\nwindow: 30d\nmetrics: {matchers: {job: shop}}\nobjectives:\n"
        "  - {name: availability, target: 99%, indicator: {availability: {}}}\n"
        "  - name: own\n    target: 99%\n    indicator:\n      error_ratio:\n"
        f'        query: "sum({both} * on (job) {both}) + 0 * sum(increase({both}[{{{{window}}}}]))"\n'
    )

    status, told = _json(stand, tmp_path / "shop.yaml")

    assert status == 3
    assert [each["verdict"] for each in told["objectives"]] == ["MET", "no data"]
    assert told["objectives"][1]["reason"].startswith("found duplicate series for the match group ")
