"""`sloproof compare`: say whether a run, or a configuration, is slower or worse than another."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from sloproof.analysis.comparison.outcome import REGRESSIONS, Kind, Relation
from sloproof.analysis.comparison.recorded import (
    RUN,
    across_runs,
    differences,
    differences_within,
    shared,
    within_one,
)
from sloproof.analysis.results import to_json
from sloproof.cli.comparisons import comparison_table, lines
from sloproof.cli.terminal import INCONCLUSIVE, NO_MEASUREMENT, OK, REGRESSION, WRONG_INPUT, console, fail
from sloproof.experiment.runfolder import RunFolder
from sloproof.experiment.summary import summarise
from sloproof.report.compared import RunComparison, as_json, as_markdown
from sloproof.slo.problems import InvalidFile, Problem, WrongInput
from sloproof.slo.quantities import parse_margin
from sloproof.slo.wording import nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sloproof.analysis.comparison.outcome import Margin
    from sloproof.analysis.comparison.recorded import Difference, RecordedRun


class NotComparableError(WrongInput):
    """The two measured different things."""

    def __init__(self, baseline: str, current: str, found: Sequence[Difference]) -> None:
        named = "\n".join(f"  {each.field}: {each.baseline!r} and {each.current!r}" for each in found)
        super().__init__(
            f"{baseline} and {current} cannot be compared: not the same in both:\n{named}\n"
            "Compare what was measured in the same way on the same machine, or overrule this with --force"
        )


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.epilog = (
        "Exit status: 0, unless 4 nothing was measured validly on a side, 2 the runs cannot be compared; "
        "with --fail-on-regression also 1 slower or worse somewhere, 3 nothing at all could be decided."
    )
    parser.add_argument(
        "baseline",
        type=Path,
        metavar="BASELINE",
        help="what to compare with: the folder of a run, or a results.json",
    )
    parser.add_argument("current", type=Path, nargs="?", metavar="CURRENT", help="what is compared, likewise")
    parser.add_argument(
        "--pair",
        nargs=2,
        metavar=("FIRST", "SECOND"),
        help="instead of CURRENT: two configurations of BASELINE, compared block by block",
    )
    parser.add_argument(
        "--fail-on-regression", action="store_true", help="end with 1 where anything is slower or worse"
    )
    parser.add_argument(
        "--force", action="store_true", help="compare runs of different things too, and say what differs"
    )
    for name, of in (("margin", "latency"), ("budget-margin", "error budget")):
        parser.add_argument(
            f"--{name}",
            type=_margin,
            metavar="PERCENT",
            help=f"what share of the {of} makes no matter; default: as the experiment of CURRENT says",
        )
    outputs = parser.add_mutually_exclusive_group()
    outputs.add_argument("--json", action="store_true", help="write everything as JSON instead of a table")
    outputs.add_argument("--markdown", action="store_true", help="write a comment for a pull request instead")
    parser.set_defaults(command=_compare)


def _compare(options: argparse.Namespace) -> int:
    if (options.current is None) == (options.pair is None):
        return fail(WRONG_INPUT, "sloproof compare: name two runs, or one with --pair FIRST SECOND")
    made, measured = _of_one_run(options) if options.current is None else _of_two_runs(options)
    _show(made, options)
    if not measured:
        return NO_MEASUREMENT
    return _status(made) if options.fail_on_regression else OK


def _of_two_runs(options: argparse.Namespace) -> tuple[RunComparison, bool]:
    """Return the comparison of two runs, and whether both have a valid trial."""
    baseline, current = _read(options.baseline), _read(options.current)
    found = differences(baseline, current)
    _refuse(baseline.run, current.run, found, options)
    if not shared(baseline, current):
        raise WrongInput(f"{baseline.run} and {current.run} have no configuration in common")
    margin = _chosen(current.plan.margin, options)
    made = RunComparison(
        baseline=baseline.run,
        current=current.run,
        margin=margin,
        differences=tuple(found),
        comparisons=across_runs(baseline, current, margin=margin),
    )
    return made, all(any(trial.valid for trial in run.trials) for run in (baseline, current))


def _of_one_run(options: argparse.Namespace) -> tuple[RunComparison, bool]:
    """Return the comparison of two configurations of a run, and whether both have a valid trial."""
    run = _read(options.baseline)
    first, second = options.pair
    ids = [each.id for each in run.configurations]
    if unknown := next((name for name in options.pair if name not in ids), None):
        raise WrongInput(f"{run.run} has no configuration '{unknown}'{nearest(unknown, ids)}")
    found = differences_within(run, first, second)
    _refuse(first, second, found, options)
    margin = _chosen(run.plan.margin, options)
    made = RunComparison(
        baseline=first,
        current=second,
        margin=margin,
        differences=tuple(found),
        comparisons=within_one(run, first, second, margin=margin),
    )
    return made, all(any(trial.valid for trial in run.of(name)) for name in options.pair)


def _refuse(baseline: str, current: str, found: Sequence[Difference], options: argparse.Namespace) -> None:
    if found and not options.force:
        raise NotComparableError(baseline, current, found)


def _chosen(margin: Margin, options: argparse.Namespace) -> Margin:
    given = {"latency_ratio": options.margin, "budget_ratio": options.budget_margin}
    return replace(margin, **{name: ratio for name, ratio in given.items() if ratio is not None})


def _show(made: RunComparison, options: argparse.Namespace) -> None:
    if options.json:
        sys.stdout.write(as_json(made))
    elif options.markdown:
        sys.stdout.write(as_markdown(made))
    else:
        out = console()
        out.print(comparison_table(made))
        for line in lines(made):
            out.print(line, markup=False, soft_wrap=True)


def _status(made: RunComparison) -> int:
    """Return 1 for a regression, 3 where not one latency or share of bad events could be decided, else 0."""
    if any(each.relation in REGRESSIONS for each in made.comparisons):
        return REGRESSION
    estimated = {each.relation for each in made.comparisons if each.metric.kind is not Kind.INTEGRITY}
    return INCONCLUSIVE if estimated <= {Relation.INCONCLUSIVE} else OK


def _read(path: Path) -> RecordedRun:
    """Read a run from its raw data, where its folder is given, or as a results.json tells of it.

    Raises:
        WrongInput: it is neither.

    """
    text = to_json(summarise(RunFolder(path))) if path.is_dir() else _text(path)
    try:
        run = RUN.validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise _unreadable(path, f"not the results of a run: {where}: {first['msg']}") from error
    if not run.plan.inputs:
        raise _unreadable(path, "plan.inputs does not say which files defined the run")
    return run


def _unreadable(path: Path, what: str) -> InvalidFile:
    cure = "One of an older sloproof is made again by sloproof report"
    return InvalidFile([Problem(path=path, message=f"{what}. {cure}")])


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise WrongInput(f"{path} is neither the folder of a run nor its results.json: {error}") from error


def _margin(text: str) -> float:
    try:
        return parse_margin(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
