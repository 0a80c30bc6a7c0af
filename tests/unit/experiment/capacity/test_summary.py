from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sloproof.analysis.capacity.limits import Limiter
from sloproof.analysis.capacity.search import Ending, Step
from sloproof.analysis.results import exit_status
from sloproof.analysis.verdicts import Verdict
from sloproof.experiment.summary import summarise
from tests.searched import search

if TYPE_CHECKING:
    from pathlib import Path

    from sloproof.analysis.results import Results


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Return the results of a search that has ended; nothing can change them."""
    return summarise(search(tmp_path_factory.mktemp("found")))


def test_a_search_that_has_ended_says_how_much_is_carried_and_why_no_more(found: Results) -> None:
    (capacity,) = found.capacities

    assert found.complete
    assert capacity.ending is Ending.FITTED
    assert capacity.binding == "read-latency"
    assert capacity.estimate_per_s == pytest.approx(490, rel=0.05)
    assert capacity.at_least_per_s is not None
    assert capacity.estimate_per_s is not None
    assert 400 <= capacity.at_least_per_s <= capacity.estimate_per_s
    estimate = f"{capacity.estimate_per_s:.0f}"
    assert capacity.sentence.startswith("≥ 4")
    assert f"(97.5 % one-sided), estimate {estimate}; read-latency is missed first; " in capacity.sentence
    assert capacity.trials == 15
    assert {point.step for point in capacity.points} == {Step.BRACKET, Step.FIT}
    assert exit_status(found) == 0


def test_the_curves_hold_the_fit_and_the_latency_that_decides(found: Results) -> None:
    (capacity,) = found.capacities
    curves = {each.endpoint: each for each in capacity.curves}
    reads = curves["GET /jobs/{id}"]

    assert reads.threshold_s == 0.1
    assert reads.intercept is not None
    assert reads.slope_s is not None
    at_the_estimate = 1 + reads.intercept + reads.slope_s * (capacity.estimate_per_s or 0)
    assert reads.threshold_s / at_the_estimate == pytest.approx(0.1)
    assert curves["job_completed"].objective == "completion"
    for point in capacity.points:
        p99 = point.latencies_s["GET /jobs/{id}"][1]
        assert point.at_target_s["GET /jobs/{id}"] == pytest.approx(p99)
        assert point.met is (p99 is not None and p99 <= 0.1)


@pytest.mark.parametrize(
    ("demanded", "verdict", "status"),
    [
        pytest.param("300/s", Verdict.MET, 0, id="less than the lower bound"),
        pytest.param("490/s", Verdict.INCONCLUSIVE, 3, id="about the estimate"),
        pytest.param("900/s", Verdict.VIOLATED, 1, id="more than the upper bound"),
    ],
)
def test_a_demand_is_a_verdict(tmp_path: Path, demanded: str, verdict: Verdict, status: int) -> None:
    results = summarise(search(tmp_path, at_least=demanded))

    assert results.capacities[0].verdict is verdict
    assert exit_status(results) == status


def test_what_the_generator_cannot_do_is_a_lower_bound(tmp_path: Path) -> None:
    results = summarise(search(tmp_path, valid_up_to_per_s=300))
    (capacity,) = results.capacities

    assert capacity.ending is Ending.GENERATOR
    assert capacity.estimate_per_s is None
    assert capacity.limit.by is Limiter.GENERATOR
    assert "limited by load generator: at " in capacity.sentence
    assert "the generator was starved" in capacity.sentence
    assert capacity.at_least_per_s is not None
    assert 200 <= capacity.at_least_per_s <= 300
    assert any(point.met is None for point in capacity.points)
    assert exit_status(results) == 0


def test_no_valid_measurement_at_all_is_told_as_such(tmp_path: Path) -> None:
    results = summarise(search(tmp_path, valid_up_to_per_s=10))

    assert results.capacities[0].ending is Ending.UNMEASURED
    assert results.capacities[0].sentence.startswith(
        "no valid measurement, not even at 100 requests/s: at 100"
    )
    assert exit_status(results) == 4


def test_a_search_that_has_not_ended_shows_what_it_has(tmp_path: Path) -> None:
    results = summarise(search(tmp_path, most_trials=4))

    assert not results.complete
    assert results.capacities[0].verdict is Verdict.INCONCLUSIVE
    assert results.capacities[0].sentence == (
        "nothing shown yet, the search has not ended: met at 400 requests/s"
    )
    assert exit_status(results) == 3


def test_a_run_without_a_trial_can_be_reported_on(tmp_path: Path) -> None:
    results = summarise(search(tmp_path, most_trials=0))

    assert results.capacities[0].sentence.endswith("no rate was judged")
    assert exit_status(results) == 4


def test_too_few_events_show_no_lower_bound_even_where_none_was_bad(tmp_path: Path) -> None:
    folder = search(tmp_path)
    text = folder.definition.read_text()
    folder.definition.write_text(text.replace("target: 99.9%", "target: 99.999%"))
    (capacity,) = summarise(folder).capacities

    assert capacity.at_least_per_s is None
    assert capacity.estimate_per_s is not None
    assert capacity.verdict is Verdict.INCONCLUSIVE
    assert capacity.sentence.startswith("no lower bound was shown, estimate ")
    assert capacity.sentence.endswith(
        "; availability had 30,000 events, and takes 299,572 to be shown: load longer"
    )
