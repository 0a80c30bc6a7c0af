"""`sloproof plan`: say what an experiment would run, where, and for how long."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sloproof.cli.choices import add_choices, experiment_of
from sloproof.cli.planning import plan_table, size
from sloproof.cli.terminal import OK, console
from sloproof.experiment.backends import choose
from sloproof.slo import definition

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("experiment", type=Path, metavar="FILE", help="an experiment")
    add_choices(parser)
    parser.set_defaults(command=_plan)


def _plan(options: argparse.Namespace) -> int:
    experiment = experiment_of(options)
    definition.load(experiment.slo)
    out = console()
    out.print(size(experiment, choose(experiment, options.backend)), markup=False, soft_wrap=True)
    out.print(plan_table(experiment))
    return OK
