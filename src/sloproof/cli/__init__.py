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

from sloproof.analysis.results import exit_status
from sloproof.cli.planning import plan_table, size
from sloproof.cli.progress import RunProgress
from sloproof.cli.verdicts import verdict_table
from sloproof.experiment import spec
from sloproof.experiment.backends import BackendError, choose
from sloproof.experiment.orphans import sweep
from sloproof.experiment.record import BackendName
from sloproof.experiment.run import DiskFullError, execute, open_run, resume_run
from sloproof.experiment.runfolder import RunFolder, RunFolderError, write_atomically
from sloproof.experiment.summary import summarise
from sloproof.load.process import LoadError, LoadInputError
from sloproof.report.documents import documents
from sloproof.slo import definition
from sloproof.slo.problems import InvalidFile
from sloproof.subject.port import SubjectError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from sloproof.experiment.run import Run
    from sloproof.experiment.spec import Experiment

OK = 0
WRONG_INPUT = 2
ENVIRONMENT_FAILED = 5
DEFECT = 70  # of sloproof itself, so that none is taken for a verdict; sysexits.h calls it EX_SOFTWARE
INTERRUPTED = 130
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
    except (RunFolderError, LoadInputError, BackendError) as failure:
        return _fail(WRONG_INPUT, f"sloproof: {failure}")
    except (SubjectError, LoadError, DiskFullError, OSError) as failure:
        return _fail(ENVIRONMENT_FAILED, f"sloproof: {_worded(failure)}")
    except KeyboardInterrupt:
        return _fail(INTERRUPTED, "sloproof: interrupted; nothing is left running")
    except Exception:  # noqa: BLE001 - the last resort: told whole, and with a status that is no verdict
        return _fail(
            DEFECT, f"sloproof: this is a defect of sloproof, please report it\n{traceback.format_exc()}"
        )
    return status


def _worded(failure: Exception) -> str:
    """Return an error in words; the system's own come with a number that tells people nothing."""
    if isinstance(failure, OSError) and failure.strerror:
        return f"{failure.filename}: {failure.strerror}" if failure.filename else failure.strerror
    return str(failure)


def _fail(status: int, *lines: str) -> int:
    for line in lines:
        sys.stderr.write(f"{line}\n")
    return status


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    """Treat SIGTERM and a closed terminal as Ctrl-C, so that every context ends what it has started."""
    raise KeyboardInterrupt


def _run(options: argparse.Namespace) -> int:
    if (options.experiment is None) == (options.resume is None):
        return _fail(WRONG_INPUT, "sloproof run: name an experiment file, or a run with --resume")
    console = _console()
    for left_over in sweep():
        console.print(f"removed what a killed run had left: {left_over}", markup=False)
    with RunProgress(console) as progress:
        run = _opened(options, progress) if options.resume is None else _resumed(options, progress)
        try:
            execute(run, progress)
        except (SubjectError, LoadError, OSError, DiskFullError, KeyboardInterrupt):
            progress.stop()
            _keep_what_there_is(run.folder, console)
            raise
    return _write_report(run.folder, console)


def _opened(options: argparse.Namespace, progress: RunProgress) -> Run:
    experiment = _experiment(options)
    backend = choose(experiment, options.backend)
    progress.backend(backend)
    return open_run(
        options.experiment, experiment, backend=backend, reports=options.reports, progress=progress
    )


def _resumed(options: argparse.Namespace, progress: RunProgress) -> Run:
    given = [name for name in ("blocks", "seed", "backend") if getattr(options, name) is not None]
    if given:
        raise RunFolderError(f"--{given[0]} cannot be changed within a run: leave it out, or start a new run")
    return resume_run(RunFolder(options.resume), progress)


def _keep_what_there_is(folder: RunFolder, console: Console) -> None:
    """Report on what was measured before a run ended early, and say how to go on."""
    try:
        if folder.records():
            _write_report(folder, console)
    except OSError as failure:
        _fail(ENVIRONMENT_FAILED, f"sloproof: no report could be written: {_worded(failure)}")
    console.print(f"Go on with: sloproof run --resume {folder.path}", markup=False, soft_wrap=True)


def _experiment(options: argparse.Namespace) -> Experiment:
    """Read the experiment, changed as the options say."""
    experiment = spec.load(options.experiment)
    changes = {"blocks": options.blocks, "seed": options.seed}
    return experiment.model_copy(update={name: value for name, value in changes.items() if value is not None})


def _plan(options: argparse.Namespace) -> int:
    experiment = _experiment(options)
    definition.load(experiment.slo)
    console = _console()
    console.print(size(experiment, choose(experiment, options.backend)), markup=False, soft_wrap=True)
    console.print(plan_table(experiment))
    return OK


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
    for name, text in documents(results, samples=lambda trial: folder.trial(trial).samples()):
        path = folder.path / name
        path.parent.mkdir(exist_ok=True)
        write_atomically(path, text)
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
        "experiment",
        type=Path,
        nargs="?",
        metavar="FILE",
        help="an experiment, such as experiments/quick.yaml",
    )
    run.add_argument(
        "--resume", type=Path, metavar="RUN", help="go on with an interrupted run, such as reports/…-quick"
    )
    run.add_argument(
        "--reports", type=Path, default=Path("reports"), metavar="DIR", help="default: %(default)s"
    )
    _add_choices(run)
    run.set_defaults(command=_run)

    plan = commands.add_parser("plan", help="say what an experiment would run, and for how long")
    plan.add_argument("experiment", type=Path, metavar="FILE", help="an experiment")
    _add_choices(plan)
    plan.set_defaults(command=_plan)

    report = commands.add_parser("report", help="make the report of a run again, from its raw data")
    report.add_argument("run", type=Path, metavar="RUN", help="the folder of a run, such as reports/…-quick")
    report.set_defaults(command=_report)

    validate = commands.add_parser("validate", help="check SLO files")
    validate.add_argument(
        "files", type=Path, nargs="+", metavar="FILE", help="SLO files, such as slo/jobs.yaml"
    )
    validate.set_defaults(command=_validate)
    return parser


def _add_choices(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--backend",
        type=_backend,
        metavar="auto|process|docker",
        help="where the subject runs; auto, the default, takes docker where an engine answers",
    )
    parser.add_argument("--blocks", type=_count, metavar="N", help="instead of the file's number of blocks")
    parser.add_argument("--seed", type=_seed, metavar="N", help="instead of the file's seed")


def _backend(text: str) -> BackendName | None:
    try:
        return None if text == "auto" else BackendName(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is none of auto, process, docker") from None


def _count(text: str) -> int:
    return _whole_number(text, least=1, most=MOST_BLOCKS)


def _seed(text: str) -> int:
    return _whole_number(text, least=0, most=MOST_SEED)


def _whole_number(text: str, *, least: int, most: int) -> int:
    if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from {least} to {most:,}")
    return int(text)
