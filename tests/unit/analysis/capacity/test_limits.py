from __future__ import annotations

from dataclasses import replace

import pytest

from sloproof.analysis.capacity.limits import Limiter, Processors, Usage, limited_by

TWO = Processors(own=2, machine=2)
IDLE = Usage(
    subject_cpu=0.4,
    worker_cpu=0.3,
    generator_cpu=0.3,
    loop_lag_s=0.001,
    queued_s=0.01,
    ended_s=0.1,
    server_s=0.002,
    client_s=0.2,
)


@pytest.mark.parametrize(
    ("changes", "by", "why"),
    [
        pytest.param({"subject_cpu": 1.9}, Limiter.SUBJECT_CPU, "1.90 of 2 processors", id="processors"),
        pytest.param(
            {"subject_cpu": 0.97, "worker_cpu": 0.97},
            Limiter.EVENT_LOOP,
            "the busiest process used 0.97 of one processor, tasks resumed 1.0 ms late on average",
            id="one process of one loop",
        ),
        pytest.param(
            {"subject_cpu": 1.41, "worker_cpu": 1.41, "generator_cpu": 0.4},
            Limiter.MACHINE_CPU,
            "subject 1.41 and load generator 0.40 of 2 processors",
            id="threads of one process, which say nothing of its loop",
        ),
        pytest.param(
            {"loop_lag_s": 0.2, "worker_cpu": None},
            Limiter.EVENT_LOOP,
            "tasks resumed 200.0 ms late on average",
            id="a loop that is late",
        ),
        pytest.param(
            {"subject_cpu": 1.2, "generator_cpu": 0.6},
            Limiter.MACHINE_CPU,
            "subject 1.20 and load generator 0.60 of 2 processors",
            id="a machine that both share",
        ),
        pytest.param(
            {"queued_s": 1.8, "ended_s": 2.0},
            Limiter.QUEUE,
            "a job waited 1800 ms of the 2000 ms to its end, on average",
            id="jobs that wait",
        ),
        pytest.param(
            {"server_s": 0.18},
            Limiter.STORE,
            "requests waited inside the subject, 180 ms on average, with processors idle "
            "(0.40 of 2 processors used)",
            id="requests that wait inside",
        ),
        pytest.param(
            {},
            Limiter.UNKNOWN,
            "its processors were not used up (0.40 of 2 processors)",
            id="nothing that is known",
        ),
        pytest.param(
            {"subject_cpu": None, "worker_cpu": None, "server_s": 0.19},
            Limiter.UNKNOWN,
            "the subject tells nothing of its processors",
            id="a subject that tells nothing",
        ),
    ],
)
def test_what_is_used_up_is_named_with_its_figures(
    changes: dict[str, float | None], by: Limiter, why: str
) -> None:
    limit = limited_by([replace(IDLE, **changes)], TWO)

    assert (limit.by, limit.why) == (by, why)


def test_a_container_s_own_limit_counts_and_the_median_trial_decides() -> None:
    one = Processors(own=1, machine=8)
    used = [replace(IDLE, subject_cpu=cpu) for cpu in (0.1, 0.9, 0.95)]

    assert limited_by(used, one).why == "0.90 of 1 processor"


def test_without_a_trial_at_the_limit_nothing_is_known() -> None:
    assert limited_by([], TWO).by is Limiter.UNKNOWN
