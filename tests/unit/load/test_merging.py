from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloproof.analysis.columns import Words
from sloproof.analysis.hdrlog import HdrLog
from sloproof.analysis.percentiles import percentile
from sloproof.analysis.samples import COLUMNS, Outcome, Phase, Samples
from sloproof.load.ledger import Accepted
from sloproof.load.merging import (
    Part,
    Rows,
    decode_jobs,
    decode_rows,
    encode_jobs,
    encode_rows,
    joined,
    merge_facts,
    merge_rows,
    named,
)
from sloproof.load.selfcheck import quantile
from tests.invention import facts

PHASE = facts()
OUTCOMES = (Outcome.UNFINISHED, Outcome.ANSWERED)
counts = st.integers(0, 60)
workers = st.integers(1, 8)
seeds = st.integers(0, 2**32)


def rows(count: int, seed: int, *, rate: float = 100.0) -> Rows:
    """Return arrivals of two tasks, some late, some never dispatched, sent, or answered."""
    rng = np.random.default_rng(seed)
    intended_s = np.sort(rng.uniform(0, max(count, 1) / rate, count))
    dispatched_s = np.where(rng.random(count) < 0.05, np.nan, intended_s + rng.exponential(1e-3, count))
    start_s = np.where(rng.random(count) < 0.05, np.nan, dispatched_s + rng.exponential(1e-3, count))
    answered = ~np.isnan(start_s) & (rng.random(count) < 0.9)
    return Rows(
        Samples(
            phase=np.array([Phase.LOAD] * count, dtype=np.str_),
            endpoint=rng.choice(np.array(["GET /work", "POST /a/longer/name"]), count),
            intended_s=intended_s,
            dispatched_s=dispatched_s,
            start_s=start_s,
            end_s=np.where(answered, start_s + rng.lognormal(-4, 1, count), np.nan),
            status=np.where(answered, 200, 0).astype(np.int16),
            outcome=np.array([OUTCOMES[each] for each in answered.astype(int)], dtype=np.str_),
        ),
        rng.random(count) < 0.8,
    )


def dealt(whole: Rows, workers: int) -> list[Rows]:
    """Return what each of some workers would have measured of what one process has."""
    return [
        Rows(
            Samples(**{name: getattr(whole.samples, name)[index::workers] for name in COLUMNS}),
            whole.planned[index::workers],
        )
        for index in range(workers)
    ]


def assert_same(left: Rows, right: Rows) -> None:
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(left.samples, name), getattr(right.samples, name))
    np.testing.assert_array_equal(left.planned, right.planned)


@given(counts, seeds)
def test_rows_come_out_of_their_bytes_as_they_went_in(count: int, seed: int) -> None:
    whole = rows(count, seed)
    assert_same(decode_rows(encode_rows(whole)), whole)


@given(counts, workers, seeds)
def test_what_workers_measured_merges_to_what_one_process_would_have_measured(
    count: int, workers: int, seed: int
) -> None:
    whole = rows(count, seed)
    assert_same(merge_rows(dealt(whole, workers)), whole)


@given(st.lists(counts, min_size=1, max_size=6), seeds)
def test_merged_rows_are_all_rows_in_the_order_of_their_intended_starts(sizes: list[int], seed: int) -> None:
    parts = [rows(size, seed + k) for k, size in enumerate(sizes)]
    merged = merge_rows(parts).samples
    everything = joined([part.samples for part in parts])
    assert (np.diff(merged.intended_s) >= 0).all()
    order = np.argsort(everything.intended_s, kind="stable")
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(merged, name), getattr(everything, name)[order])


