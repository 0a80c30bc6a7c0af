"""What people and programs read of a search: the same, in every report."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from jsonschema import Draft202012Validator

from sloproof.analysis.results import to_json
from sloproof.experiment.summary import summarise
from sloproof.report.documents import documents
from sloproof.report.junit import junit
from sloproof.report.markdown import markdown
from sloproof.report.page import page
from sloproof.report.schema import results_schema
from sloproof.report.spreadsheet import summary_csv
from tests.invention import HOSTILE, renamed, reported
from tests.searched import search

if TYPE_CHECKING:
    from sloproof.analysis.capacity.result import Capacity
    from sloproof.analysis.results import Results
    from sloproof.experiment.runfolder import RunFolder


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """Return a search that has ended; nothing may change it."""
    return search(tmp_path_factory.mktemp("searched"))


@pytest.fixture(scope="module")
def results(run: RunFolder) -> Results:
    return summarise(run)


@pytest.fixture
def capacity(results: Results) -> Capacity:
    return results.capacities[0]


def charts(html: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(html.partition('id="charts">')[2].partition("</script>")[0])[
        "charts"
    ]
    assert all(html.count(f'id="{chart["id"]}"') == 1 for chart in found)
    return found


def test_the_page_begins_with_the_capacity_and_draws_every_endpoint_over_the_rate(
    results: Results, capacity: Capacity
) -> None:
    html = page(results)
    heading = re.search(r"<h1>(.*?)</h1>", html)

    assert heading is not None
    assert heading[1] == f"uvicorn-1: {capacity.sentence.partition(';')[0]}."
    assert html.count(f"<b>{capacity.sentence}.</b>") == 1
    found = charts(html)
    assert [chart["title"] for chart in found] == [
        "GET /jobs/{id} · 99 % within 100 ms",
        "POST /jobs · 99 % within 250 ms",
        "job_completed · 99 % within 2 s",
    ]
    reads = found[0]
    assert reads["kind"] == "capacity"
    assert reads["threshold_ms"] == 100
    assert len(reads["rates"]) == len(reads["met"]) == len(reads["target"]) == len(reads["cpu"])
    assert len(reads["rates"]) == len(results.trials)
    assert reads["rates"] == sorted(reads["rates"])
    for met, latency_ms in zip(reads["met"], reads["target"], strict=True):
        assert met is (latency_ms <= 100)
    assert (reads["at_least"], reads["estimate"]) == (capacity.at_least_per_s, capacity.estimate_per_s)


def test_the_fit_is_drawn_through_its_estimate_and_the_knee_is_marked(results: Results) -> None:
    reads = charts(page(results))[0]
    below = [latency_ms for rate, latency_ms in reads["fit"] if rate <= reads["estimate"]]
    above = [latency_ms for rate, latency_ms in reads["fit"] if rate >= reads["estimate"]]

    assert below
    assert above
    assert max(below) <= 100.1
    assert min(above) >= 99.9
    assert reads["knee"] in reads["rates"]


def test_every_trial_stands_in_the_table_of_its_configuration(results: Results) -> None:
    html = page(results)

    for trial in results.trials:
        assert html.count(f'<td><a href="trials/{trial.folder}/trial.html">') == 1


def test_the_comment_says_the_sentence_of_every_configuration_in_sixty_lines(
    results: Results, capacity: Capacity
) -> None:
    lines = markdown(results).splitlines()

    assert lines[0].startswith("### ✓ uvicorn-1: ≥ 4")
    assert f"- **uvicorn-1**: {capacity.sentence}".replace("_", r"\_") in lines
    many = replace(
        results,
        configurations=results.configurations * 200,
        capacities=results.capacities * 200,
    )
    assert len(markdown(many).splitlines()) <= 60
    assert "100 to 1600 requests/s (poisson arrivals" in lines[-3]


def test_other_readers_see_it_as_an_objective(results: Results, capacity: Capacity) -> None:
    suite = ET.fromstring(junit(results))[0]  # noqa: S314 - our own
    rows = list(csv.DictReader(summary_csv(results).splitlines()))

    assert [case.get("name") for case in suite.iter("testcase")] == ["capacity at SLO", "integrity"]
    assert capacity.sentence in (suite.findtext("testcase/system-out") or "")
    assert [(row["objective"], row["verdict"]) for row in rows] == [
        ("capacity at SLO", "MET"),
        ("integrity", "MET"),
    ]
    assert rows[0]["reason"] == capacity.sentence


def test_results_are_of_their_schema_and_hold_the_curve(results: Results) -> None:
    written = json.loads(to_json(results))

    assert list(Draft202012Validator(json.loads(results_schema())).iter_errors(written)) == []
    assert written["plan"]["search"] == {
        "from_per_s": 100,
        "to_per_s": 1600,
        "at_least_per_s": None,
        "budget_s": 1440,
        "trials": 3,
    }
    assert [point["rate_per_s"] for point in written["capacities"][0]["points"]] == [
        trial["rate_per_s"] for trial in written["trials"]
    ]


def test_every_document_can_be_made(run: RunFolder, results: Results) -> None:
    made = dict(documents(*reported(run)))

    assert len(made) > len(results.trials)
    assert all(text for name, text in made.items() if name != "assets/uplot.css")


def test_a_search_that_has_only_begun_has_its_reports(tmp_path_factory: pytest.TempPathFactory) -> None:
    for trials in (0, 1, 4):
        results = summarise(search(tmp_path_factory.mktemp("begun"), most_trials=trials))
        assert "the search has not ended" in page(results)
        assert junit(results)
        assert markdown(results).startswith("### ? No ")


def test_hostile_names_are_shown_as_text(results: Results) -> None:
    wicked = renamed(results)
    names = [each.id for each in wicked.configurations]
    wicked = replace(
        wicked,
        capacities=tuple(
            replace(each, configuration=name, sentence=" ".join(HOSTILE))
            for each, name in zip(wicked.capacities, names, strict=True)
        ),
    )
    html = page(wicked)

    assert html.count("</script>") == page(results).count("</script>")
    assert "<img src=x" not in html
    assert set(re.findall(r"<\w+|</\w+|<!", markdown(wicked))) == set()
