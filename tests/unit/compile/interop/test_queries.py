"""Queries get a window wherever they need one, and nothing else of them changes."""
# ruff: noqa: E501 - a row of a table reads best on one line

from __future__ import annotations

import pytest

from sloproof.compile.interop import queries


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param("x", "increase(x[{{window}}])", id="a metric"),
        pytest.param("{a='b'}", "increase({a='b'}[{{window}}])", id="labels alone"),
        pytest.param('sum(x{a="}[("})', 'sum(increase(x{a="}[("}[{{window}}]))', id="brackets in a text"),
        pytest.param("sum(x) # of x\n+ sum(y)", "sum(increase(x[{{window}}])) # of x\n+ sum(increase(y[{{window}}]))", id="a comment"),
        pytest.param("sum without (a) (x)", "sum without (a) (increase(x[{{window}}]))", id="without"),
        pytest.param("sum(x) by (by)", "sum(increase(x[{{window}}])) by (by)", id="a label that is a word"),
        pytest.param("x * on (a) group_left y", "increase(x[{{window}}]) * on (a) group_left increase(y[{{window}}])", id="joined"),
        pytest.param("x unless y offset 5m", "increase(x[{{window}}]) unless increase(y[{{window}}] offset 5m)", id="unless"),
        pytest.param("x @ end()", "increase(x[{{window}}] @ end())", id="at a time"),
        pytest.param("count(x > bool 0.5e1)", "count(increase(x[{{window}}]) > bool 0.5e1)", id="numbers"),
        pytest.param("label_replace(x, 'a', '$1', 'b', '(.*)')", "label_replace(increase(x[{{window}}]), 'a', '$1', 'b', '(.*)')", id="texts"),
        pytest.param("job:x:sum", "increase(job:x:sum[{{window}}])", id="a recorded name"),
    ],
)  # fmt: skip
def test_every_selector_gets_the_window(query: str, expected: str) -> None:
    assert queries.over_window(query, "increase") == expected


@pytest.mark.parametrize(
    "query",
    [
        pytest.param("vector(1)", id="no series"),
        pytest.param("rate(x[5m])", id="a range already"),
        pytest.param("sum(rate(x[5m])) / y", id="a range beside a selector"),
        pytest.param("max_over_time(x[1h:5m])", id="a subquery"),
        pytest.param("x # until\n offset 5m", id="a comment where nobody writes one"),
        pytest.param("start + x", id="a metric named as a word of PromQL"),
    ],
)
def test_what_is_no_query_of_present_values_is_refused(query: str) -> None:
    assert queries.over_window(query, "increase") is None


@pytest.mark.parametrize(
    ("query", "single"),
    [
        ("sum(rate(x[{{window}}]))", True),
        ("sum(x) / sum(y)", True),
        ("sum(x) or vector(0)", True),
        ("clamp_min(1 - (sum(x) / 2), 0)", True),
        ("avg_over_time((max(x) > bool 2)[1h:1m])", True),
        ("-sum(x)", True),
        ("absent(x)", True),
        ("x", False),
        ("rate(x[5m])", False),
        ("sum by (a) (x)", False),
        ("sum without (a) (x)", False),
        ("topk(3, x)", False),
        ("count_values('v', x)", False),
        ("sum(x) or y", False),
        ("x and sum(y)", False),
    ],
)
def test_only_what_surely_gives_one_series_is_called_single(query: str, single: bool) -> None:
    assert queries.is_single(query) is single


def test_a_slice_is_put_where_the_window_or_any_range_is() -> None:
    assert queries.narrowed("rate(x[{{window}}] offset {{window}})", "2m") == "rate(x[2m] offset 2m)"
    assert queries.narrowed("rate(x[5m])", "2m") == "rate(x[2m])"
