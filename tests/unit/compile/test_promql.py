"""Indicators are counted by the right series, whatever their labels and bounds look like."""

from __future__ import annotations

import doctest
import re
from decimal import Decimal
from importlib import import_module

import promql_parser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloproof.compile import promql
from sloproof.compile.proofs.derivation import selectors
from sloproof.slo.definition import (
    Availability,
    ErrorRatio,
    EventLatency,
    Indicator,
    Latency,
    Metrics,
    Ratio,
    Up,
)
from sloproof.slo.fileformat import WINDOW_PLACEHOLDER

METRICS = Metrics(requests="request_seconds", matchers={"job": "shop"})
LATENCY = Latency(method="POST", route="/orders", threshold_s=Decimal("0.250"))
KINDS: list[object] = [
    pytest.param(LATENCY, id="latency"),
    pytest.param(EventLatency(event="sent", histogram="order_seconds", threshold_s=Decimal(2)), id="event"),
    pytest.param(Availability(), id="availability of all"),
    pytest.param(Availability(method="GET", route='/a"b\\c'), id="availability of an odd route"),
    pytest.param(Ratio(bad="rate(lost[{{window}}])", total="rate(sent[{{window}}])"), id="ratio"),
    pytest.param(ErrorRatio("1 - avg_over_time(x[{{window}}])"), id="error ratio"),
    pytest.param(Up(metric="up", matchers={"env": "prod"}), id="up"),
]
WITH_EXAMPLES = ["promql", "rules", "conventions", "selectors"] + [
    f"proofs.{name}" for name in ("case", "derivation", "traffic")
]
LABELS = {"job": "shop", "http_request_method": "POST", "http_route": "/orders"}


@pytest.mark.parametrize(
    "module",
    WITH_EXAMPLES,
)
def test_the_examples_of_a_module_are_true(module: str) -> None:
    outcome = doctest.testmod(import_module(f"sloproof.compile.{module}"))

    assert not outcome.failed


@pytest.mark.parametrize("native", [False, True], ids=["classic", "native"])
@pytest.mark.parametrize("indicator", KINDS)
def test_every_indicator_is_promql(indicator: Indicator, *, native: bool) -> None:
    metrics = Metrics(requests="request_seconds", matchers={"job": "shop"}, native=native)

    assert str(promql_parser.parse(promql.error_ratio(indicator, metrics, 5_400)))


@pytest.mark.parametrize(
    ("labels", "good"),
    [
        pytest.param({"le": "0.25", "http_response_status_code": "202"}, True, id="in time"),
        pytest.param({"le": "0.25", "http_response_status_code": "404"}, True, id="the client's mistake"),
        pytest.param({"le": "0.5", "http_response_status_code": "202"}, False, id="a later bucket"),
        pytest.param({"le": "0.25", "http_response_status_code": "503"}, False, id="failed in time"),
        pytest.param({"le": "0.25", "http_response_status_code": "429"}, False, id="refused in time"),
    ],
)
def test_a_good_request_is_in_the_bucket_and_was_served(labels: dict[str, str], *, good: bool) -> None:
    found = promql.events(LATENCY, METRICS, 300)
    assert found is not None
    read = selectors(found.good or "")[0]

    assert read.selects("request_seconds_bucket", {**LABELS, **labels}) is good


@pytest.mark.parametrize(
    ("status", "bad"),
    [
        pytest.param("500", True, id="failed"),
        pytest.param("599", True, id="of any number"),
        pytest.param("429", True, id="refused"),
        pytest.param("404", False, id="the client's mistake"),
        pytest.param("200", False, id="served"),
        pytest.param("5000", False, id="no status at all"),
    ],
)
def test_a_bad_request_was_not_served(status: str, *, bad: bool) -> None:
    found = promql.events(Availability(), METRICS, 300)
    assert found is not None
    read = selectors(found.bad or "")[0]

    assert read.selects("request_seconds_count", {**LABELS, "http_response_status_code": status}) is bad


@given(threshold_s=st.decimals(min_value="0.000001", max_value="100000000", places=6))
def test_a_bound_is_matched_in_every_spelling_and_no_other_bound_is(threshold_s: Decimal) -> None:
    name, operator, pattern = re.fullmatch(r'(le)(=~?)"(.*)"', promql.bound(threshold_s)).groups()  # type: ignore[union-attr]
    pattern = pattern.replace("\\\\", "\\")

    def matches(text: str) -> bool:
        return bool(re.fullmatch(pattern, text)) if operator == "=~" else text == pattern

    assert name == "le"
    assert all(matches(each) for each in promql.spellings(threshold_s))
    assert all(Decimal(each) == threshold_s for each in promql.spellings(threshold_s))
    assert not any(matches(each) for each in promql.spellings(threshold_s * 10))
    assert not matches(f"{threshold_s.normalize():f}1")


@given(text=st.text().filter(lambda text: WINDOW_PLACEHOLDER not in text))
def test_a_label_of_any_value_is_read_back_as_it_is(text: str) -> None:
    read = selectors(f"x{promql.matchers({'route': text})}")[0]

    assert read.selects("x", {"route": text})


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param("sum(rate(x[{{window}}]))", "sum(sum(rate(x[5m]))) * 300", id="per second"),
        pytest.param("sum(increase(x[{{window}}]))", "sum(sum(increase(x[5m])))", id="per window"),
        pytest.param("irate (x[{{window}}])", "sum(irate (x[5m])) * 300", id="with a space"),
        pytest.param("my_rate + x", "sum(my_rate + x)", id="a name that ends like it"),
    ],
)
def test_queries_are_events_per_window(query: str, expected: str) -> None:
    found = promql.events(Ratio(bad=query, total=query), METRICS, 300)

    assert found is not None
    assert found.total == expected
    assert found.bad == expected