@pytest.mark.parametrize("workers", [2, 4])
def test_percentiles_and_histograms_of_merged_workers_are_those_of_one_process(workers: int) -> None:
    whole = rows(20_000, 5, rate=2_000)
    merged = merge_rows(dealt(whole, workers))
    for q in (0.5, 0.9, 0.99, 0.999):
        assert percentile(merged.samples.latency_s, q) == percentile(whole.samples.latency_s, q)
        assert percentile(merged.samples.start_lag_s, q) == percentile(whole.samples.start_lag_s, q)
    logs = [HdrLog(), HdrLog()]
    for log, each in zip(logs, (whole, merged), strict=True):
        log.add(1.7e9, each.samples.by_endpoint())
    assert logs[0].text() == logs[1].text()


def parts_of(whole: Rows, workers: int) -> list[Part]:
    return [
        Part(
            worker=number,
            machine="here",
            pid=100 + number,
            clock_error_s=0.0,
            facts=replace(
                PHASE,
                sent=10 * number,
                queued=number,
                elapsed_s=float(number),
                cpu_ratio=0.1 * number,
                wait_ratio=0.3 if number == 1 else None,
            ),
            rows=part,
        )
        for number, part in enumerate(dealt(whole, workers), start=1)
    ]


def test_lags_are_those_of_all_arrivals_and_no_mean_of_the_workers() -> None:
    slow, fast = rows(99, 1), rows(901, 2)
    slow = replace(slow, samples=replace(slow.samples, dispatched_s=slow.samples.intended_s + 1))
    fast = replace(fast, samples=replace(fast.samples, dispatched_s=fast.samples.intended_s.copy()))
    merged = merge_rows([slow, fast])
    parts = [replace(part, rows=each) for part, each in zip(parts_of(merged, 2), (slow, fast), strict=True)]

    together = merge_facts(parts, merged)

    lags_s = merged.samples.dispatch_lag_s[merged.planned]
    assert together.dispatch_lag_p50_s == quantile(lags_s, 0.5) == 0
    assert together.dispatch_lag_p99_s == quantile(lags_s, 0.99) == pytest.approx(1)
    assert together.start_lag_p99_s == quantile(merged.samples.start_lag_s[merged.planned], 0.99) == math.inf


def test_counts_add_up_and_the_worker_that_was_worst_off_stands_for_all() -> None:
    whole = rows(100, 3)
    together = merge_facts(parts_of(whole, 3), whole)
    assert (together.scheduled, together.sent, together.queued) == (3 * PHASE.scheduled, 60, 6)
    assert together.elapsed_s == 3
    assert together.cpu_ratio == pytest.approx(0.3)
    assert together.wait_ratio == 0.3
    assert [(each.worker, each.pid, each.sent, each.wait_ratio) for each in together.workers] == [
        (1, 101, 10, 0.3),
        (2, 102, 20, None),
        (3, 103, 30, None),
    ]


def test_ratios_that_no_kernel_told_stay_unknown() -> None:
    whole = rows(10, 4)
    untold = replace(PHASE, cpu_ratio=None, wait_ratio=None)
    parts = [replace(part, facts=untold) for part in parts_of(whole, 2)]
    together = merge_facts(parts, whole)
    assert (together.cpu_ratio, together.wait_ratio) == (None, None)


def test_a_request_never_begun_is_named_after_what_another_worker_knows_of_its_task() -> None:
    samples = replace(rows(3, 1).samples, endpoint=Words.of(["GET /a", "V.submit", "V.unknown"]))
    known = {"V.submit": "POST /jobs/with/a/long/name", "V.a": "GET /a"}
    assert named(samples, known).endpoint.tolist() == ["GET /a", "POST /jobs/with/a/long/name", "V.unknown"]
    assert len(named(rows(0, 1).samples, known)) == 0


def test_jobs_come_out_of_their_bytes_as_they_went_in() -> None:
    jobs = [Accepted(location="/jobs/ü", phase=Phase.DRAIN, intended_at_s=1.7e9 + 0.1)]
    assert decode_jobs(encode_jobs(jobs)) == jobs
    assert decode_jobs(encode_jobs([])) == decode_jobs(b"") == []
