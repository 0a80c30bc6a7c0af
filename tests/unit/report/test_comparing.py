"""Comparisons read as sentences."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from sloproof.analysis.comparison.outcome import Comparison, Design, Effect, Kind, Metric, Relation
from sloproof.report.comparing import estimate, interval, notable, pair, sentence, tally

SUBMIT = Metric(kind=Kind.LATENCY, name="submit p99", about="POST /jobs", q=0.99)
BAD = Metric(kind=Kind.ERRORS, name="availability bad events", about="availability")
SLOWER = Comparison(
    baseline="uvicorn-4",
    current="hypercorn-4",
    metric=SUBMIT,
    design=Design.BLOCKS,
    trials=6,
    effect=Effect(estimate=1.6, low=1.3, high=2.0, confidence_ratio=0.95),
    robust=None,
    p_value=0.001,
    p_holm=0.001,
    family=1,
    margin=0.05,
    relation=Relation.SLOWER,
    reason="",
)


@pytest.mark.parametrize(
    ("comparison", "said"),
    [
        pytest.param(
            SLOWER,
            "hypercorn-4 submit p99 is 1.60× uvicorn-4, 95 % interval 1.30–2.00: slower",
            id="a ratio",
        ),
        pytest.param(
            replace(SLOWER, design=Design.RUNS, baseline="hypercorn-4"),
            "hypercorn-4 submit p99 is 1.60× the baseline, 95 % interval 1.30–2.00: slower",
            id="two runs",
        ),
        pytest.param(
            replace(
                SLOWER,
                metric=BAD,
                effect=Effect(estimate=0.0012, low=0.0003, high=0.0021, confidence_ratio=0.95),
                relation=Relation.WORSE,
            ),
            "hypercorn-4 has +0.12 points of availability bad events beside uvicorn-4, "
            "95 % interval +0.030 to +0.21: worse",
            id="a difference of shares",
        ),
        pytest.param(
            replace(SLOWER, effect=None, relation=Relation.INCONCLUSIVE, reason="2 blocks hold both"),
            "hypercorn-4 submit p99 beside uvicorn-4: inconclusive, 2 blocks hold both",
            id="nothing to say",
        ),
        pytest.param(
            replace(
                SLOWER,
                effect=Effect(estimate=math.inf, low=2, high=math.inf, confidence_ratio=0.95),
                reason="by ranks alone",
            ),
            "hypercorn-4 submit p99 is ∞× uvicorn-4, 95 % interval 2.00–∞: slower (by ranks alone)",
            id="never answered",
        ),
    ],
)
def test_a_comparison_is_a_plain_sentence(comparison: Comparison, said: str) -> None:
    assert sentence(comparison) == said


def test_a_cell_holds_an_estimate_or_a_dash() -> None:
    assert (estimate(SLOWER), interval(SLOWER), pair(SLOWER)) == (
        "1.60×",
        "1.30–2.00",
        "hypercorn-4 / uvicorn-4",
    )
    nothing = replace(SLOWER, effect=None)
    assert (estimate(nothing), interval(nothing)) == ("–", "–")


def test_tails_come_before_medians_and_large_differences_before_small_ones() -> None:
    median = replace(SLOWER, metric=replace(SUBMIT, q=0.5))
    larger = replace(SLOWER, effect=Effect(estimate=0.4, low=0.3, high=0.5, confidence_ratio=0.95))
    lost = replace(SLOWER, metric=replace(BAD, kind=Kind.INTEGRITY), effect=None, relation=Relation.WORSE)
    same = replace(SLOWER, relation=Relation.EQUIVALENT)

    assert notable([median, same, SLOWER, larger, lost]) == [lost, larger, SLOWER, median]
    assert tally([median, same, SLOWER]) == "2 slower, 1 equivalent"
