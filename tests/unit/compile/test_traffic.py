"""Made-up metrics show the traffic that was asked for, to every indicator."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloproof.compile import promql
from sloproof.compile.proofs.derivation import error_ratio, exact, selectors
from sloproof.compile.proofs.traffic import NotProvableError, Phase, Series, counter, neighbours, traffic
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

METRICS = Metrics(requests="request_seconds", matchers={"job": "shop"})
PHASES = [Phase(steps=3, requests=100), Phase(steps=2, requests=100, errors=0.31)]
BAD, ALL = 62, 500
COUNTED: list[object] = [
    pytest.param(Latency(method="POST", route="/a", threshold_s=Decimal("0.25")), id="latency"),
    pytest.param(EventLatency(event="sent", histogram="h", threshold_s=Decimal(2)), id="event"),
    pytest.param(Availability(), id="availability"),
    pytest.param(Availability(method="GET", route="/a"), id="availability of a route"),
    pytest.param(
        Ratio(bad='rate(x{ok="0",a="b"}[{{window}}])', total='rate(x{a="b"}[{{window}}])'),
        id="bad ones of a counter",
    ),
    pytest.param(
        Ratio(good="sum(increase(good[{{window}}]))", total="sum(increase(x[{{window}}]))"),
        id="good ones of another counter",
    ),
]


def grown(series: Series, query: str) -> int:
    """Return by how much the series that the first selector of a query reads grow altogether."""
    read = selectors(query)[0]
    shown = {name: selectors(name)[0] for name in series}
    return sum(
        values(series[name])[-1] for name, of in shown.items() if read.selects(of.metric or "", exact(of))
    )


def values(text: str) -> list[int]:
    """Return the samples that promtool makes of its notation for a counter that is never missing."""
    samples: list[int] = []
    for part in text.split():
        found = re.fullmatch(r"(\d+)(?:\+(\d+))?(?:x(\d+))?", part)
        assert found
        first, growth, times = int(found[1]), int(found[2] or 0), int(found[3] or 0)
        samples += [first + growth * index for index in range(times + 1)]
    return samples


@pytest.mark.parametrize("indicator", COUNTED)
def test_every_request_is_counted_and_every_bad_one_is(indicator: Indicator) -> None:
    found = promql.events(indicator, METRICS, 300)
    assert found is not None
    series = traffic(indicator, METRICS, PHASES)

    assert grown(series, found.total) == ALL
    if found.bad:
        assert grown(series, found.bad) == BAD
    if found.good:
        assert grown(series, found.good) == ALL - BAD


@pytest.mark.parametrize("indicator", COUNTED)
def test_neighbours_are_none_of_an_indicators_own(indicator: Indicator) -> None:
    found = promql.events(indicator, METRICS, 300)
    assert found is not None
    near = neighbours(indicator, METRICS, PHASES)

    assert not near or grown(near, found.total) == 0
    assert bool(near) is not isinstance(indicator, Ratio)


@given(
    runs=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 50)), min_size=1).filter(
        lambda r: sum(s for s, _ in r)
    )
)
def test_a_counter_grows_as_it_was_told(runs: list[tuple[int, int]]) -> None:
    expected = [7]
    for steps, growth in runs:
        for _ in range(steps):
            expected.append(expected[-1] + growth)

    assert values(counter(runs, start=7)) == expected


def test_a_latency_can_be_bad_without_a_failure() -> None:
    latency = Latency(method="POST", route="/a", threshold_s=Decimal("0.25"))
    series = traffic(latency, METRICS, PHASES, slow=True)
    available = promql.events(Availability(), METRICS, 300)

    assert available is not None
    assert grown(series, available.total) == ALL
    assert grown(series, available.bad or "") == 0


def test_a_gauge_is_down_on_as_many_instances_as_it_takes() -> None:
    series = traffic(
        Up(metric="up", matchers={}),
        METRICS,
        [Phase(steps=2, requests=4), Phase(steps=3, requests=4, errors=0.375)],
    )

    assert list(series.values()) == ["1x2 0x2", "1x2 0.5x2", "1x2 1x2", "1x2 1x2"]


def test_an_average_is_what_is_left_of_one() -> None:
    series = traffic(ErrorRatio("1 - avg_over_time(x{a='b'}[{{window}}])"), METRICS, PHASES)

    assert series == {'x{a="b"}': "1x3 0.69x1"}


@pytest.mark.parametrize(
    ("indicator", "why"),
    [
        pytest.param(
            Ratio(bad='rate(x{code=~"5.."}[{{window}}])', total="rate(x[{{window}}])"),
            "only exact values",
            id="a pattern",
        ),
        pytest.param(
            Ratio(bad="rate(x[{{window}}])", total="rate(x[{{window}}])"), "no part of", id="all are bad"
        ),
        pytest.param(
            Ratio(bad='rate(x{a="1"}[{{window}}])', total='rate(x{b="2"}[{{window}}])'),
            "no part of",
            id="others than all",
        ),
        pytest.param(ErrorRatio("max_over_time(x[{{window}}])"), "neither a quotient", id="any query"),
    ],
)
def test_what_cannot_be_made_up_is_refused_with_a_reason(indicator: Indicator, why: str) -> None:
    with pytest.raises(NotProvableError, match=why):
        traffic(indicator, METRICS, PHASES)


def test_native_histograms_are_refused() -> None:
    native = Metrics(requests="request_seconds", native=True)

    with pytest.raises(NotProvableError, match="no native histograms"):
        traffic(Availability(), native, PHASES)


def test_a_fraction_tells_which_part_it_counts() -> None:
    assert error_ratio("rate(a[{{window}}]) / rate(b[{{window}}])").good is False
