from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from sloproof.analysis.comparison.outcome import Kind, Margin, Relation
from sloproof.analysis.results import exit_status, to_json
from sloproof.analysis.verdicts import Verdict
from sloproof.experiment.record import Stop
from sloproof.experiment.runfolder import ReplayFacts, RunFolderError
from sloproof.experiment.summary import summarise
from sloproof.report.page import page
from tests.invention import InventedTrial, facts

if TYPE_CHECKING:
    from sloproof.analysis.results import ObjectiveResult, Results
    from tests.invention import Invention

UVICORN = "uvicorn-1"


def verdict(results: Results, configuration: str, objective: str) -> ObjectiveResult:
    cell = next(each for each in results.configurations if each.id == configuration)
    return next(each for each in cell.objectives if each.name == objective)


def test_a_run_in_which_all_went_well_meets_every_objective(invention: Invention) -> None:
    invention.fill()

    results = summarise(invention.folder)

    assert results.complete
    assert set(results.verdicts()) == {Verdict.MET}
    assert len(results.verdicts()) == 4 * 5
    assert exit_status(results) == 0


def test_slow_requests_violate_their_objective_and_the_server_that_did_not_see_them_is_blind(
    invention: Invention,
) -> None:
    invention.fill(uvicorn_1=InventedTrial(configuration=UVICORN, slow=30))

    results = summarise(invention.folder)

    assert verdict(results, UVICORN, "submit-latency").verdict is Verdict.VIOLATED
    assert "blind spot" in (verdict(results, UVICORN, "submit-latency").finding or "")
    assert verdict(results, "uvicorn-4", "submit-latency").verdict is Verdict.MET
    assert verdict(results, "uvicorn-4", "submit-latency").finding is None
    assert exit_status(results) == 1


def test_five_blocks_are_too_few_to_conclude(invention: Invention) -> None:
    for block in range(1, 6):
        for each in invention.configurations:
            invention.add(InventedTrial(configuration=each.id, block=block))

    results = summarise(invention.folder)

    assert not results.complete
    assert verdict(results, UVICORN, "availability").verdict is Verdict.INCONCLUSIVE
    assert verdict(results, UVICORN, "availability").more_trials == 1
    assert verdict(results, UVICORN, "integrity").verdict is Verdict.MET
    assert exit_status(results) == 3


def test_invalid_trials_count_for_nothing_but_integrity(invention: Invention) -> None:
    invention.fill(
        uvicorn_1=InventedTrial(
            configuration=UVICORN,
            slow=1000,
            generator=facts(wait_ratio=0.5),
            stop=Stop(died_before=True, exit_status=1),
        )
    )

    results = summarise(invention.folder)
    cell = next(each for each in results.configurations if each.id == UVICORN)

    assert (cell.valid_trials, cell.invalid_trials) == (0, 6)
    assert verdict(results, UVICORN, "submit-latency").verdict is Verdict.INCONCLUSIVE
    assert verdict(results, UVICORN, "submit-latency").client is None
    assert verdict(results, UVICORN, "integrity").verdict is Verdict.VIOLATED
    assert cell.endpoints == ()
    assert exit_status(results) == 4


def test_percentiles_are_those_of_the_typical_trial_and_the_server_says_only_between_which_bounds(
    invention: Invention,
) -> None:
    invention.fill(uvicorn_1=InventedTrial(configuration=UVICORN, latency_s=0.2, server_latency_s=0.05))

    results = summarise(invention.folder)
    endpoint = next(each for each in results.configurations if each.id == UVICORN).endpoints[0]
    p99 = next(each for each in endpoint.percentiles if each.q == 0.99)

    assert endpoint.endpoint == "GET /jobs/{id}"
    assert endpoint.requests == 6000
    assert p99.typical_s is not None
    assert p99.typical_s.median == pytest.approx(0.2)
    assert p99.server_s == (0.0, 0.1)
    assert endpoint.curve[-1][1] == pytest.approx(0.2)


@pytest.mark.parametrize(("requests", "shown"), [(9_999, False), (10_000, True)], ids=["too few", "enough"])
def test_a_p99_9_is_there_where_trials_have_ten_thousand_requests_and_absent_elsewhere(
    invention: Invention, requests: int, *, shown: bool
) -> None:
    for block in range(1, 7):
        invention.add(InventedTrial(configuration=UVICORN, block=block, requests=requests))
        invention.add(InventedTrial(configuration="hypercorn-1", block=block))

    results = summarise(invention.folder)
    cells = {each.id: each for each in results.configurations}
    p99_9 = [each for each in cells[UVICORN].endpoints[0].percentiles if each.q == 0.999]
    html = page(results)

    assert [each.typical_s is not None for each in p99_9] == [True] * shown
    assert [each.q for each in cells["hypercorn-1"].endpoints[0].percentiles] == [0.5, 0.9, 0.99]
    assert ("client p99.9" in html) is shown
    head, *rows = html[html.index("Latency by endpoint") : html.index("Events by objective")].split("<tr>")[
        1:
    ]
    assert {row.count("<td") + row.count("<th>") for row in rows} == {head.count("<th")}


