from __future__ import annotations

import pytest

from sloproof.observe.scrape import Scrape, ScrapeError

TEXT = """\
# TYPE jobs_submitted_total counter
jobs_submitted_total{kind="sleep"} 3
jobs_submitted_total{kind="digest"} 4
# TYPE up gauge
up 1
"""


def test_a_total_adds_every_series_of_a_name() -> None:
    assert Scrape.parse(TEXT).total("jobs_submitted_total") == 7


@pytest.mark.parametrize(
    ("matchers", "expected"),
    [
        pytest.param({"kind": "sleep"}, 3, id="a value"),
        pytest.param({"kind": {"sleep", "digest"}.__contains__}, 7, id="a predicate"),
        pytest.param({"kind": "none"}, 0, id="no series"),
        pytest.param({"colour": ""}, 7, id="a label that is absent is empty"),
        pytest.param({"kind": "sleep", "colour": "red"}, 0, id="all matchers must match"),
    ],
)
def test_a_total_takes_the_series_whose_labels_match(matchers: dict[str, str], expected: float) -> None:
    assert Scrape.parse(TEXT).total("jobs_submitted_total", **matchers) == expected


def test_a_gain_is_the_difference_of_each_series_and_a_new_series_counts_from_zero() -> None:
    before = Scrape.parse('jobs_submitted_total{kind="sleep"} 1\n')

    gain = Scrape.parse(TEXT).since(before)

    assert gain.total("jobs_submitted_total", kind="sleep") == 2
    assert gain.total("jobs_submitted_total", kind="digest") == 4


def test_a_name_is_known_only_if_a_series_has_it() -> None:
    scrape = Scrape.parse(TEXT)

    assert scrape.has("up")
    assert not scrape.has("down")


@pytest.mark.parametrize(
    "text", ["<html>not metrics</html>\n", 'x{a="1" 2\n'], ids=["a page", "half a series"]
)
def test_text_of_another_kind_is_refused(text: str) -> None:
    with pytest.raises(ScrapeError, match="not in the Prometheus text format"):
        Scrape.parse(text)
