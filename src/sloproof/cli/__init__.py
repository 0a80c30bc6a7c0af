"""The command `sloproof`: arguments in, text and exit status out, and nothing else."""

from __future__ import annotations

import argparse
import signal
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from rich.console import Console

from sloproof.analysis.results import exit_status, to_json
from sloproof.cli.progress import RunProgress
from sloproof.cli.verdicts import verdict_table
from sloproof.experiment import spec
from sloproof.experiment.run import execute, open_run
from sloproof.experiment.runfolder import RunFolder, RunFolderError, write_atomically
from sloproof.experiment.summary import summarise
from sloproof.load.process import LoadError
from sloproof.report.page import page
from sloproof.slo import definition
from sloproof.slo.problems import InvalidFile, Problem
from sloproof.subject.port import SubjectError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

OK = 0
WRONG_INPUT = 2
ENVIRONMENT_FAILED = 5
INTERRUPTED = 130
# What a trial takes besides its load, until the first one has been timed.
OVERHEAD_S = 6.0
MOST = 1_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    error = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        status: int = options.command(options)
    except InvalidFile as invalid:
        for problem in invalid.problems:
            error.print(str(problem), markup=False)
        return WRONG_INPUT
    except RunFolderError as failure:
        error.print(f"sloproof: {failure}", markup=False)
        return WRONG_INPUT
    except (SubjectError, LoadError) as failure:
        error.print(f"sloproof: {failure}", markup=False)
        return ENVIRONMENT_FAILED
    except KeyboardInterrupt:
        error.print("sloproof: interrupted; nothing is left running", markup=False)
        return INTERRUPTED
    return status


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    """Treat SIGTERM as Ctrl-C, so that every context ends what it has started."""
    raise KeyboardInterrupt


def _run(options: argparse.Namespace) -> int:
    experiment = spec.load(options.experiment)
    changes = {"blocks": options.blocks, "seed": options.seed}
    experiment = experiment.model_copy(
        update={name: value for name, value in changes.items() if value is not None}
    )
    objectives = definition.load(experiment.slo)
    console = _console()
    traffic = experiment.load
    folder = open_run(experiment, source=options.experiment, reports=options.reports)
    try:
        with RunProgress(console, trial_s=traffic.warmup + traffic.duration + OVERHEAD_S) as progress:
            execute(folder, experiment, objectives, progress)
    except (SubjectError, LoadError, KeyboardInterrupt):
        if folder.records():  # what was measured before is worth reading
            _write_report(folder, console)
        raise
    return _write_report(folder, console)


def _report(options: argparse.Namespace) -> int:
    return _write_report(RunFolder(options.run), _console())


def _validate(options: argparse.Namespace) -> int:
    problems: list[Problem] = []
    for path in options.files:
        try:
            objectives = definition.load(path)
        except InvalidFile as invalid:
            problems += invalid.problems
        else:
            _console().print(f"{path}: {objectives.service}, {len(objectives.objectives)} objectives")
    if problems:
        raise InvalidFile(problems)
    return OK


def _write_report(folder: RunFolder, console: Console) -> int:
    results = summarise(folder)
    write_atomically(folder.results, to_json(results))
    write_atomically(folder.report, page(results))
    console.print()
    console.print(verdict_table(results))
    console.print(f"Report: {folder.report}", soft_wrap=True)
    return exit_status(results)


def _console() -> Console:
    # Where nobody sets a width, lines of a log should not be broken at the 80th column.
    return Console(highlight=False, width=None if sys.stdout.isatty() else 160)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sloproof",
        description="Prove service-level objectives before production does.",
        epilog="Exit status of run and report: 0 all objectives met, 1 one violated, 2 wrong input, "
        "3 inconclusive, 4 no valid measurement, 5 the environment failed.",
    )
    parser.add_argument("--version", action="version", version=f"sloproof {version('sloproof')}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="run an experiment and report on it")
    run.add_argument(
        "experiment", type=Path, metavar="FILE", help="an experiment, such as experiments/quick.yaml"
    )
    run.add_argument(
        "--reports", type=Path, default=Path("reports"), metavar="DIR", help="default: %(default)s"
    )
    run.add_argument("--blocks", type=_count, metavar="N", help="instead of the file's number of blocks")
    run.add_argument("--seed", type=_count, metavar="N", help="instead of the file's seed")
    run.set_defaults(command=_run)

    report = commands.add_parser("report", help="make the report of a run again, from its raw data")
    report.add_argument("run", type=Path, metavar="RUN", help="the folder of a run, such as reports/…-quick")
    report.set_defaults(command=_report)

    validate = commands.add_parser("validate", help="check SLO files")
    validate.add_argument(
        "files", type=Path, nargs="+", metavar="FILE", help="SLO files, such as slo/jobs.yaml"
    )
    validate.set_defaults(command=_validate)
    return parser


def _count(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if not 1 <= number <= MOST:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from 1 to {MOST:,}")
    return number
