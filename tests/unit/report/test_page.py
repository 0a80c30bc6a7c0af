from __future__ import annotations

import dataclasses
import json
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from sloproof.experiment.summary import summarise
from sloproof.report.page import headline, page
from tests.invention import InventedTrial, facts

if TYPE_CHECKING:
    from sloproof.analysis.results import Results
    from tests.invention import Invention

HOSTILE = """<script>alert("x")</script> & 'quotes' \N{PILE OF POO} </title>""" + "y" * 200


class Text(HTMLParser):
    """The text that a reader sees, and the places a page would fetch from."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.fetched: list[str] = []
        self.scripts = 0
        self._hidden = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in {"script", "style"}
        self.scripts += tag == "script"
        self.fetched += [value or "" for name, value in attrs if name in {"src", "href"}]

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in {"script", "style"}

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.seen.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.seen))


@pytest.fixture
def results(invention: Invention) -> Results:
    invention.fill(uvicorn_1=InventedTrial(configuration="uvicorn-1", slow=30))
    return summarise(invention.folder)


def test_the_page_says_every_verdict_and_fetches_nothing(results: Results) -> None:
    seen = Text(page(results))

    assert seen.fetched == []
    assert seen.text.count("MET") >= 18
    assert "✗ VIOLATED" in seen.text
    assert "97.0 %" in seen.text
    assert "99 % within 250 ms" in seen.text
    assert "blind spot" in seen.text
    assert "970" not in seen.text  # counts are of all trials together
    assert "5,820 of 6,000" in seen.text


def test_every_chart_has_a_place_a_threshold_and_a_curve_for_each_configuration(results: Results) -> None:
    html = page(results)
    data = re.search(r'<script type="application/json" id="charts">(.*?)</script>', html, re.DOTALL)
    assert data is not None
    charts = json.loads(data[1])

    assert [chart["threshold_ms"] for chart in charts] == [100.0, 250.0, 2000.0]
    for chart in charts:
        assert f'id="{chart["id"]}"' in html
        assert [series["name"] for series in chart["series"]] == [each.id for each in results.configurations]
        assert all(len(series["points"]) > 10 for series in chart["series"])
        assert all(series["points"] == sorted(series["points"]) for series in chart["series"])


def test_hostile_names_are_shown_as_text(results: Results) -> None:
    plain = Text(page(results)).scripts

    html = page(dataclasses.replace(results, experiment=HOSTILE, description=HOSTILE, service=HOSTILE))
    seen = Text(html)

    assert seen.scripts == plain
    assert "<script>alert" not in html
    assert HOSTILE[:60] in seen.text


@pytest.mark.parametrize(
    ("trials", "sentence"),
    [
        pytest.param({}, "All 4 configurations meet every objective.", id="all met"),
        pytest.param(
            {"uvicorn_1": InventedTrial(configuration="", slow=30)},
            "Uvicorn-4, hypercorn-1 and hypercorn-4 meet every objective; uvicorn-1 violates at least one.",
            id="one violated",
        ),
        pytest.param(
            {"uvicorn_1": InventedTrial(configuration="", generator=facts(wait_ratio=1.0))},
            "Uvicorn-4, hypercorn-1 and hypercorn-4 meet every objective; uvicorn-1 is undecided.",
            id="one undecided",
        ),
    ],
)
def test_the_headline_answers_the_question(
    invention: Invention, trials: dict[str, InventedTrial], sentence: str
) -> None:
    invention.fill(**trials)

    assert headline(summarise(invention.folder)) == sentence


def test_a_run_without_a_valid_trial_says_so_and_still_makes_a_page(invention: Invention) -> None:
    assert headline(summarise(invention.folder)) == "No valid measurement: nothing can be said."
    assert "0 valid trials of 24 planned, run not finished" in Text(page(summarise(invention.folder))).text


def test_invalid_trials_are_shown_with_their_reason(invention: Invention) -> None:
    invention.fill(hypercorn_4=InventedTrial(configuration="", generator=facts(dispatch_lag_p99_s=0.4)))

    seen = Text(page(summarise(invention.folder))).text

    assert "6 of 24 trials were invalid and count for integrity alone" in seen
    assert "p99 of the dispatch lag is 400.0 ms" in seen
