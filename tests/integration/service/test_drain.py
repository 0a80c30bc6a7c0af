"""SIGTERM: nothing that was accepted is lost, and whoever routes traffic can see it coming."""

import os
import signal
import socket
from contextlib import closing
from pathlib import Path

import pytest

from tests.integration.service.conftest import Start
from tests.integration.service.harness import BODY, HALF, RunningService, half_sent, until


def rest_answered(connection: socket.socket) -> bytes:
    """Send the other half and return the whole answer."""
    with closing(connection):
        connection.sendall(BODY[HALF:])
        answer = b""
        while received := connection.recv(65536):
            answer += received
        return answer


def refused(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except (ConnectionRefusedError, ConnectionResetError, TimeoutError):
        return True  # reset while connecting: where the kernel permits no filter on the closing listener
    return False


def active_requests(service: RunningService) -> float:
    return sum(
        value for (name, _), value in service.metrics().items() if name == "http_server_active_requests"
    )


def test_requests_in_flight_are_answered_and_running_jobs_finish(start: Start) -> None:
    with start(pre_stop_delay_s=1, drain_grace_s=20) as service:
        jobs = [service.submit(duration_s=3) for _ in range(8)]
        service.wait_for_state(jobs, "running")
        in_flight = [half_sent(service.port) for _ in range(20)]
        until(lambda: active_requests(service) == 20, "20 requests are in flight")

        service.terminate()
        until(lambda: service.fresh.get("/readyz").status_code == 503, "/readyz says 503")
        ready = service.client.get("/readyz")  # which would keep its connection
        assert "draining" in ready.json()["failed"]
        assert ready.headers["connection"] == "close"
        assert service.fresh.get("/healthz").status_code == 200
        assert {service.job(job)["state"] for job in jobs} == {"running"}

        until(lambda: refused(service.port), "the listener is closed")
        answers = [rest_answered(connection) for connection in in_flight]
        assert [answer.split()[1] for answer in answers] == [b"202"] * 20
        assert service.wait() == 0

        stored = service.stored()
        assert len(stored) == 28
        assert {(stored[job].state, stored[job].completions) for job in jobs} == {("succeeded", 1)}

    with start(pre_stop_delay_s=0) as successor:  # jobs accepted after the drain began are the next process's
        until(lambda: {job.state for job in successor.stored().values()} == {"succeeded"}, "all jobs ended")
        assert {job.completions for job in successor.stored().values()} == {1}


def test_jobs_longer_than_the_grace_are_released_uncharged_and_run_by_the_next(start_single: Start) -> None:
    with start_single(workers=2, pre_stop_delay_s=0, drain_grace_s=0.3) as service:
        jobs = [service.submit(duration_s=1.5) for _ in range(4)]
        service.wait_for_state(jobs, "running")
        assert service.stop() == 0
        assert {(job.state, job.attempt) for job in service.stored().values()} == {("queued", 0)}
    with start_single(pre_stop_delay_s=0) as successor:
        successor.wait_for_state(jobs, "succeeded")
        assert {(job.attempt, job.completions) for job in successor.stored().values()} == {(1, 1)}


def test_requests_that_outlast_the_grace_do_not_hold_up_the_exit(start_single: Start) -> None:
    with start_single(pre_stop_delay_s=0, drain_grace_s=1) as service:
        with closing(half_sent(service.port)):
            until(lambda: active_requests(service) == 1, "the request is in flight")
            assert service.stop() == 0
        assert service.events("worker_killed") == []


@pytest.mark.parametrize(
    ("number", "group"),
    [(signal.SIGTERM, False), (signal.SIGTERM, True), (signal.SIGINT, True)],
    ids=["SIGTERM to the leader", "SIGTERM to the whole group", "Ctrl-C"],
)
def test_a_second_signal_changes_nothing(start_any: Start, number: signal.Signals, *, group: bool) -> None:
    with start_any(pre_stop_delay_s=0.3) as service:
        job = service.submit(duration_s=1)
        service.wait_for_state([job], "running")
        for _ in range(2):
            signal_to(service, number, group=group)
            service.wait_for("stopping")
        assert service.wait() == 0
        assert service.stored()[job].state == "succeeded"


@pytest.mark.parametrize("group", [False, True], ids=["to the leader", "to the whole group"])
@pytest.mark.parametrize("moment", ["before it listens", "while workers start"])
def test_sigterm_during_start_up_ends_it_in_order(start_any: Start, moment: str, *, group: bool) -> None:
    with start_any(workers=2, wait=False) as service:
        if moment == "while workers start":
            service.wait_for("listening")
        else:
            until(lambda: catches_sigterm(service.process.pid), "it catches SIGTERM")
        signal_to(service, signal.SIGTERM, group=group)
        assert service.wait() == 0
        assert len(service.events("listening")) == (moment == "while workers start")


def signal_to(service: RunningService, number: signal.Signals, *, group: bool) -> None:
    if group:
        os.killpg(service.process.pid, number)
    else:
        service.process.send_signal(number)


def catches_sigterm(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    caught = int(next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt")), 16)
    return bool(caught & 1 << (signal.SIGTERM - 1))
