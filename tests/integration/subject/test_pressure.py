"""What holds a real subject back is seen in the kernel's accounts of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sloproof.observe.accounts import reading
from sloproof.observe.pressure import gained
from sloproof.subject.docker import Container, DockerSubject, Engine
from sloproof.subject.process import ProcessSubject
from tests.integration.subject.houses import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sloproof.subject.port import Cell, Instance

IDLE = "import signal; print('up', flush=True); signal.pause()"
# Two that spin on one processor, so that each waits for the other.
CROWDED = """
import os
os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
os.fork()
print('up', flush=True)
while True: pass
"""
# Spins in a child that ends, and then no more.
ENDED = """
import os, signal, time
child = os.fork()
if child == 0:
    while time.process_time() < 0.3: pass
    os._exit(0)
print('up', flush=True)
os.waitpid(child, 0)
print('ended', flush=True)
signal.pause()
"""


def process(code: str, cell: Cell) -> ProcessSubject:
    return ProcessSubject(command=["{python}", "-c", code], directory=cell.folder)


def sleeps(pid: int | None) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "S"


@pytest.fixture
def spinning(engine: Engine, bare_image: str, cell: Cell) -> Iterator[Instance]:
    """Return a container that would take a whole processor, and is given a fifth of one."""
    code = "print('up', flush=True)\nwhile True: pass"
    asked = Container(image=bare_image, command=("python", "-c", code), env={}, port=8000, cpus=0.2)
    with DockerSubject(engine=engine, container=asked).start(cell) as instance:
        until(lambda: "up" in instance.log_tail(1), "it is up")
        yield instance


def test_a_crowded_process_is_seen_to_run_and_to_wait(cell: Cell) -> None:
    with process(CROWDED, cell).start(cell) as instance:
        until(lambda: instance.log_tail(2) == "up\nup", "both spin")
        before = reading(instance.pid)

        def has_run_and_waited() -> bool:
            gain = gained(before, reading(instance.pid))
            return (gain.cpu_s or 0) > 0.2 and (gain.waited_s or 0) > 0.2

        until(has_run_and_waited, "it has run, and waited")
        figures = gained(before, reading(instance.pid)).figures()

    assert figures["wait_ratio"] is not None
    assert figures["wait_ratio"] > 0.25  # half, were there nothing else on the processor
    if Path("/proc/pressure/cpu").exists():
        assert figures["psi_cpu_some_ratio"]


def test_an_idle_process_is_seen_to_do_neither(cell: Cell) -> None:
    with process(IDLE, cell).start(cell) as instance, process(CROWDED, cell).start(cell) as other:
        until(lambda: instance.log_tail(3).count("up") == 3, "all are up")
        until(lambda: sleeps(instance.pid), "it sleeps")
        before, of_other = reading(instance.pid), reading(other.pid)
        until(lambda: (gained(of_other, reading(other.pid)).cpu_s or 0) > 0.2, "the other one has run")
        gain = gained(before, reading(instance.pid))

    assert gain.cpu_s == 0
    assert gain.waited_s == 0


def test_what_a_child_has_used_before_it_ended_counts(cell: Cell) -> None:
    with process(ENDED, cell).start(cell) as instance:
        until(lambda: "ended" in instance.log_tail(1), "the child has ended")
        after = reading(instance.pid)

    assert after.cpu_s is not None
    assert after.cpu_s >= 0.3


def test_a_container_that_hits_its_limit_is_seen_throttled(spinning: Instance) -> None:
    before = reading(spinning.pid)
    assert spinning.pid is not None

    until(lambda: (gained(before, reading(spinning.pid)).throttled_periods or 0) >= 5, "it was throttled")
    figures = gained(before, reading(spinning.pid)).figures()

    assert figures["throttled_ratio"] is not None
    assert figures["throttled_ratio"] > 0.5
    assert figures["throttled_s"]
    assert figures["cpu_ratio"] is not None
    assert 0 < figures["cpu_ratio"] < 0.6  # of one processor, of which it would like the whole


def test_a_container_that_has_ended_has_no_process(spinning: Instance) -> None:
    spinning.kill()

    assert spinning.pid is None
    assert reading(spinning.pid).cpu_s is None
