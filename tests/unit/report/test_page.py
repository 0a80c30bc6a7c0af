from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from math import inf
from typing import TYPE_CHECKING, Any

import pytest

from sloproof.experiment.record import Stop
from sloproof.experiment.summary import summarise
from sloproof.load.workers import WorkerFacts
from sloproof.report.page import page, trial_page
from sloproof.report.text import straight
from tests.invention import HOSTILE, InventedTrial, facts, renamed

if TYPE_CHECKING:
    from sloproof.analysis.results import Results
    from tests.invention import Invention


class Text(HTMLParser):
    """The text that a reader sees, and the places a page would fetch from."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.fetched: list[str] = []
        self.links: list[str] = []
        self.handlers: list[str] = []
        self.scripts = 0
        self._hidden = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in {"script", "style"}
        self.scripts += tag == "script"
        names = {"src"} if tag == "a" else {"src", "href"}
        self.fetched += [value or "" for name, value in attrs if name in names]
        self.links += [value or "" for name, value in attrs if tag == "a" and name == "href"]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in {"script", "style"}

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.seen.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.seen))


def test_the_page_says_every_verdict_and_fetches_nothing(results: Results) -> None:
    seen = Text(page(results))

    assert seen.fetched == []
    assert seen.handlers == []
    assert seen.text.count("MET") >= 18
    assert "✗ VIOLATED" in seen.text
    assert "97.0 %" in seen.text
    assert "99 % within 250 ms" in seen.text
    assert "blind spot" in seen.text
    assert "970" not in seen.text  # counts are of all trials together
    assert "5,820 of 6,000" in seen.text


def charts(html: str) -> list[dict[str, Any]]:
    data = re.search(r'<script type="application/json" id="charts">(.*?)</script>', html, re.DOTALL)
    assert data is not None
    found: list[dict[str, Any]] = json.loads(data[1])["charts"]
    assert all(html.count(f'id="{chart["id"]}"') == 1 for chart in found)
    return found


def test_every_percentile_chart_has_a_threshold_and_a_curve_for_each_configuration(results: Results) -> None:
    found = [chart for chart in charts(page(results)) if chart["kind"] == "percentiles"]

    assert [chart["threshold_ms"] for chart in found] == [100.0, 250.0, 2000.0]
    for chart in found:
        assert [series["name"] for series in chart["series"]] == [each.id for each in results.configurations]
        assert all(len(series["points"]) > 10 for series in chart["series"])
        assert all(series["points"] == sorted(series["points"]) for series in chart["series"])


def test_every_configuration_has_its_rates_and_latencies_over_time_on_the_same_axes(results: Results) -> None:
    found = [chart for chart in charts(page(results)) if chart["kind"] != "percentiles"]

    assert [chart["configuration"] for chart in found[::3]] == [each.id for each in results.configurations]
    assert [chart["kind"] for chart in found[:3]] == ["rate", "latency", "latency"]
    assert len({tuple(chart["range"]) for chart in found}) == 2
    rate, *latencies = found[:3]
    assert rate["title"] == "requests per second, no errors"
    assert sum(rate["lines"]["intended"]) * rate["bin_s"] == pytest.approx(2000, rel=1e-3)
    assert latencies[1]["lines"]["max"][0] == pytest.approx(1000)  # the slow ones come first


def test_errors_are_drawn_where_there_are_any(invention: Invention) -> None:
    invention.fill(uvicorn_1=InventedTrial(configuration="", statuses=dict.fromkeys(range(100), 503)))

    rate, other = (
        chart
        for chart in charts(page(summarise(invention.folder)))
        if chart["id"] in {"time-0-rate", "time-1-rate"}
    )

    assert rate["title"] == "requests per second, 600 errors"
    assert sum(rate["lines"]["errors"]) * rate["bin_s"] == pytest.approx(100, rel=1e-3)
    assert "errors" not in other["lines"]


def test_a_large_matrix_stays_small_and_draws_what_weighs_most(results: Results) -> None:
    violated, met, *_ = results.configurations
    many = (*(replace(met, id=f"fine-{n}") for n in range(199)), replace(violated, id="slow"))

    html = page(replace(results, configurations=many))

    assert len(html) < 3_000_000
    assert json.loads(html.partition('id="charts">')[2].partition("</script>")[0])["picked"] == [
        "slow",
        *(f"fine-{n}" for n in range(7)),
    ]
    assert html.index("<table") < html.index('id="picker"') < html.index('id="percentiles-0"')
    assert "of 200 configurations are drawn" in html


def test_hostile_names_are_shown_as_text(results: Results) -> None:
    plain = Text(page(results))

    html = page(renamed(results))
    seen = Text(html)

    assert seen.scripts == plain.scripts
    assert seen.handlers == seen.fetched == []
    assert html.count("</script>") == plain.scripts
    for name in HOSTILE:
        assert " ".join(straight(name).split()) in seen.text
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in seen.text  # it would turn round what follows it


def test_a_run_without_any_trial_still_makes_a_page(invention: Invention) -> None:
    assert "0 valid trials of 24 planned, run not finished" in Text(page(summarise(invention.folder))).text


def test_invalid_trials_are_shown_with_their_reason(invention: Invention) -> None:
    invention.fill(hypercorn_4=InventedTrial(configuration="", generator=facts(dispatch_lag_p99_s=0.4)))

    seen = Text(page(summarise(invention.folder))).text

    assert "6 of 24 trials were invalid and count for integrity alone" in seen
    assert "p99 of the dispatch lag is 400.0 ms" in seen


def test_comparisons_are_said_in_sentences_and_laid_out_in_a_table(invention: Invention) -> None:
    invention.fill(hypercorn_4=InventedTrial(configuration="", latency_s=0.032))

    html = page(summarise(invention.folder))
    seen = Text(html)

    assert "hypercorn-4 submit p99 is 1.60× uvicorn-4, 99 % interval 1.60–1.60: slower" in seen.text
    assert "84 comparisons: 18 slower, 60 equivalent, 6 inconclusive" in seen.text
    assert "All 84 comparisons" in seen.text
    assert "±5 % of the latency, ±25 % of the error budget" in seen.text
    assert html.index("<h2>Compared") < html.index("<h2>Latency")


def test_one_configuration_alone_is_compared_with_nothing(results: Results) -> None:
    assert "Compared" not in Text(page(replace(results, comparisons=()))).text


def test_every_trial_is_linked_by_a_relative_path(results: Results) -> None:
    assert Text(page(results)).links[-24:] == [
        f"trials/{trial.folder}/trial.html" for trial in results.trials
    ]


def test_the_page_of_a_trial_says_what_it_saw_and_shares_its_assets(results: Results) -> None:
    trial = next(each for each in results.trials if each.configuration == "uvicorn-1")

    html = trial_page(results, trial)
    seen = Text(html)

    assert "b01-uvicorn-1: a valid trial" in seen.text
    assert "970 of 1,000" in seen.text
    assert "1,000: 1,000 ended, 0 of them failed" in seen.text
    assert "dispatch lag p99 2.00 ms" in seen.text
    assert {path.rpartition("/")[0] for path in seen.fetched} == {"../../assets"}
    assert seen.links == ["../../report.html", *trial.files]
    assert [chart["kind"] for chart in charts(html)] == ["rate", "latency", "latency"]
    assert len(html) < 20_000


def test_the_page_of_an_invalid_trial_says_why_and_names_what_its_subject_broke(invention: Invention) -> None:
    invention.add(
        InventedTrial(
            configuration="uvicorn-1",
            generator=facts(dispatch_lag_p99_s=inf, cpu_ratio=None),
            stop=Stop(died_before=False, exit_status=None),
        )
    )
    results = summarise(invention.folder)

    seen = Text(trial_page(results, results.trials[0])).text

    assert "invalid, counts for integrity alone, integrity violated" in seen
    assert "Not believed : the generator was late" in seen
    assert "the subject did not end after SIGTERM" in seen
    assert "dispatch lag p99 never" in seen
    assert "exit status killed" in seen


def test_the_page_of_a_trial_shows_what_each_load_worker_did(invention: Invention) -> None:
    workers = tuple(
        WorkerFacts(
            worker=number,
            machine="builder",
            pid=70 + number,
            scheduled=1000,
            sent=1000,
            completed=1000,
            queued=0,
            dispatch_lag_p99_s=0.001 * number,
            cpu_ratio=0.2,
            wait_ratio=0.03,
            clock_error_s=0.0004,
        )
        for number in (1, 2)
    )
    invention.add(InventedTrial(configuration="uvicorn-1", generator=replace(facts(), workers=workers)))
    results = summarise(invention.folder)

    seen = Text(trial_page(results, results.trials[0])).text

    assert "Load worker 1 machine builder" in seen
    assert "Load worker 2" in seen
    assert "dispatch lag p99 2.00 ms" in seen
    assert "clock error 0.400 ms" in seen


def test_a_trial_in_which_nothing_was_meant_to_start_has_a_page_without_charts(results: Results) -> None:
    empty = replace(results.trials[0], timelines={}, files=(), requests_by_worker={}, subject_cpu_s=None)

    html = trial_page(results, empty)

    assert "No request was meant to start in the load phase." in Text(html).text
    assert charts(html) == []


def test_hostile_names_do_no_harm_on_the_page_of_a_trial(results: Results) -> None:
    wicked = renamed(results)

    html = trial_page(wicked, wicked.trials[0])
    seen = Text(html)

    assert html.count("</script>") == seen.scripts == 3
    assert seen.handlers == []
    assert " ".join(HOSTILE[1].split()) in seen.text
