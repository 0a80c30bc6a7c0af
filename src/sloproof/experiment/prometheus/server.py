"""Start the Prometheus of a run, wait until it is ready, end it in good order; it is asked elsewhere."""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import httpx

from sloproof.experiment.prometheus import setup
from sloproof.experiment.prometheus.choice import Image, Program
from sloproof.experiment.prometheus.container import PrometheusContainer
from sloproof.subject.interrupts import deferred
from sloproof.subject.port import HOST, Cell, SubjectError
from sloproof.subject.process import ProcessSubject, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sloproof.subject.port import Instance

POLL_S = 0.05
READY_WITHIN_S = 60.0  # it reads again what it had not yet put in order, when its run was killed
ENDED_WITHIN_S = 20.0
LOG_LINES = 10
# It shares the machine with the measurement: one thread is plenty for one target.
ENVIRONMENT = {"GOMAXPROCS": "1"}


def prepare(folder: Path, configuration: str) -> None:
    """Make its folder, or set up anew what it needs in one that an interrupted run has left."""
    (folder / setup.TARGETS).mkdir(parents=True, exist_ok=True)
    (folder / setup.DATA).mkdir(exist_ok=True)
    (folder / setup.CONFIG).write_text(configuration)
    (folder / setup.TARGETS / setup.TARGET_FILE).write_text(setup.NO_TARGET)


@contextmanager
def running(choice: Program | Image, folder: Path) -> Iterator[str]:
    """Run it on the data in a folder, as prepared, and give its URL; it has ended when the context has.

    Raises:
        SubjectError: it does not start, or is not ready in time; with the end of its log.

    """
    cell = Cell(factors={}, folder=folder.resolve(), log=folder / "log", port=free_port())
    with ExitStack() as started:
        with deferred():
            instance: Instance | PrometheusContainer
            if isinstance(choice, Program):
                instance = started.enter_context(_program(choice, cell))
            else:
                instance = started.enter_context(PrometheusContainer.start(choice, cell, ENVIRONMENT))
        _await_ready(instance)
        try:
            yield instance.url
        finally:
            with deferred():
                instance.terminate()  # so that it writes what it has, and no start needs to recover it
                instance.wait(ENDED_WITHIN_S)


def _program(choice: Program, cell: Cell) -> Instance:
    command = [choice.path, *setup.flags("{folder}", port="{port}")]
    return ProcessSubject(command=command, directory=cell.folder, env=ENVIRONMENT).start(cell)


def _await_ready(instance: Instance | PrometheusContainer) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    with httpx.Client(base_url=instance.url, timeout=2, trust_env=False) as http:
        while time.monotonic() < deadline:
            if (status := instance.exit_status()) is not None:
                raise _failed(instance, f"ended with status {status} before it was ready")
            try:
                if http.get("/-/ready").is_success:
                    return
            except httpx.TransportError:
                pass
            time.sleep(POLL_S)
    raise _failed(instance, f"was not ready within {READY_WITHIN_S:g} s")


def _failed(instance: Instance | PrometheusContainer, what: str) -> SubjectError:
    return SubjectError(f"Prometheus {what} on {HOST}\n{instance.log_tail(LOG_LINES)}".rstrip())
