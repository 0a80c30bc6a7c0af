from __future__ import annotations

import os
import signal
import socket
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sloproof.subject.port import Cell, SubjectError
from sloproof.subject.process import NICENESS, ProcessInstance, ProcessSubject, free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# A leader with one child that ignores SIGTERM; both hold on until they are killed.
STUBBORN = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.execvp(sys.executable, [sys.executable, "-c", "import time; time.sleep(600)"])
print("up", flush=True)
time.sleep(600)
"""
OBEDIENT = """
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
print("up", flush=True)
signal.pause()
"""


@pytest.fixture
def cell(tmp_path: Path) -> Cell:
    (tmp_path / "state").mkdir()
    return Cell(
        factors={"workers": "4"}, folder=tmp_path / "state", log=tmp_path / "subject.log", port=free_port()
    )


@pytest.fixture
def started(cell: Cell) -> Iterator[Callable[[str], ProcessInstance]]:
    with ExitStack() as running:

        def start(code: str) -> ProcessInstance:
            instance = ProcessSubject(command=["{python}", "-c", code], directory=cell.folder).start(cell)
            running.enter_context(instance)
            wait_until(lambda: "up" in instance.log_tail(1))
            return instance

        yield start


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)


def group(leader: int) -> list[int]:
    """Return the processes of a group that are not mere zombies."""
    members = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, pgrp = stat.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(pgrp) == leader and state != "Z":
            members.append(int(stat.parent.name))
    return members


def test_a_killed_instance_leaves_no_process_of_its_group(started: Callable[[str], ProcessInstance]) -> None:
    instance = started(STUBBORN)
    wait_until(lambda: len(group(instance.pid)) == 2)

    instance.kill()
    instance.kill()

    wait_until(lambda: not group(instance.pid))
    assert instance.exit_status() == -signal.SIGKILL


def test_a_worker_that_outlives_its_leader_is_killed_with_the_group(
    started: Callable[[str], ProcessInstance],
) -> None:
    instance = started(STUBBORN)
    wait_until(lambda: len(group(instance.pid)) == 2)
    os.kill(instance.pid, signal.SIGKILL)
    assert instance.wait(20) == -signal.SIGKILL
    assert len(group(instance.pid)) == 1

    instance.kill()

    wait_until(lambda: not group(instance.pid))


def test_sigterm_reaches_the_leader_and_its_status_is_told(started: Callable[[str], ProcessInstance]) -> None:
    instance = started(OBEDIENT)
    assert instance.exit_status() is None

    instance.terminate()

    assert instance.wait(20) == 7
    instance.terminate()  # to one that has ended: nothing happens


def test_one_that_does_not_stop_is_waited_for_no_longer_than_asked(
    started: Callable[[str], ProcessInstance],
) -> None:
    instance = started(STUBBORN)
    instance.terminate()

    assert instance.wait(0.1) is None


def test_a_subject_and_what_it_starts_go_behind_the_load_generator(
    started: Callable[[str], ProcessInstance],
) -> None:
    instance = started(STUBBORN)
    wait_until(lambda: len(group(instance.pid)) == 2)

    assert {os.getpriority(os.PRIO_PROCESS, pid) for pid in group(instance.pid)} == {NICENESS}


def test_placeholders_are_filled_in_command_and_environment(cell: Cell) -> None:
    subject = ProcessSubject(
        command=["{python}", "-c", "import os; print(os.environ['SETTINGS'])"],
        directory=cell.folder,
        env={"SETTINGS": "{workers} workers on {port} in {folder}"},
    )
    with subject.start(cell) as instance:
        assert instance.wait(20) == 0
        assert instance.log_tail(1) == f"4 workers on {cell.port} in {cell.folder}"


def test_a_command_that_does_not_exist_is_named(cell: Cell) -> None:
    with pytest.raises(SubjectError, match="cannot start '/nonexistent --port'"):
        ProcessSubject(command=["/nonexistent", "--port"], directory=cell.folder).start(cell)


def test_a_port_that_is_taken_is_not_given_out() -> None:
    first = free_port()
    with socket.create_server(("127.0.0.1", first)):
        second = free_port()

    assert second != first
