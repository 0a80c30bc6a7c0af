"""`sloproof load-worker`: send a share of the load of a run that goes on on another machine."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sloproof.cli.terminal import ENVIRONMENT_FAILED, OK, WRONG_INPUT, console, fail
from sloproof.cli.workers import LOCUSTS_PORT, port
from sloproof.load.endings import NO_MASTER, NOT_SEATED, ORPHANED
from sloproof.load.workers import JOIN_WITHIN_S

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command, named as Locust names its own."""
    parser.add_argument(
        "-f", "--locustfile", type=Path, required=True, metavar="FILE", help="a copy of the run's Locust file"
    )
    parser.add_argument("--master-host", required=True, metavar="HOST", help="where the run listens")
    parser.add_argument(
        "--master-port", type=port, default=LOCUSTS_PORT, metavar="PORT", help="default: %(default)s"
    )
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="HOST",
        help="a host that may be loaded from here beside this machine: that of the subject; may be repeated",
    )
    parser.set_defaults(command=_work)


def _work(options: argparse.Namespace) -> int:
    """Serve one trial after another, in a process for each, until no master comes any more."""
    out, served = console(), 0
    master = f"{options.master_host}:{options.master_port}"
    out.print(f"waiting for a run at {master}", markup=False)
    while True:
        status = _serve(options)
        if status in {OK, ORPHANED}:
            served += 1
            out.print(f"trial {served} " + ("done" if status == OK else "was broken off"), markup=False)
        elif status == NOT_SEATED:
            continue
        elif status == NO_MASTER and served:
            return OK
        elif status == NO_MASTER:
            return fail(ENVIRONMENT_FAILED, f"sloproof: no run at {master} within {JOIN_WITHIN_S:g} s")
        else:
            return fail(WRONG_INPUT, "sloproof: the load worker could not do its part, see above")


def _serve(options: argparse.Namespace) -> int:
    settings = {
        "locustfile": str(options.locustfile.resolve()),
        "master_host": options.master_host,
        "master_port": options.master_port,
        "allow_hosts": options.allow_host,
        "within_s": JOIN_WITHIN_S,
    }
    # Nothing is ever written to stdin: it ends when this process does, which ends the worker.
    with subprocess.Popen(
        [sys.executable, "-m", "sloproof.load.worker", json.dumps(settings)], stdin=subprocess.PIPE
    ) as worker:
        try:
            return worker.wait()
        finally:
            worker.kill()
