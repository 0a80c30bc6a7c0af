"""kill -9: the jobs of a dead process are taken over, and no process outlives its supervisor."""

import os
import signal
from pathlib import Path

from tests.integration.service.conftest import Start
from tests.integration.service.harness import RunningService, until


def test_four_processes_and_kills_in_between_complete_each_job_once(start_any: Start) -> None:
    with start_any(workers=4, lease_s=1, concurrency=4, max_attempts=10, pre_stop_delay_s=0) as service:
        workers = service.worker_pids()
        jobs = [service.submit(duration_s=0.2) for _ in range(250)]
        for victim in workers[:3]:
            until(lambda: runs_jobs(service, victim), "the victim runs jobs")  # noqa: B023
            os.kill(victim, signal.SIGKILL)
        until(lambda: {job.state for job in service.stored().values()} == {"succeeded"}, "all jobs ended")
        stored = service.stored()
        assert {stored[job].completions for job in jobs} == {1}
        assert max(job.attempt for job in stored.values()) > 1, "no kill hit a running job"
        assert service.events("job_lease_expired")


def runs_jobs(service: RunningService, worker: int) -> bool:
    """Whether the worker has begun more jobs than it has ended."""
    mine = [line["event"] for line in service.lines() if line["process"] == worker]
    return mine.count("job_started") > mine.count("job_finished")


def test_a_job_whose_process_dies_every_time_ends_as_failed_with_the_reason(start_any: Start) -> None:
    with start_any(lease_s=0.5, max_attempts=2, pre_stop_delay_s=0) as service:
        job = service.submit(duration_s=60)
        for attempt in (1, 2):
            until(lambda: service.stored()[job].attempt == attempt, f"attempt {attempt} runs")  # noqa: B023
            os.kill(service.worker_pids()[0], signal.SIGKILL)
            service.wait_for("worker_ready", attempt + 1)
        service.wait_for_state([job], "failed")
        assert service.job(job)["error"] == "lease expired on attempt 2 of 2"
        assert service.job(job)["completions"] == 1


def test_no_worker_outlives_a_killed_supervisor(start_single: Start) -> None:
    with start_single(workers=2, pre_stop_delay_s=0.2) as service:
        job = service.submit(duration_s=1)
        service.wait_for_state([job], "running")
        workers = service.worker_pids()
        service.process.kill()
        until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers), "the workers are gone")
        assert service.stored()[job].state == "succeeded"
        assert len(service.events("worker_stopped")) == 2


def test_a_worker_that_keeps_dying_is_replaced_ever_more_slowly(start_any: Start) -> None:
    with start_any(pre_stop_delay_s=0) as service:
        for count in range(1, 4):
            os.kill(service.worker_pids()[0], signal.SIGKILL)
            service.wait_for("worker_died", count)
            service.wait_for("worker_ready", count + 1)
        assert service.stop() == 0


def test_a_service_that_cannot_start_ends_with_the_reason(start_any: Start, tmp_path: Path) -> None:
    (tmp_path / "jobs.db").write_bytes(b"this is no database" * 100)
    with start_any(wait=False) as service:
        assert service.wait() == 1
        assert "file is not a database" in service.events("worker_failed")[0]["error"]
