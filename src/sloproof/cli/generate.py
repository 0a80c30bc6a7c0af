"""`sloproof generate`: write what SLO files compile to, or say what is not as it should be."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sloproof.cli.sources import load_source, named_or_all
from sloproof.cli.terminal import OK, WRONG_INPUT, fail
from sloproof.compile.conventions import slo_id
from sloproof.compile.lint import queries
from sloproof.compile.outputs import FOLDERS, MARK, Format, Kind, Source, outputs
from sloproof.files import write_atomically
from sloproof.slo import definition
from sloproof.slo.definition import ErrorRatio, Ratio
from sloproof.slo.problems import InvalidFile, Problem

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Sequence

    from sloproof.compile.lint.findings import Finding
    from sloproof.compile.outputs import Output

DRIFTED = 1


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument(
        "files", type=Path, nargs="*", metavar="FILE", help="SLO files; default: every slo/*.yaml"
    )
    parser.add_argument("--out", type=Path, default=Path(), metavar="DIR", help="default: this folder")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail with 1 where a file is not as it would be"
    )
    parser.add_argument(
        "--format",
        choices=[each.value for each in Format],
        default=Format.PROMETHEUS,
        metavar="prometheus|prometheus-operator",
        help="of rules",
    )
    parser.add_argument(
        "--only",
        choices=[each.value for each in Kind],
        action="append",
        help="rules, tests or dashboards; may be repeated",
    )
    parser.set_defaults(command=_generate)


def _generate(options: argparse.Namespace) -> int:
    sources = load_all(named_or_all(options.files))
    if findings := list(_wrong_queries(sources)):
        return fail(WRONG_INPUT, *map(str, findings))
    made = outputs(sources, form=Format(options.format), kinds=map(Kind, options.only or Kind))
    return _check(made, options) if options.check else _write(made, options)


def load_all(paths: Sequence[Path]) -> list[Source]:
    """Return the definitions in files.

    Raises:
        InvalidFile: with the mistakes of all of them, and where two would make the same files or series.

    """
    problems: list[Problem] = []
    sources: list[Source] = []
    for path in paths:
        try:
            found = definition.load(path)
        except InvalidFile as invalid:
            problems.extend(invalid.problems)
            continue
        sources.append(Source(name=path.as_posix(), definition=found))
    problems.extend(_repeated(sources))
    if problems:
        raise InvalidFile(problems)
    return sources


def _wrong_queries(sources: Iterable[Source]) -> Iterator[Finding]:
    """Yield what is wrong with queries of the user's own: a Prometheus would refuse all rules of a file."""
    for source in sources:
        kinds = {type(objective.indicator) for objective in source.definition.objectives}
        if kinds & {Ratio, ErrorRatio}:
            found = queries.check(load_source(Path(source.name)))
            yield from (finding for finding in found if finding.is_error)


def _repeated(sources: Iterable[Source]) -> Iterator[Problem]:
    """Yield a problem for each service or objective that another file has made files or series of."""
    taken: dict[str, str] = {}
    for source in sources:
        service, path = source.definition.service, Path(source.name)
        if (other := taken.setdefault(service, source.name)) != source.name:
            message = f"the service '{service}' is described by {other} already: keep one file a service"
            yield Problem(path=path, line=1, column=1, message=message)
            continue
        for objective in source.definition.objectives:
            name = slo_id(service, objective.name)
            if (other := taken.setdefault(f"id {name}", source.name)) != source.name:
                message = f"'{name}' is what an objective of {other} is called too: rename one of them"
                yield Problem(path=path, line=objective.line, column=1, message=message)


def _write(made: Iterable[Output], options: argparse.Namespace) -> int:
    written = []
    for output in made:
        path = options.out / output.path
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, output.text, durable=False)
        written.append(path)
        print(path)  # noqa: T201
    for path in _strays(written, options):
        path.unlink()
        print(f"{path}: removed, nothing compiles to it any more")  # noqa: T201
    return OK


def _check(made: Iterable[Output], options: argparse.Namespace) -> int:
    known, drifted = [], []
    for output in made:
        path = options.out / output.path
        known.append(path)
        if not path.exists():
            drifted.append(f"{path}: is missing: run sloproof generate")
        elif path.read_text(encoding="utf-8") != "".join(output.text):
            drifted.append(
                f"{path}: is not what the SLO files compile to: run sloproof generate, and do not edit it"
            )
    drifted += [
        f"{path}: nothing compiles to it any more: run sloproof generate" for path in _strays(known, options)
    ]
    return fail(DRIFTED, *drifted) if drifted else OK


def _strays(known: Iterable[Path], options: argparse.Namespace) -> Iterator[Path]:
    """Yield files that an earlier call has made, when all is made: those of others carry no such mark."""
    if options.only or options.files:
        return
    expected = set(known)
    for folder in FOLDERS:
        for path in sorted((options.out / folder).glob("*.yaml")):
            if path not in expected and path.read_text(encoding="utf-8").startswith(MARK):
                yield path
