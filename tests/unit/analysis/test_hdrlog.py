from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader

from sloproof.analysis.columns import Words
from sloproof.analysis.hdrlog import UNANSWERED_NS, HdrLog
from sloproof.analysis.jobs import Jobs
from sloproof.analysis.percentiles import percentile
from sloproof.analysis.samples import Outcome, Phase, Samples
from sloproof.analysis.scored import Scored

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

BEGAN_AT = 1.7e9
ENDPOINTS = ("POST /jobs", "GET /jobs/{id}")


def samples(latency_s: NDArray[np.float64], *, rate: float = 500.0, first_s: float = 3.0) -> Samples:
    """Return requests to two endpoints in turn; an infinite latency is a time-out."""
    n = len(latency_s)
    intended_s = first_s + np.arange(n) / rate
    answered = np.isfinite(latency_s)
    return Samples(
        phase=np.array([Phase.LOAD] * n, dtype=np.str_),
        endpoint=np.array([ENDPOINTS[i % 2] for i in range(n)], dtype=np.str_),
        intended_s=intended_s,
        dispatched_s=intended_s,
        start_s=intended_s,
        end_s=np.where(answered, intended_s + latency_s, np.nan),
        status=np.where(answered, 200, 0).astype(np.int16),
        outcome=np.where(answered, Outcome.ANSWERED, Outcome.TIMEOUT),
    )


def hdr_log(trials: Iterable[tuple[float, Samples]]) -> str:
    """Return the log of trials, each with the time at which it began."""
    log = HdrLog()
    for began_at, each in trials:
        log.add(began_at, Scored.of(each, Jobs.none()).requests)
    return log.text()


def intervals(text: str, folder: Path) -> list[HdrHistogram]:
    """Read a log with another implementation than ours."""
    path = folder / "it.hlog"
    path.write_text(text)
    reader = HistogramLogReader(str(path), HdrHistogram(1, UNANSWERED_NS, 3))
    found = []
    while (interval := reader.get_next_interval_histogram()) is not None:
        found.append(interval)
    reader.close()
    return found


def merged(found: list[HdrHistogram], tag: str) -> HdrHistogram:
    whole = HdrHistogram(1, UNANSWERED_NS, 3)
    for interval in found:
        if interval.get_tag() == tag:
            whole.add(interval)
    return whole


def test_another_implementation_reads_every_percentile_within_a_thousandth(tmp_path: Path) -> None:
    trials = [samples(np.random.default_rng(seed).lognormal(-4, 1.5, 6000)) for seed in range(3)]
    timed = [(BEGAN_AT + 100 * n, each) for n, each in enumerate(trials)]

    found = intervals(hdr_log(timed), tmp_path)

    for endpoint in ENDPOINTS:
        latency_s = np.concatenate([each.select(endpoint=endpoint).latency_s for each in trials])
        read = merged(found, endpoint.replace(" ", "_"))
        assert read.get_total_count() == len(latency_s)
        for q in (0.001, 0.1, 0.5, 0.9, 0.99, 0.998):
            assert read.get_value_at_percentile(100 * q) / 1e9 == pytest.approx(
                percentile(latency_s, q), rel=1e-3
            )


def test_there_is_a_line_for_each_second_and_endpoint_at_its_time(tmp_path: Path) -> None:
    log = hdr_log(
        [
            (BEGAN_AT + 60, samples(np.full(1000, 0.25))),
            (BEGAN_AT, samples(np.full(1500, 0.02))),
        ]
    )

    found = intervals(log, tmp_path)

    assert [each.get_start_time_stamp() / 1000 - BEGAN_AT for each in found] == pytest.approx(
        [3, 3, 4, 4, 5, 5, 63, 63, 64, 64]
    )
    assert {each.get_end_time_stamp() - each.get_start_time_stamp() for each in found} == {1000.0}
    assert [each.get_total_count() for each in found] == [250] * 10
    lines = [line.split(",") for line in log.splitlines() if line.startswith("Tag=")]
    assert [line[0] for line in lines[:2]] == ["Tag=GET_/jobs/{id}", "Tag=POST_/jobs"]
    assert [float(line[3]) for line in lines] == pytest.approx([20.0] * 6 + [250.0] * 4)  # milliseconds


def test_only_the_load_phase_is_in_it(tmp_path: Path) -> None:
    whole = samples(np.full(1000, 0.02))
    phases = Words.of([Phase.WARMUP] * 300 + [Phase.LOAD] * 600 + [Phase.DRAIN] * 100)

    found = intervals(hdr_log([(BEGAN_AT, replace(whole, phase=phases))]), tmp_path)

    assert sum(each.get_total_count() for each in found) == 600


def test_a_request_that_was_never_answered_is_in_it_as_an_hour(tmp_path: Path) -> None:
    latency_s = np.full(1000, 0.02)
    latency_s[:40] = np.inf

    log = hdr_log([(BEGAN_AT, samples(latency_s))])
    read = merged(intervals(log, tmp_path), "POST_/jobs")

    assert "#[40 requests were never answered" in log
    assert read.get_total_count() == 500
    assert read.get_value_at_percentile(95) == pytest.approx(0.02e9, rel=1e-3)
    assert read.get_value_at_percentile(99) == pytest.approx(UNANSWERED_NS, rel=1e-3)


@pytest.mark.parametrize(
    "nanoseconds",
    [0, 1, 2047, 2048, 2049, 4095, 4096, 10**6, 2**31, 2**40 - 1, 2**40, UNANSWERED_NS - 1],
)
def test_values_keep_three_significant_digits_at_every_magnitude(nanoseconds: int, tmp_path: Path) -> None:
    (read,) = intervals(hdr_log([(BEGAN_AT, _one(nanoseconds))]), tmp_path)

    assert read.get_total_count() == 1
    assert read.get_value_at_percentile(100) == pytest.approx(nanoseconds, rel=1e-3)


def test_seconds_that_lie_a_year_apart_are_told_apart(tmp_path: Path) -> None:
    year_s = 365 * 86_400.0
    apart = replace(samples(np.full(4, 0.02)), intended_s=np.array([0.0, 0.0, year_s, year_s]))
    apart = replace(apart, end_s=apart.intended_s + 0.02)

    found = intervals(hdr_log([(BEGAN_AT, apart)]), tmp_path)

    assert [each.get_start_time_stamp() / 1000 - BEGAN_AT for each in found] == [0.0, 0.0, year_s, year_s]
    assert [each.get_total_count() for each in found] == [1] * 4


def test_many_values_make_the_same_log_as_few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    trial = (BEGAN_AT, samples(np.random.default_rng(5).lognormal(-4, 1.5, 6000)))
    whole = hdr_log([trial])

    monkeypatch.setattr("sloproof.analysis.hdrlog.VALUES_AT_ONCE", 300)

    assert hdr_log([trial]) == whole


def _one(nanoseconds: int) -> Samples:
    return samples(np.array([nanoseconds / 1e9]), first_s=0.0)


@pytest.mark.parametrize(
    "trials",
    [
        pytest.param([], id="no trial"),
        pytest.param([(BEGAN_AT, samples(np.array([])))], id="a trial without a request"),
    ],
)
def test_a_log_of_nothing_is_a_header(trials: list[tuple[float, Samples]], tmp_path: Path) -> None:
    log = hdr_log(trials)

    assert "[Histogram log format version 1.3]" in log
    assert intervals(log, tmp_path) == []
