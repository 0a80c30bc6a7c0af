"""`sloproof import`: turn a file of another tool into SLO files, and tell what is not in them."""

from __future__ import annotations

from argparse import ArgumentTypeError
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

from pydantic import TypeAdapter, ValidationError

from sloproof.cli.interop import add_output, refuse_to_replace, tell, write
from sloproof.cli.terminal import OK
from sloproof.compile.interop import openslo, pyrra, sloth
from sloproof.slo.fileformat import Slug
from sloproof.slo.problems import WrongInput
from sloproof.slo.quantities import parse_positive_duration
from sloproof.slo.tiers import MONTH
from sloproof.slo.yamlfile import read_text

if TYPE_CHECKING:
    import argparse
    from typing import Literal

    from sloproof.compile.interop.ours import Imported, SloFile

    Format = Literal["sloth", "pyrra", "openslo"]

FORMATS = ("sloth", "pyrra", "openslo")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("format", choices=FORMATS, help="whose file it is")
    parser.add_argument("file", type=Path, metavar="FILE", help="the file to read")
    add_output(
        parser, "PATH", "an SLO file, or a folder for one SLO file a service; default: standard output"
    )
    parser.add_argument(
        "--window",
        type=_duration,
        default=Decimal(MONTH),
        metavar="30d",
        help="of SLOs that say none, as all of Sloth's do",
    )
    parser.add_argument(
        "--service", type=_name, metavar="NAME", help="of the SLOs of Pyrra, which knows no services"
    )
    parser.set_defaults(command=_import)


def _import(options: argparse.Namespace) -> int:
    imported = _read(options.format, options)
    tell(options.file, imported.notes, strict=options.strict)
    for path, file in _places(imported.files, options):
        write(file.text(), path)
    return OK


def _read(chosen: Format, options: argparse.Namespace) -> Imported:
    text = read_text(options.file)
    match chosen:
        case "sloth":
            return sloth.read(text, path=options.file, window_s=options.window)
        case "pyrra":
            return pyrra.read(text, path=options.file, service=options.service)
        case "openslo":
            return openslo.read(text, path=options.file, window_s=options.window)
        case _:
            assert_never(chosen)


def _places(files: tuple[SloFile, ...], options: argparse.Namespace) -> list[tuple[Path | None, SloFile]]:
    """Return where each file goes, ``None`` being standard output; refuses before any of them is written."""
    out: Path | None = options.out
    services = ", ".join(file.service for file in files)
    if len(files) > 1 and (out is None or out.is_file()):
        raise WrongInput(
            f"{options.file} describes {len(files)} services ({services}), and an SLO file one: "
            "give --out a folder"
        )
    if out is None:
        return [(None, files[0])]
    in_folder = len(files) > 1 or out.is_dir()
    places = [(out / f"{file.service}.yaml" if in_folder else out, file) for file in files]
    refuse_to_replace([path for path, _ in places], force=options.force)
    return list(places)


def _duration(text: str) -> Decimal:
    try:
        return parse_positive_duration(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None


def _name(text: str) -> str:
    try:
        return TypeAdapter(Slug).validate_python(text)
    except ValidationError as error:
        raise ArgumentTypeError(str(error.errors()[0]["ctx"]["error"])) from None