def test_every_two_configurations_are_compared_in_every_percentile_and_objective(
    invention: Invention,
) -> None:
    invention.fill(hypercorn_4=InventedTrial(configuration="", latency_s=0.032, slow=30))

    compared = summarise(invention.folder).comparisons

    assert len(compared) == 6 * (9 + 4 + 1)
    found = {(each.baseline, each.current, each.metric.name): each for each in compared}
    slower = found["uvicorn-4", "hypercorn-4", "submit p90"]
    assert slower.effect
    assert slower.effect.estimate == pytest.approx(1.6)
    assert (slower.relation, slower.trials, slower.family) == (Relation.SLOWER, 6, 6)
    assert found["uvicorn-1", "hypercorn-4", "submit-latency bad events"].relation is Relation.WORSE
    assert found["uvicorn-1", "uvicorn-4", "completion p99"].relation is Relation.EQUIVALENT
    assert found["uvicorn-1", "hypercorn-1", "integrity"].relation is Relation.EQUIVALENT


def test_the_margin_is_that_of_the_experiment(invention: Invention) -> None:
    invention.fill(hypercorn_4=InventedTrial(configuration="", latency_s=0.032))
    with invention.folder.experiment.open("a") as file:
        file.write("compare: {margin: 70%}\n")

    results = summarise(invention.folder)

    assert results.plan.margin == Margin(latency_ratio=0.7, budget_ratio=0.25)
    assert {each.relation for each in results.comparisons if each.metric.kind is Kind.LATENCY} == {
        Relation.EQUIVALENT
    }


def test_a_trial_says_its_percentiles_and_none_that_it_has_too_few_requests_for(invention: Invention) -> None:
    invention.fill()

    (first, *_) = summarise(invention.folder).trials

    assert [(each.about, each.q) for each in first.percentiles] == [
        (about, q) for about in ("GET /jobs/{id}", "POST /jobs", "job_completed") for q in (0.5, 0.9, 0.99)
    ]
    assert first.percentiles[5].value_s == pytest.approx(0.02)


def test_results_are_json_that_names_its_schema(invention: Invention) -> None:
    invention.fill()

    data = json.loads(to_json(summarise(invention.folder)))

    assert data["schema"] == "sloproof.results/1"
    assert data["objectives"][0]["target"] == "0.99"
    assert data["configurations"][0]["objectives"][0]["verdict"] == "MET"
    assert len(data["trials"]) == 24
    assert data["complete"] is True
    assert data["trials"][0]["valid"] is True


@pytest.mark.parametrize(
    ("indicator", "reason"),
    [
        pytest.param(
            "{latency: {method: PUT, route: /jobs, threshold: 250ms}}",
            "the traffic has no request named PUT /jobs",
            id="a route that nobody asks for",
        ),
        pytest.param(
            "{latency: {event: cart_paid, histogram: cart_seconds, threshold: 2s}}",
            "clients cannot see the event 'cart_paid'",
            id="an event of the subject's own",
        ),
        pytest.param(
            "{ratio: {good: 'a[{{window}}]', total: 'b[{{window}}]'}}",
            "only a Prometheus can evaluate",
            id="PromQL",
        ),
    ],
)
def test_what_clients_cannot_see_is_inconclusive_and_no_further_trial_is_promised(
    invention: Invention, indicator: str, reason: str
) -> None:
    invention.fill()
    invention.folder.definition.write_text(
        "service: jobs\nwindow: 30d\nobjectives:\n"
        f"  - {{name: unseen, description: A promise., target: 99%, indicator: {indicator}}}\n"
    )

    unseen = verdict(summarise(invention.folder), UVICORN, "unseen")

    assert unseen.verdict is Verdict.INCONCLUSIVE
    assert reason in unseen.reason
    assert unseen.more_trials is None


def test_a_run_whose_trial_lost_a_file_is_named(invention: Invention) -> None:
    invention.fill()
    (invention.folder.trial("b01-uvicorn-1").path / "samples.parquet").unlink()

    with pytest.raises(
        RunFolderError, match=r"the data of a trial are missing or broken: .*samples\.parquet"
    ):
        summarise(invention.folder)


def test_a_run_without_trials_is_no_measurement(invention: Invention) -> None:
    assert exit_status(summarise(invention.folder)) == 4


def test_a_replay_is_reported_as_it_was_planned_without_its_recording(invention: Invention) -> None:
    text = invention.folder.experiment.read_text()
    replay = text.replace("arrival: poisson\n", "shape: {replay: {file: gone.txt, speed: 2}}\n")
    assert replay != text
    invention.folder.experiment.write_text(replay)
    planned = ReplayFacts(requests=2_000, load_s=6.5)
    invention.folder.write_facts(replace(invention.folder.facts(), replays={"load": planned}))
    invention.add(InventedTrial(configuration=UVICORN))

    traffic = summarise(invention.folder).plan.traffic

    assert (traffic.arrival, traffic.requests, traffic.load_s) == ("recorded", 2_000, 6.5)
    assert traffic.shape == "replay of gone.txt at 2 × its speed"
