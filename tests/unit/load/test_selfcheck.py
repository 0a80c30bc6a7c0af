from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sloproof.analysis.samples import Phase
from sloproof.load.protocol import PhaseFacts
from sloproof.load.selfcheck import ProcessorTime, Spent, generator_problems, processor_time, quantile, spent

if TYPE_CHECKING:
    from pathlib import Path

SOUND = PhaseFacts(
    phase=Phase.LOAD,
    scheduled=1_000,
    sent=1_000,
    completed=990,
    bad=20,
    queued=30,
    backlog_at_start=0,
    backlog_max=30,
    unfinished=10,
    elapsed_s=10.0,
    dispatch_lag_p50_s=0.0001,
    dispatch_lag_p99_s=0.005,
    dispatch_lag_max_s=0.05,
    start_lag_p99_s=1.0,
    cpu_ratio=0.9,
    wait_ratio=0.049,
)


def test_what_the_subject_does_wrong_is_no_problem_of_the_generators() -> None:
    assert generator_problems(SOUND) == []


def test_a_kernel_that_keeps_no_account_is_no_problem() -> None:
    assert generator_problems(replace(SOUND, cpu_ratio=None, wait_ratio=None)) == []


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        pytest.param({"backlog_at_start": 3}, "3 requests of an earlier phase were still", id="backlog"),
        pytest.param({"dispatch_lag_p99_s": 0.0051}, "dispatch lag is 5.1 ms, more than 5 ms", id="late"),
        pytest.param({"dispatch_lag_p99_s": math.inf}, "dispatch lag is inf ms", id="never_turned_to_any"),
        pytest.param({"dispatch_lag_max_s": 0.0501}, "dispatch lag is 50.1 ms, more than 50 ms", id="halted"),
        pytest.param({"wait_ratio": 0.10}, "waited for a processor 10.0% of the time", id="starved"),
    ],
)
def test_each_problem_is_named_with_its_figure_and_limit(changed: dict[str, float], problem: str) -> None:
    (found,) = generator_problems(replace(SOUND, **changed))  # type: ignore[arg-type]
    assert problem in found


@pytest.mark.parametrize("duration_s", [4, 12, 60, 600, 3600])
@pytest.mark.parametrize("rate", [20, 100, 1_000])
def test_a_halt_of_300_ms_is_found_whatever_the_length_of_the_phase(duration_s: int, rate: int) -> None:
    """Arrivals every 1/rate; those that come due in a halt go out at its end, as the dispatcher does it."""
    begin_s = duration_s / 2 + 0.5 / rate
    due_s = np.arange(duration_s * rate) / rate
    lag_s = np.where((begin_s <= due_s) & (due_s < begin_s + 0.3), begin_s + 0.3 - due_s, 0.0002)
    facts = replace(
        SOUND,
        dispatch_lag_p99_s=quantile(lag_s, 0.99),
        dispatch_lag_max_s=quantile(lag_s, 1),
        wait_ratio=0.02,
    )
    assert len(generator_problems(facts)) == 1


def test_limits_are_the_callers() -> None:
    assert len(generator_problems(SOUND, dispatch_lag_p99_limit_s=0.004, wait_limit_ratio=0.04)) == 2
    assert len(generator_problems(SOUND, dispatch_lag_max_limit_s=0.04)) == 1


def test_all_problems_are_named_at_once() -> None:
    facts = replace(SOUND, backlog_at_start=1, dispatch_lag_p99_s=1.0, wait_ratio=1.0)
    assert len(generator_problems(facts)) == 3


def test_processor_time_is_read_in_seconds(tmp_path: Path) -> None:
    schedstat = tmp_path / "schedstat"
    schedstat.write_text("1500000000 250000000 77\n")
    assert processor_time(schedstat) == ProcessorTime(1.5, 0.25)


@pytest.mark.parametrize("text", [None, "", "1 2", "a b c"], ids=["missing", "empty", "short", "words"])
def test_an_account_that_cannot_be_read_is_none(text: str | None, tmp_path: Path) -> None:
    schedstat = tmp_path / "schedstat"
    if text is not None:
        schedstat.write_text(text)
    assert processor_time(schedstat) is None
    assert spent(None, ProcessorTime(1, 1), wall_s=1) == Spent(None, None)


def test_this_machines_account_of_a_busy_thread_grows() -> None:
    before = processor_time()
    sum(range(5_000_000))
    after = processor_time()
    if before is None or after is None:
        pytest.skip("this kernel has no schedstat")
    assert after.ran_s > before.ran_s


def test_the_quantile_of_nothing_is_infinitely_late() -> None:
    assert quantile(np.array([]), 0.99) == math.inf


def test_a_quantile_is_one_of_the_values_even_beside_infinity() -> None:
    values = np.array([0.1] * 98 + [math.inf] * 2)
    assert quantile(values, 0.98) == 0.1
    assert quantile(values, 0.99) == math.inf
