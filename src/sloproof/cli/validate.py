"""`sloproof validate`: say what is wrong with SLO files, why, and what to do about it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sloproof.cli.facts import Inquiry, exposition
from sloproof.cli.options import address, server
from sloproof.cli.sources import load_source
from sloproof.cli.terminal import OK, WRONG_INPUT, fail
from sloproof.compile.lint.inspection import Given, inspect
from sloproof.observe.conventions import JOB_COMPLETED
from sloproof.observe.prometheus import Prometheus
from sloproof.slo.problems import InvalidFile
from sloproof.slo.quantities import parse_rate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from decimal import Decimal

    from sloproof.compile.lint.findings import Finding, Source
    from sloproof.compile.lint.given import Live
    from sloproof.observe.address import Address


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.epilog = (
        "Exit status: 0 nothing wrong, or warnings only; 2 wrong; 5 what was to be asked cannot be asked."
    )
    parser.add_argument(
        "files", type=Path, nargs="+", metavar="FILE", help="SLO files, such as slo/jobs.yaml"
    )
    parser.add_argument(
        "--metrics",
        type=_exposed,
        metavar="URL|FILE",
        help="what the service exposes, live or recorded: are thresholds bounds of its buckets?",
    )
    parser.add_argument(
        "--prometheus",
        type=server,
        metavar="URL",
        help="such as http://127.0.0.1:9090: does it have the series, for long enough, often enough?",
    )
    parser.add_argument(
        "--traffic",
        type=_rate,
        metavar="RATE",
        help="events of each objective, such as 5/m: are they enough?",
    )
    parser.add_argument("--strict", action="store_true", help="fail on warnings too")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Read every file, write what is wrong to standard error, and return the exit status.

    Raises WrongInput and PrometheusError.
    """
    status, sources = OK, []
    for path in {path.resolve(): path for path in options.files}.values():
        try:
            sources.append(load_source(path))
        except InvalidFile as invalid:
            status = fail(WRONG_INPUT, *map(str, invalid.problems))
    findings = inspect(
        sources,
        Given(
            seen_events=[JOB_COMPLETED],
            traffic_per_s=options.traffic,
            exposed=None if options.metrics is None else exposition(options.metrics),
            live=_live(options.prometheus, sources),
        ),
    )
    return max(status, _tell(sources, findings, strict=options.strict))


def _live(place: Address | None, sources: Iterable[Source]) -> Mapping[Path, Live] | None:
    if place is None:
        return None
    with Prometheus(place) as prometheus:
        inquiry = Inquiry(prometheus)
        return {source.path: inquiry.about(source) for source in sources}


def _tell(sources: Iterable[Source], findings: Sequence[Finding], *, strict: bool) -> int:
    """Write the findings, and a line for each file that has no error."""
    status = OK
    for source in sources:
        own = [found for found in findings if found.path == source.path]
        failed = any(found.is_error or strict for found in own)
        fail(WRONG_INPUT, *map(str, own))
        if failed:
            status = WRONG_INPUT
        else:
            count = len(source.definition.objectives)
            sys.stdout.write(f"{source.path}: {source.definition.service}, {count} objectives\n")
    return status


def _exposed(text: str) -> Address | Path:
    return address(text) if "://" in text else Path(text)


def _rate(text: str) -> Decimal:
    try:
        return parse_rate(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
