"""The exposition of one process: parsed as Prometheus would."""

import gc
import os
from collections.abc import Mapping

from prometheus_client.parser import text_string_to_metric_families

from service.adapters.metrics import Build, Exposition, Instruments
from service.domain.job import JobState
from service.ports import Census, JobEnded

BUILD = Build(
    version="1",
    python="3",
    fastapi="0",
    server="uvicorn",
    server_version="0",
    loop="uvloop",
    loop_version="0",
    workers="1",
    sqlite="3",
)
EMPTY = Census({}, None)


def exposed(
    instruments: Instruments, census: Census | None = EMPTY, *, now: float = 0
) -> Mapping[tuple[str, frozenset[tuple[str, str]]], float]:
    exposition = Exposition(instruments.registry, shared=None, kinds=["sleep"], build=BUILD)
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(exposition.render(census, now=now).decode())
        for sample in family.samples
    }


def key(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return name, frozenset(labels.items())


def instruments() -> Instruments:
    made = Instruments((0.1, 0.25, 2))
    made.exist_at_zero([("GET", "/jobs/{id}", 200)], ["sleep"])
    return made


def test_a_request_is_active_until_it_is_counted() -> None:
    made = instruments()
    request = {"http_request_method": "GET", "http_route": "/jobs/{id}"}
    made.request_started("GET", "/jobs/{id}")
    assert exposed(made)[key("http_server_active_requests", **request)] == 1
    made.request_finished("GET", "/jobs/{id}", 200, 0.25)
    samples = exposed(made)
    assert samples[key("http_server_active_requests", **request)] == 0
    answered = {**request, "http_response_status_code": "200"}
    duration = "http_server_request_duration_seconds"
    assert samples[key(f"{duration}_count", **answered)] == 1
    assert samples[key(f"{duration}_bucket", **answered, le="0.1")] == 0
    assert samples[key(f"{duration}_bucket", **answered, le="0.25")] == 1, "a bound belongs to its bucket"


def test_a_job_that_ended_is_counted_and_timed() -> None:
    made = instruments()
    made.submitted("sleep")
    made.started("sleep", wait_s=0.05)
    made.ended(JobEnded(kind="sleep", state=JobState.SUCCEEDED, run_s=1, end_to_end_s=1.5))
    made.ended(JobEnded(kind="sleep", state=JobState.FAILED, run_s=None, end_to_end_s=9))
    samples = exposed(made)
    assert samples[key("jobs_submitted_total", kind="sleep")] == 1
    assert samples[key("jobs_finished_total", kind="sleep", outcome="succeeded")] == 1
    assert samples[key("jobs_finished_total", kind="sleep", outcome="failed")] == 1
    assert samples[key("job_wait_seconds_sum", kind="sleep")] == 0.05
    assert samples[key("job_run_seconds_count", kind="sleep")] == 1, "a run that nobody saw end is not timed"
    assert samples[key("job_end_to_end_seconds_sum", kind="sleep")] == 10.5


def test_the_stores_gauges_name_every_state_and_kind() -> None:
    census = Census({(JobState.QUEUED, "sleep"): 3}, 90)
    samples = exposed(instruments(), census, now=100)
    states = {state: samples[key("jobs_in_state", state=state, kind="sleep")] for state in JobState}
    assert states == {"queued": 3, "running": 0, "succeeded": 0, "failed": 0}
    assert samples[key("jobs_queue_oldest_age_seconds")] == 10


def test_an_empty_queue_has_no_age_and_a_clock_that_was_set_back_gives_none() -> None:
    assert exposed(instruments())[key("jobs_queue_oldest_age_seconds")] == 0
    assert exposed(instruments(), Census({}, 90), now=80)[key("jobs_queue_oldest_age_seconds")] == 0


def test_without_a_census_its_gauges_are_absent_and_the_rest_is_there() -> None:
    names = {name for name, _ in exposed(instruments(), None)}
    assert "jobs_in_state" not in names
    assert "jobs_queue_oldest_age_seconds" not in names
    assert {"jobs_submitted_total", "service_build_info", "process_cpu_seconds_total"} <= names


def test_vital_signs_are_told_apart_by_process() -> None:
    samples = exposed(instruments())
    assert samples[key("process_resident_memory_bytes", pid=str(os.getpid()))] > 1e6


def test_garbage_collections_are_counted_from_the_making_on() -> None:
    made = instruments()
    made.collect_garbage_statistics()
    before = exposed(made)[key("python_gc_collections_total", generation="2")]
    gc.collect()
    made.collect_garbage_statistics()
    assert exposed(made)[key("python_gc_collections_total", generation="2")] > before
