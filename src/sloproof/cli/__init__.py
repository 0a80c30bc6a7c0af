"""The command `sloproof`: arguments in, text and exit status out, and nothing else."""

from __future__ import annotations

import argparse
import signal
import sys
import traceback
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
from sloproof.load.process import LoadError, LoadInputError
from sloproof.report.page import page
from sloproof.slo import definition
from sloproof.slo.problems import InvalidFile
from sloproof.subject.port import SubjectError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

OK = 0
WRONG_INPUT = 2
ENVIRONMENT_FAILED = 5
DEFECT = 70  # of sloproof itself, so that none is taken for a verdict; sysexits.h calls it EX_SOFTWARE
INTERRUPTED = 130
# What a trial takes besides its load, until the first one has been timed.
OVERHEAD_S = 6.0
MOST_BLOCKS = 1_000
MOST_SEED = 2**63 - 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    options = _parser().parse_args(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        status: int = options.command(options)
    except InvalidFile as invalid:
        return _fail(WRONG_INPUT, *map(str, invalid.problems))
    except (RunFolderError, LoadInputError) as failure:
        return _fail(WRONG_INPUT, f"sloproof: {failure}")
    except (SubjectError, LoadError, OSError) as failure:
        return _fail(ENVIRONMENT_FAILED, f"sloproof: {failure}")
    except KeyboardInterrupt:
        return _fail(INTERRUPTED, "sloproof: interrupted; nothing is left running")
    except Exception:  # noqa: BLE001 - the last resort: told whole, and with a status that is no verdict
        return _fail(
            DEFECT, f"sloproof: this is a defect of sloproof, please report it\n{traceback.format_exc()}"
        )
    return status


def _fail(status: int, *lines: str) -> int:
    for line in lines:
        sys.stderr.write(f"{line}\n")
    return status


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    """Treat SIGTERM and a closed terminal as Ctrl-C, so that every context ends what it has started."""
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
    except (SubjectError, LoadError, OSError, KeyboardInterrupt):
        if folder.records():  # what was measured before is worth reading
            _write_report(folder, console)
        raise
    return _write_report(folder, console)


def _report(options: argparse.Namespace) -> int:
    return _write_report(RunFolder(options.run), _console())


def _validate(options: argparse.Namespace) -> int:
    status = OK
    for path in options.files:
        try:
            objectives = definition.load(path)
        except InvalidFile as invalid:
            status = _fail(WRONG_INPUT, *map(str, invalid.problems))
        else:
            sys.stdout.write(f"{path}: {objectives.service}, {len(objectives.objectives)} objectives\n")
    return status


def _write_report(folder: RunFolder, console: Console) -> int:
    results = summarise(folder)
    write_atomically(folder.results, to_json(results))
    write_atomically(folder.report, page(results))
    console.print()
    console.print(verdict_table(results))
    console.print(f"Report: {folder.report}", markup=False, soft_wrap=True)
    return exit_status(results)


def _console() -> Console:
    # Where nobody sets a width, lines of a log should not be broken at the 80th column.
    return Console(highlight=False, width=None if sys.stdout.isatty() else 160)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sloproof",
        description="Prove service-level objectives before production does.",
        epilog="Exit status of run and report: 0 all objectives met, 1 one violated, 2 wrong input, "
        "3 inconclusive, 4 no valid measurement, 5 the environment failed; 130 interrupted.",
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
    run.add_argument("--seed", type=_seed, metavar="N", help="instead of the file's seed")
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
    return _whole_number(text, least=1, most=MOST_BLOCKS)


def _seed(text: str) -> int:
    return _whole_number(text, least=0, most=MOST_SEED)


def _whole_number(text: str, *, least: int, most: int) -> int:
    if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from {least} to {most:,}")
    return int(text)
