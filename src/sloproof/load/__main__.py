"""The generator's process, ``python -m sloproof.load CONFIG``: commands on stdin, events on stdout.

Nobody types it; ``sloproof.load.process`` does. It exits with 0 after ``finish``, with 2 after an error that
it has reported, and at once when stdin ends (its parent is gone) or on SIGTERM.
"""

# ruff: noqa: I001 - Locust must be imported before anything that gevent has to patch
from __future__ import annotations

import os

# The default, epoll, wakes up to 1 ms late; select wakes after 0.13 ms in the median, for the same CPU time.
os.environ.setdefault("GEVENT_BACKEND", "select")

import locust  # noqa: F401

import logging
import signal
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import gevent
from gevent.fileobject import FileObject

from sloproof.load.endings import ERROR, ORPHANED
from sloproof.load.failures import WorkerError, failure
from sloproof.load.fleet import Fleet
from sloproof.load.generator import Generator
from sloproof.load.locustfile import LocustfileError
from sloproof.load.protocol import (
    Audit,
    Finish,
    Finished,
    ProtocolError,
    Ready,
    RunPhase,
    StopPhase,
    encode,
    parse_command,
    parse_config,
)
from sloproof.slo.problems import InvalidFile

if TYPE_CHECKING:
    from collections.abc import Callable

    from sloproof.load.fleetphase import FleetPhase
    from sloproof.load.phase import PhaseRun
    from sloproof.load.protocol import Event

TERMINATED = 128 + signal.SIGTERM

logger = logging.getLogger(__name__)


def converse(generator: Generator | Fleet, emit: Callable[[Event], None]) -> None:
    """Do what the parent commands, one thing at a time, except that a running phase can be stopped.

    Returns after ``finish``; leaves the process when stdin ends. Raises ProtocolError.
    """
    phase: PhaseRun | FleetPhase | None = None
    work: gevent.Greenlet | None = None
    for line in FileObject(sys.stdin.fileno(), "r"):
        command = parse_command(line)
        if work and not isinstance(command, StopPhase):  # a greenlet is true until it is done
            raise ProtocolError(
                f"{command.command} came before the previous command was done; wait for its event"
            )
        match command:
            case RunPhase():
                phase = generator.phase(command, emit)
                work = gevent.spawn(perform, phase.run, emit)
            case StopPhase():
                if phase is not None:
                    phase.stop()
            case Audit():
                work = gevent.spawn(perform, partial(generator.audit, command), emit)
            case Finish():
                generator.finish()
                emit(Finished())
                return
    os._exit(ORPHANED)


def perform(work: Callable[[], Event], emit: Callable[[Event], None]) -> None:
    """Report what some work came to; any error ends the process, since the parent waits for a report."""
    try:
        emit(work())
    except Exception as exc:
        logger.exception("command_failed")
        emit(failure(exc))
        os._exit(ERROR)


def main(config: Path) -> int:
    """Run the generator and return its exit status."""
    logging.basicConfig(level=logging.WARNING)
    gevent.signal_handler(signal.SIGTERM, os._exit, TERMINATED)
    protocol = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    # What a Locust file prints must not end up among the events.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def emit(event: Event) -> None:
        protocol.write(encode(event))
        protocol.flush()

    try:
        order = parse_config(config.read_text())
        generator = Fleet(order) if order.workers.several else Generator(order)
        emit(Ready(pid=os.getpid(), tasks=generator.tasks, epoch_unix_s=generator.epoch_unix_s))
        converse(generator, emit)
    except (LocustfileError, ProtocolError, WorkerError, InvalidFile, OSError) as exc:
        emit(failure(exc))
        return ERROR
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
