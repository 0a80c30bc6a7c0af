"""`sloproof run`: run an experiment, or go on with one, and report on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sloproof.cli.choices import add_choices, experiment_of
from sloproof.cli.progress import RunProgress
from sloproof.cli.report import write_report
from sloproof.cli.terminal import ENVIRONMENT_FAILED, WRONG_INPUT, console, fail, worded
from sloproof.cli.workers import OPTIONS as WORKERS_OPTIONS
from sloproof.cli.workers import add_workers, workers_of
from sloproof.experiment.backends import choose
from sloproof.experiment.capacity.plan import check_budget
from sloproof.experiment.capacity.run import search
from sloproof.experiment.orphans import sweep
from sloproof.experiment.run import execute, open_run, resume_run
from sloproof.experiment.runfolder import RunFolder, RunFolderError
from sloproof.slo.problems import EnvironmentFailed

if TYPE_CHECKING:
    import argparse

    from rich.console import Console

    from sloproof.experiment.run import Run


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument(
        "experiment",
        type=Path,
        nargs="?",
        metavar="FILE",
        help="an experiment, such as experiments/quick.yaml",
    )
    parser.add_argument(
        "--resume", type=Path, metavar="RUN", help="go on with an interrupted run, such as reports/…-quick"
    )
    parser.add_argument(
        "--reports", type=Path, default=Path("reports"), metavar="DIR", help="default: %(default)s"
    )
    add_choices(parser)
    add_workers(parser)
    parser.set_defaults(command=_run)


def _run(options: argparse.Namespace) -> int:
    if (options.experiment is None) == (options.resume is None):
        return fail(WRONG_INPUT, "sloproof run: name an experiment file, or a run with --resume")
    out = console()
    for left_over in sweep():
        out.print(f"removed what a killed run had left: {left_over}", markup=False)
    with RunProgress(out) as progress:
        run = _opened(options, progress) if options.resume is None else _resumed(options, progress)
        try:
            (search if run.experiment.search else execute)(run, progress)
        except (EnvironmentFailed, OSError, KeyboardInterrupt):
            progress.stop()
            _keep_what_there_is(run.folder, out)
            raise
    return write_report(run.folder, out)


def _opened(options: argparse.Namespace, progress: RunProgress) -> Run:
    experiment = experiment_of(options)
    backend = choose(experiment, options.backend)
    if experiment.search:
        check_budget(experiment, backend.name)
    workers = workers_of(options, experiment, backend.name)
    progress.backend(backend)
    return open_run(
        options.experiment,
        experiment,
        backend=backend,
        workers=workers,
        reports=options.reports,
        progress=progress,
    )


def _resumed(options: argparse.Namespace, progress: RunProgress) -> Run:
    fixed = ("blocks", "until_decided", "max_blocks", "seed", "backend", *WORKERS_OPTIONS)
    if given := [name.replace("_", "-") for name in fixed if getattr(options, name) not in (None, False)]:
        raise RunFolderError(f"--{given[0]} cannot be changed within a run: leave it out, or start a new run")
    return resume_run(RunFolder(options.resume), progress)


def _keep_what_there_is(folder: RunFolder, out: Console) -> None:
    """Report on what was measured before a run ended early, and say how to go on."""
    try:
        if folder.records():
            write_report(folder, out)
    except OSError as failure:
        fail(ENVIRONMENT_FAILED, f"sloproof: no report could be written: {worded(failure)}")
    out.print(f"Go on with: sloproof run --resume {folder.path}", markup=False, soft_wrap=True)
