"""What every kind of subject does, with the jobs service as the subject."""

from __future__ import annotations

import os
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING, NoReturn

import httpx
import pytest

from sloproof.subject.port import HOST, SubjectError
from tests.integration.subject.houses import DEADLINE_S, await_ready, client, until

if TYPE_CHECKING:
    from sloproof.subject.port import Cell, Instance, Subject
    from tests.integration.subject.houses import House

ROUNDS = int(os.environ.get("SUBJECT_ROUNDS", "2"))
CLIENTS = 4
ENOUGH = 10
JOB = {"kind": "sleep", "params": {"duration_s": 0.05}}


def test_sigterm_ends_it_in_good_order(house: House, cell: Cell) -> None:
    with house.subject.start(cell) as instance:
        await_ready(instance)
        assert instance.exit_status() is None
        assert instance.wait(0.1) is None
        assert instance.wait(0) is None

        instance.terminate()

        assert instance.wait(DEADLINE_S) == 0
        assert instance.exit_status() == 0
        assert instance.ending() is None
        instance.terminate()  # to one that has ended: nothing happens
    assert house.left() == []


def test_a_kill_ends_all_of_it_at_once(house: House, cell: Cell) -> None:
    with house.subject.start(cell) as instance:
        await_ready(instance)
        assert house.alive()

        instance.kill()
        instance.kill()

        until(lambda: not house.alive(), "nothing runs")
        assert instance.exit_status() == -signal.SIGKILL
        with client(instance) as http, pytest.raises(httpx.TransportError):
            http.get("/readyz")


def test_a_second_start_in_a_cell_finds_what_the_first_has_stored(house: House, cell: Cell) -> None:
    with house.subject.start(cell) as first:
        await_ready(first)
        job = submit(first)
        first.kill()
        with house.subject.start(cell) as second:
            await_ready(second)
            with client(second) as http:
                assert http.get(job).status_code == 200


def test_what_was_stored_is_kept_as_files_or_cleared_away(house: House, cell: Cell) -> None:
    with house.subject.start(cell) as instance:
        await_ready(instance)
        submit(instance)

    house.subject.keep(cell)
    assert (cell.folder / "jobs.db").read_bytes().startswith(b"SQLite format 3")

    house.subject.clear(cell)
    assert not cell.folder.exists()
    house.subject.clear(cell)  # of one that is gone: nothing happens


def test_the_log_holds_the_output_of_every_instance_in_order(house: House, cell: Cell) -> None:
    tails = []
    with house.subject.start(cell) as first:
        await_ready(first)
        tails.append(first.log_tail(1_000))
        first.terminate()
        assert first.wait(DEADLINE_S) == 0
        so_far = cell.log.read_text()
        with house.subject.start(cell) as second:
            await_ready(second)
            tails.append(second.log_tail(1_000))
            second.kill()

    assert tails[0]
    assert so_far.startswith(tails[0])
    assert tails[1].startswith(so_far)
    assert cell.log.read_text().startswith(tails[1])
    assert len(second.log_tail(2).splitlines()) == 2


def test_a_wrong_option_ends_it_early_and_the_log_tells_why(house: House, cell: Cell) -> None:
    with house.with_options("--workers", "many").start(cell) as instance:
        assert instance.wait(DEADLINE_S) == 2
        assert "workers" in instance.log_tail(5)


def test_a_port_that_is_taken_is_told_and_nothing_stays(house: House, cell: Cell) -> None:
    with socket.create_server((HOST, cell.port)):
        assert "address already in use" in why_it_did_not_start(house.subject, cell).lower()

    assert house.left() == []


def test_an_error_while_it_runs_leaves_nothing(house: House, cell: Cell) -> None:
    with pytest.raises(ZeroDivisionError):
        fail_beside(house.subject, cell)

    until(lambda: not house.left(), "nothing is left")


def test_no_accepted_job_is_lost_or_doubled_over_kills_and_stops(house: House, cell: Cell) -> None:
    accepted: list[str] = []
    for number in range(2 * ROUNDS):
        with house.subject.start(cell) as instance:
            await_ready(instance)
            accepted += submit_while_it_ends(instance, gently=number % 2 == 1)

    with house.subject.start(cell) as instance, client(instance) as http:
        await_ready(instance)
        for job in accepted:
            until(lambda job=job: http.get(job).json()["state"] == "succeeded", f"{job} has ended")  # type: ignore[misc]
        completions = {job: http.get(job).json()["completions"] for job in accepted}

    assert len(accepted) >= 2 * ROUNDS * ENOUGH
    assert {job: count for job, count in completions.items() if count != 1} == {}


def fail_beside(subject: Subject, cell: Cell) -> NoReturn:
    with subject.start(cell) as instance:
        await_ready(instance)
        raise ZeroDivisionError


def submit(instance: Instance) -> str:
    """Submit a job and return where it is read."""
    with client(instance) as http:
        return http.post("/jobs", json=JOB).raise_for_status().headers["Location"]


def why_it_did_not_start(subject: Subject, cell: Cell) -> str:
    try:
        with subject.start(cell) as instance:
            assert instance.wait(DEADLINE_S) not in {0, None}
            return instance.log_tail(5)
    except SubjectError as error:
        return str(error)


def submit_while_it_ends(instance: Instance, *, gently: bool) -> list[str]:
    """Submit jobs from some clients at once, end the instance amid them, and return those it accepted."""
    accepted: list[str] = []
    ended = Event()

    def submit_on() -> None:
        while not ended.is_set():
            try:
                accepted.append(submit(instance))
            except httpx.HTTPError:
                continue  # refused, or cut off: not accepted, as far as a client knows

    with ThreadPoolExecutor(CLIENTS) as clients:
        submitting = [clients.submit(submit_on) for _ in range(CLIENTS)]
        try:
            until(lambda: len(accepted) >= ENOUGH, "jobs are accepted")
            if gently:
                instance.terminate()
                assert instance.wait(DEADLINE_S) == 0
            else:
                instance.kill()
        finally:
            ended.set()
        for each in submitting:
            each.result()
    return accepted
