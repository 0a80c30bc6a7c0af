"""Processes that outlived their sloproof, and those that did not."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sloproof.subject.owner import VARIABLE, Life, Owner, sweep_processes
from sloproof.subject.process import ProcessSubject
from tests.integration.subject.houses import environ, until
from tests.integration.subject.owners import left_by_a_dead_owner, owner_running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sloproof.subject.port import Cell

WAIT = "import time; time.sleep(600)"
# It starts a subject, which starts a process in a session of its own; the subject writes both numbers.
SUBJECT = """
import subprocess, sys, time
child = subprocess.Popen(["sleep", "600"], start_new_session=True)
open(sys.argv[1], "w").write(str(child.pid))
time.sleep(600)
"""
OWNER = """
import signal, sys, time
from pathlib import Path
from sloproof.subject.port import Cell
from sloproof.subject.process import ProcessSubject
folder, code = Path(sys.argv[1]), sys.argv[2]
subject = ProcessSubject(command=["{python}", "-c", code, "{folder}/child"], directory=folder)
instance = subject.start(Cell(factors={}, folder=folder, log=folder / "log", port=8000))
while not (folder / "child").exists() or not (folder / "child").read_text():
    time.sleep(0.02)
print(instance.pid, (folder / "child").read_text(), flush=True)
signal.pause()
"""


def runs(pid: int) -> bool:
    return bool(environ(Path(f"/proc/{pid}")))


def test_what_a_killed_owner_started_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    with left_by_a_dead_owner(OWNER, str(tmp_path), SUBJECT) as line:
        orphans = [int(pid) for pid in line.split()]
        assert [runs(pid) for pid in orphans] == [True, True]

        swept = sweep_processes()

        for pid in orphans:
            assert any(f"process {pid} (" in each for each in swept)
            until(lambda pid=pid: not runs(pid), f"{pid} is gone")  # type: ignore[misc]


def test_what_a_living_owner_started_is_left_alone(tmp_path: Path, cell: Cell) -> None:
    ours = ProcessSubject(command=["sleep", "600"], directory=cell.folder)
    with owner_running(OWNER, str(tmp_path), SUBJECT) as (owner, line), ours.start(cell) as instance:
        theirs = [int(pid) for pid in line.split()]

        swept = sweep_processes()

        assert [
            each for each in swept if any(f"process {pid} (" in each for pid in [*theirs, instance.pid])
        ] == []
        assert [runs(pid) for pid in theirs] == [True, True]
        assert instance.exit_status() is None
        owner.kill()
        owner.wait()
        sweep_processes()


@pytest.fixture
def marked() -> Iterator[Callable[[str], subprocess.Popen[bytes]]]:
    """Return a way to start a process that carries a mark; none outlives the test."""
    with ExitStack() as started:

        def start(mark: str) -> subprocess.Popen[bytes]:
            process = started.enter_context(
                subprocess.Popen([sys.executable, "-c", WAIT], env={VARIABLE: mark})
            )
            started.callback(process.kill)
            until(lambda: environ(Path(f"/proc/{process.pid}"))[1:], "it has its environment")
            return process

        yield start


def dead() -> Owner:
    """Return an owner that has ended: this process, started one tick earlier."""
    present = Owner.present()
    return replace(present, start_ticks=present.start_ticks - 1)


@pytest.mark.parametrize(
    ("mark", "is_killed"),
    [
        pytest.param(dead().mark, True, id="whose number another process has now"),
        pytest.param(replace(dead(), boot="another").mark, False, id="of another boot"),
        pytest.param(replace(dead(), namespace="1").mark, False, id="in another namespace"),
        pytest.param("nonsense", False, id="that is none"),
        pytest.param("", False, id="that is empty"),
    ],
)
def test_the_process_of_an_owner_is_killed_only_if_the_owner_is_known_to_be_dead(
    marked: Callable[[str], subprocess.Popen[bytes]], mark: str, *, is_killed: bool
) -> None:
    process = marked(mark)

    swept = sweep_processes()

    assert any(f"process {process.pid} ({sys.executable} -c {WAIT})" == each for each in swept) is is_killed
    if is_killed:
        assert process.wait(60) == -9
    else:
        assert process.poll() is None


def test_a_sweeping_process_spares_itself() -> None:
    # As where a person starts sloproof from a shell that a dead one had started.
    code = "from sloproof.subject.owner import sweep_processes; sweep_processes(); print('lives')"
    environment = os.environ | {VARIABLE: dead().mark}
    swept = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )

    assert swept.stdout == "lives\n"


def test_an_owner_that_has_ended_and_was_not_waited_for_is_dead() -> None:
    code = "from sloproof.subject.owner import Owner; print(Owner.present().mark)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        owner = Owner.parse(child.stdout.readline().strip())
        assert owner is not None
        until(lambda: owner.life() is Life.DEAD, "it is dead")
        assert child.returncode is None
