"""The command `sloproof`: arguments in, text and exit status out, and nothing else."""

from __future__ import annotations

import argparse
import signal
import sys
import traceback
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, NoReturn

from sloproof.cli.terminal import DEFECT, ENVIRONMENT_FAILED, INTERRUPTED, WRONG_INPUT, fail, worded
from sloproof.slo.problems import EnvironmentFailed, InvalidFile, WrongInput

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

COMMANDS = {
    "run": "run an experiment and report on it",
    "load-worker": "send a share of the load of a run on another machine",
    "plan": "say what an experiment would run, and for how long",
    "report": "make the report of a run again, from its raw data",
    "compare": "say whether a run is faster or slower, better or worse than another",
    "validate": "check SLO files",
    "generate": "compile SLO files to Prometheus rules, alerts, their tests, and Grafana dashboards",
    "status": "say how much of each error budget is left, from a Prometheus",
    "import": "turn an SLO of Sloth, Pyrra or OpenSLO into an SLO file",
    "export": "turn an SLO file into one of OpenSLO or Sloth",
}
"""Each has a module of its name in this folder, read only when the command is given: some take a second."""
MODULES = {"import": "importing", "export": "exporting", "load-worker": "loadworker"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    options = _parser(given).parse_args(given)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        status: int = options.command(options)
    except KeyboardInterrupt:
        return fail(INTERRUPTED, "sloproof: interrupted; nothing is left running")
    except Exception as failure:  # noqa: BLE001 - a user's mistake or ours, each is told in its own way
        return _told(failure)
    return status


def _told(failure: Exception) -> int:
    """Tell what went wrong and return the status that it means; what is not foreseen is a defect of ours."""
    match failure:
        case InvalidFile(problems=problems):
            return fail(WRONG_INPUT, *map(str, problems))
        case WrongInput():
            return fail(WRONG_INPUT, f"sloproof: {failure}")
        case BrokenPipeError():  # whoever read the output has seen enough
            sys.stderr.close()
            return INTERRUPTED
        case EnvironmentFailed() | OSError():
            return fail(ENVIRONMENT_FAILED, f"sloproof: {worded(failure)}")
        case _:
            told_whole = "".join(traceback.format_exception(failure))
            return fail(DEFECT, f"sloproof: this is a defect of sloproof, please report it\n{told_whole}")


class _Version(argparse.Action):
    """Say the version, which is looked up only then: that takes longer than some commands."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        parser.exit(message=f"sloproof {version('sloproof')}\n")


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    """Treat SIGTERM and a closed terminal as Ctrl-C, so that every context ends what it has started."""
    raise KeyboardInterrupt


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sloproof",
        description="Prove service-level objectives before production does.",
        epilog="Exit status of run and report: 0 all objectives met, 1 one violated, 2 wrong input, "
        "3 inconclusive, 4 no valid measurement, 5 the environment failed; 130 interrupted.",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="say which version this is")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    chosen = next((each for each in arguments if each in COMMANDS), None)
    for name, purpose in COMMANDS.items():
        command = commands.add_parser(name, help=purpose, description=f"{purpose[0].upper()}{purpose[1:]}.")
        if name == chosen:
            import_module(f"sloproof.cli.{MODULES.get(name, name)}").configure(command)
    return parser
