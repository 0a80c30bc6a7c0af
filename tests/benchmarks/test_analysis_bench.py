"""How long the figures of a report take, for a million samples and for the verdicts of a matrix."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sloproof.analysis.counts import Counts
from sloproof.analysis.intervals import median_interval
from sloproof.analysis.percentiles import curve, percentile
from sloproof.analysis.samples import Outcome, Phase, Samples
from sloproof.analysis.verdicts import Verdict, judge

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

MILLION = 1_000_000


@pytest.fixture(scope="module")
def samples() -> Samples:
    random = np.random.default_rng(1)
    intended_s = np.sort(random.uniform(0, 60, MILLION))
    return Samples(
        phase=np.where(intended_s < 10, Phase.WARMUP, Phase.LOAD),
        endpoint=np.where(random.random(MILLION) < 0.5, "POST /jobs", "GET /jobs/{id}"),
        intended_s=intended_s,
        dispatched_s=intended_s,
        start_s=intended_s,
        end_s=intended_s + random.lognormal(-4, 1, MILLION),
        status=np.full(MILLION, 202, dtype=np.int16),
        outcome=np.where(random.random(MILLION) < 0.999, Outcome.ANSWERED, Outcome.TIMEOUT),
    )


def test_count_an_sli_of_a_million_samples(benchmark: BenchmarkFixture, samples: Samples) -> None:
    def count() -> Counts:
        scored = samples.select(phase=Phase.LOAD, endpoint="POST /jobs")
        return Counts(good=int((scored.served & (scored.latency_s <= 0.25)).sum()), total=len(scored))

    assert benchmark(count).total > 400_000


def test_find_a_p99_of_a_million_samples(benchmark: BenchmarkFixture, samples: Samples) -> None:
    assert benchmark(percentile, samples.latency_s, 0.99) > 0


def test_merge_a_million_samples_of_ten_trials_into_a_curve(
    benchmark: BenchmarkFixture, samples: Samples
) -> None:
    trials = np.array_split(samples.latency_s, 10)

    assert len(benchmark(curve, trials)) > 100


def test_take_a_million_samples_out_of_a_table(benchmark: BenchmarkFixture, samples: Samples) -> None:
    table = samples.to_table()

    assert len(benchmark(Samples.from_table, table)) == MILLION


def test_put_a_million_samples_into_a_table(benchmark: BenchmarkFixture, samples: Samples) -> None:
    assert benchmark(samples.to_table).num_rows == MILLION


@pytest.mark.parametrize(
    ("misses", "verdict"),
    [(0, Verdict.MET), (1, Verdict.INCONCLUSIVE), (3, Verdict.INCONCLUSIVE), (6, Verdict.VIOLATED)],
    ids=["met", "close", "a draw", "violated"],
)
def test_judge_an_objective_over_six_trials(
    benchmark: BenchmarkFixture, misses: int, verdict: Verdict
) -> None:
    trials = [Counts(good=1_000, total=1_000)] * (6 - misses) + [Counts(good=980, total=1_000)] * misses

    assert benchmark(judge, Decimal("0.99"), trials).verdict is verdict


def test_find_the_interval_of_twenty_trials(benchmark: BenchmarkFixture) -> None:
    values = np.random.default_rng(2).lognormal(size=20).tolist()

    assert benchmark(median_interval, values)
