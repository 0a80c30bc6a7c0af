"""What a query reads is known exactly, or it is said that it is not."""

from __future__ import annotations

import pytest

from sloproof.compile.proofs.derivation import (
    Average,
    Fraction,
    NotDerivableError,
    counter,
    error_ratio,
    exact,
    selectors,
)


def test_every_selector_of_a_query_is_found_once() -> None:
    query = 'sum(rate(a{x="1"}[{{window}}])) / (sum(b offset 5m) + sum(rate(a{x="1"}[{{window}}])))'

    assert [each.metric for each in selectors(query)] == ["a", "b"]


@pytest.mark.parametrize(
    ("selector", "labels", "selected"),
    [
        pytest.param('a{x="1"}', {"x": "1"}, True, id="equal"),
        pytest.param('a{x="1"}', {"x": "2"}, False, id="not equal"),
        pytest.param('a{x=""}', {}, True, id="empty and absent are one"),
        pytest.param('a{x!="1"}', {"x": "1"}, False, id="unequal"),
        pytest.param('a{x!="1"}', {}, True, id="absent is unequal"),
        pytest.param('a{x=~"1|2"}', {"x": "2"}, True, id="an alternative"),
        pytest.param('a{x=~"1|2"}', {"x": "22"}, False, id="matched as a whole"),
        pytest.param('a{x!~"5.."}', {"x": "503"}, False, id="excluded"),
        pytest.param('b{x="1"}', {"x": "1"}, False, id="another metric"),
    ],
)
def test_a_selector_selects_what_prometheus_would(
    selector: str, labels: dict[str, str], *, selected: bool
) -> None:
    assert selectors(selector)[0].selects("a", labels) is selected


@pytest.mark.parametrize(
    "query",
    [
        pytest.param("sum(rate(x[{{window}}]))", id="the sum of a rate"),
        pytest.param("(sum by (a) (increase(x[{{window}}])))", id="by label, in parentheses"),
        pytest.param("rate(x[{{window}}])", id="a rate alone"),
    ],
)
def test_a_query_that_adds_up_one_counter_is_that_counter(query: str) -> None:
    assert counter(query).metric == "x"


@pytest.mark.parametrize(
    "query",
    [
        pytest.param("sum(rate(x[{{window}}])) + sum(rate(y[{{window}}]))", id="two counters"),
        pytest.param("sum(rate(x[{{window}}] offset 1h))", id="an offset"),
        pytest.param("sum(rate(x[{{window}}] @ end()))", id="a moment"),
        pytest.param("sum(rate(x[5m]))", id="a window of its own"),
        pytest.param("sum(rate((x > 0)[{{window}}:1m]))", id="a subquery"),
        pytest.param("sum(rate(x))", id="no window"),
        pytest.param("max(rate(x[{{window}}]))", id="no sum"),
        pytest.param("sum(delta(x[{{window}}]))", id="no counter"),
        pytest.param("sum(rate(x[{{window}}])", id="no PromQL"),
        pytest.param('sum(rate({job="x"}[{{window}}]))', id="no metric"),
    ],
)
def test_a_query_that_is_anything_more_is_refused(query: str) -> None:
    with pytest.raises(NotDerivableError):
        counter(query)


@pytest.mark.parametrize("operator", ["!=", "=~", "!~"])
def test_only_exact_values_tell_what_a_series_looks_like(operator: str) -> None:
    with pytest.raises(NotDerivableError, match="only exact values"):
        exact(counter(f'sum(rate(x{{code{operator}"5.."}}[{{{{window}}}}]))'))


@pytest.mark.parametrize(
    ("query", "kind", "good"),
    [
        pytest.param("sum(rate(a[{{window}}])) / sum(rate(b[{{window}}]))", Fraction, False, id="bad"),
        pytest.param("1 - (sum(rate(a[{{window}}])) / sum(rate(b[{{window}}])))", Fraction, True, id="good"),
        pytest.param("1 - avg(avg_over_time(a[{{window}}]))", Average, True, id="a gauge that is good"),
        pytest.param("avg_over_time(a[{{window}}])", Average, False, id="a gauge that is bad"),
    ],
)
def test_an_error_ratio_is_a_quotient_or_an_average(query: str, kind: type, *, good: bool) -> None:
    found = error_ratio(query)

    assert isinstance(found, kind)
    assert found.good is good


@pytest.mark.parametrize(
    "query", ["a[{{window}}]", "2 - avg_over_time(a[{{window}}])", "max_over_time(a[{{window}}])"]
)
def test_any_other_error_ratio_is_refused(query: str) -> None:
    with pytest.raises(NotDerivableError, match="neither a quotient"):
        error_ratio(query)


@pytest.mark.parametrize(
    "range_",
    [
        pytest.param("rate(a[1m])[{{window}}:1m]", id="a subquery"),
        pytest.param("a[1h]", id="a window of its own"),
        pytest.param("a[{{window}}] offset 1h", id="an offset"),
    ],
)
def test_an_average_of_another_time_is_refused(range_: str) -> None:
    with pytest.raises(NotDerivableError, match="is not one metric over the last"):
        error_ratio(f"1 - avg_over_time({range_})")


@pytest.mark.parametrize("pattern", [r"\\pL+", "[[:digit:]]+", "a(?i)b"])
def test_a_pattern_that_python_reads_otherwise_is_refused(pattern: str) -> None:
    with pytest.raises(NotDerivableError, match="RE2"):
        selectors(f'x{{a=~"{pattern}"}}')
