"""The metrics say what the clients saw, summed over all workers, from the first scrape on."""

import os
import signal
from dataclasses import fields
from importlib.metadata import version
from pathlib import Path

from service.adapters.metrics import Build
from tests.integration.service.conftest import Start
from tests.integration.service.harness import RunningService, Samples, half_sent, sample, until

COUNT = "http_server_request_duration_seconds_count"


def answered(samples: Samples, method: str, route: str, status: int) -> float:
    return sample(
        samples,
        COUNT,
        http_request_method=method,
        http_route=route,
        http_response_status_code=str(status),
    )


def test_every_label_set_that_an_slo_reads_exists_at_zero_from_the_start(start_single: Start) -> None:
    with start_single(workers=2) as service:
        samples = service.metrics()
        for status in (202, 413, 422, 500, 503):
            assert answered(samples, "POST", "/jobs", status) == 0
        for status in (200, 404, 500, 503):
            assert answered(samples, "GET", "/jobs/{id}", status) == 0
        for kind in ("sleep", "digest"):
            assert sample(samples, "jobs_submitted_total", kind=kind) == 0
            for outcome in ("succeeded", "failed"):
                assert sample(samples, "jobs_finished_total", kind=kind, outcome=outcome) == 0
            for histogram in ("job_wait_seconds", "job_run_seconds", "job_end_to_end_seconds"):
                assert sample(samples, f"{histogram}_count", kind=kind) == 0
            for state in ("queued", "running", "succeeded", "failed"):
                assert sample(samples, "jobs_in_state", kind=kind, state=state) == 0
        assert sample(samples, "jobs_queue_oldest_age_seconds") == 0
        bounds = {dict(labels)["le"] for name, labels in samples if name == "job_end_to_end_seconds_bucket"}
        assert {"0.1", "0.25", "2.0"} <= bounds


def test_metrics_equal_what_the_clients_sent_and_survive_a_dead_worker(start: Start) -> None:
    with start(pre_stop_delay_s=0, lease_s=1) as service:
        workers = len(service.worker_pids())
        send_a_known_mix(service)
        before = service.metrics()
        assert totals(before) == EXPECTED
        assert sum(by_pid(before, "service_worker_requests").values()) == sum(EXPECTED.values())
        assert_build(before, service)

        victim = service.worker_pids()[0]
        os.kill(victim, signal.SIGKILL)
        service.wait_for("worker_ready", workers + 1)
        after = service.metrics()
        assert totals(after) == EXPECTED
        assert str(victim) in by_pid(after, "service_worker_requests")
        assert by_pid(after, "process_resident_memory_bytes").keys() == {
            str(p) for p in service.worker_pids()
        }
        assert not [
            file
            for file in shared_files(service)
            if "gauge_livesum" in file.name and file.stem.endswith(f"_{victim}")
        ]


EXPECTED = {
    ("POST", "/jobs", "202"): 30,
    ("POST", "/jobs", "422"): 5,
    ("GET", "/jobs/{id}", "200"): 20,
    ("GET", "/jobs/{id}", "404"): 7,
    ("GET", "unmatched", "404"): 3,
    ("_OTHER", "/jobs", "405"): 2,
}


def send_a_known_mix(service: RunningService) -> None:
    """Send it on new connections, which spread over the workers, among probes, which do not count."""

    def send(method: str, path: str, body: object = None) -> None:
        service.fresh.request(method, path, json=body)
        service.fresh.get("/healthz")

    job = service.submit(duration_s=0)
    for _ in range(29):
        send("POST", "/jobs", {"kind": "sleep", "params": {"duration_s": 0}})
    for _ in range(5):
        send("POST", "/jobs", {"kind": "dance", "params": {}})
    for _ in range(20):
        send("GET", f"/jobs/{job}")
    for _ in range(7):
        send("GET", "/jobs/none")
    for path in ("/", "/admin.php", "/jobs/1/2"):
        send("GET", path)
    for _ in range(2):
        send("PROPFIND", "/jobs")
    until(
        lambda: sample(service.metrics(), "jobs_finished_total", kind="sleep", outcome="succeeded") == 30,
        "the jobs have ended",
    )


def totals(samples: Samples) -> dict[tuple[str, str, str], float]:
    counted = {}
    for (name, labels), value in samples.items():
        if name == COUNT and value:
            by_name = dict(labels)
            key = (
                by_name["http_request_method"],
                by_name["http_route"],
                by_name["http_response_status_code"],
            )
            counted[key] = value
    return counted


def by_pid(samples: Samples, name: str) -> dict[str, float]:
    return {dict(labels)["pid"]: value for (found, labels), value in samples.items() if found == name}


def shared_files(service: RunningService) -> list[Path]:
    """The files of the metrics' shared folder, which the workers were told by their environment."""
    environment = Path(f"/proc/{service.worker_pids()[0]}/environ").read_bytes().split(b"\0")
    (folder,) = (
        v.partition(b"=")[2].decode() for v in environment if v.startswith(b"PROMETHEUS_MULTIPROC_DIR")
    )
    return list(Path(folder).iterdir())


def test_a_client_that_leaves_before_it_is_answered_counts_once_as_499(start_single: Start) -> None:
    with start_single() as service:
        active = {"http_request_method": "POST", "http_route": "/jobs"}
        connection = half_sent(service.port)
        until(
            lambda: sample(service.metrics(), "http_server_active_requests", **active) == 1, "it is in flight"
        )
        connection.close()
        until(
            lambda: sample(service.metrics(), "http_server_active_requests", **active) == 0, "it is given up"
        )
        assert totals(service.metrics()) == {("POST", "/jobs", "499"): 1}


def test_the_queue_is_read_from_the_store_at_the_scrape(start_any: Start) -> None:
    with start_any(concurrency=1) as service:
        running = service.submit(duration_s=60)
        service.wait_for_state([running], "running")
        for _ in range(3):
            service.submit(duration_s=60)
        samples = service.metrics()
        assert sample(samples, "jobs_in_state", state="running", kind="sleep") == 1
        assert sample(samples, "jobs_in_state", state="queued", kind="sleep") == 3
        assert sample(samples, "jobs_queue_oldest_age_seconds") > 0


def test_the_folder_of_the_metrics_is_emptied_at_the_start(start_any: Start, tmp_path: Path) -> None:
    shared = tmp_path / "metrics"
    shared.mkdir()
    left_over = shared / "counter_1.db"
    left_over.write_bytes(b"of an earlier run")
    with start_any(metrics_dir=shared) as service:
        assert not left_over.exists()
        service.submit(duration_s=0)
        assert sample(service.metrics(), "jobs_submitted_total", kind="sleep") == 1


def assert_build(samples: Samples, service: RunningService) -> None:
    (labels,) = (dict(labels) for name, labels in samples if name == "service_build_info")
    command = service.process.args
    assert isinstance(command, list)
    assert labels["server"] in command
    assert labels["workers"] in command
    assert labels["server_version"] == version(labels["server"])
    assert labels["loop"] == "uvloop"
    assert labels["loop_version"] == version("uvloop")
    assert labels["fastapi"] == version("fastapi")
    assert labels.keys() == {field.name for field in fields(Build)}
