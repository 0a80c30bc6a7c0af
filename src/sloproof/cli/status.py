"""`sloproof status`: say how much of each error budget is left, from a Prometheus without any rules."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from sloproof.cli.coverage import covered
from sloproof.cli.options import server
from sloproof.cli.sources import load_source, named_or_all
from sloproof.cli.standing import standing_table
from sloproof.cli.terminal import WRONG_INPUT, console, fail
from sloproof.compile.lint import queries
from sloproof.compile.status import Question, exit_status, search
from sloproof.observe.prometheus import Prometheus, QueryError
from sloproof.slo.problems import InvalidFile, Problem

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from sloproof.compile.lint.findings import Source
    from sloproof.compile.status import ObjectiveStatus
    from sloproof.slo.definition import Objective


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.epilog = (
        "Exit status: 0 all objectives met, 1 one violated, 2 wrong input, 3 no data of one, "
        "5 the Prometheus cannot be asked."
    )
    parser.add_argument(
        "files", type=Path, nargs="*", metavar="FILE", help="SLO files; default: every slo/*.yaml"
    )
    parser.add_argument(
        "--prometheus",
        type=server,
        required=True,
        metavar="URL",
        help="such as http://127.0.0.1:9090; it needs the service's metrics, and no rules",
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Ask about every objective, show how they stand, and return the exit status.

    Raises InvalidFile, WrongInput and PrometheusError.
    """
    sources = [load_source(path) for path in named_or_all(options.files)]
    if findings := [found for source in sources for found in queries.check(source) if found.is_error]:
        return fail(WRONG_INPUT, *map(str, findings))
    with Prometheus(options.prometheus) as prometheus:
        now_s = prometheus.now_s()
        statuses = [
            _ask(prometheus, source, objective, now_s=now_s)
            for source in sources
            for objective in source.definition.objectives
        ]
    if options.json:
        sys.stdout.write(_json(statuses, prometheus=str(options.prometheus), now_s=now_s))
    else:
        console().print(standing_table(statuses, prometheus=str(options.prometheus)))
    return exit_status(statuses)


def _ask(prometheus: Prometheus, source: Source, objective: Objective, *, now_s: float) -> ObjectiveStatus:
    of = source.definition
    try:
        covered_s = covered(prometheus, search(objective, of.metrics, now_s=now_s))
        question = Question(definition=of, objective=objective, covered_s=covered_s, now_s=now_s)
        asked = question.queries() if covered_s else {}
        return question.judge({text: prometheus.number(text, at_s=at_s) for text, at_s in asked.items()})
    except QueryError as error:
        if error.wrong:
            message = f"the Prometheus at {prometheus.address} refuses '{objective.name}': {error}"
            raise InvalidFile(
                [Problem(path=source.path, line=objective.line, column=1, message=message)]
            ) from None
        nothing = Question(definition=of, objective=objective, covered_s=0, now_s=now_s)
        return nothing.judge({}, refusal=str(error))


def _json(statuses: Sequence[ObjectiveStatus], *, prometheus: str, now_s: float) -> str:
    objectives = [{**asdict(each), "sli": each.sli} for each in statuses]
    return json.dumps({"prometheus": prometheus, "at_s": now_s, "objectives": objectives}, indent=2) + "\n"
