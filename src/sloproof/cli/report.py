"""`sloproof report`: make the reports of a run again, from its raw data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sloproof.analysis.results import exit_status
from sloproof.cli.terminal import console
from sloproof.cli.verdicts import reasons, verdict_table
from sloproof.experiment.runfolder import RunFolder
from sloproof.experiment.summary import summarise
from sloproof.files import write_atomically
from sloproof.report.documents import documents
from sloproof.report.histograms import Histograms

if TYPE_CHECKING:
    import argparse

    from rich.console import Console


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("run", type=Path, metavar="RUN", help="the folder of a run, such as reports/…-quick")
    parser.set_defaults(command=_report)


def write_report(folder: RunFolder, out: Console) -> int:
    """Write every report of a run into its folder, show the verdicts, and return their exit status."""
    histograms = Histograms()
    results = summarise(folder, seen=lambda trial: histograms.add(trial.result, trial.scored))
    for name, text in documents(results, histograms):
        path = folder.path / name
        path.parent.mkdir(exist_ok=True)
        write_atomically(path, text)
    out.print()
    out.print(verdict_table(results))
    for line in reasons(results):
        out.print(line, markup=False, highlight=False, soft_wrap=True)
    out.print(f"Report: {folder.report}", markup=False, soft_wrap=True)
    return exit_status(results)


def _report(options: argparse.Namespace) -> int:
    return write_report(RunFolder(options.run), console())
