"""`sloproof export`: turn an SLO file into one of another tool, and tell what is not in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, assert_never

from sloproof.cli.interop import add_output, refuse_to_replace, tell, write
from sloproof.cli.terminal import OK
from sloproof.compile.interop import to_openslo, to_sloth
from sloproof.compile.interop.exported import NothingLeft
from sloproof.slo import definition

if TYPE_CHECKING:
    import argparse
    from typing import Literal

    from sloproof.compile.interop.exported import Exported

    Format = Literal["openslo", "sloth"]

FORMATS = ("openslo", "sloth")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("format", choices=FORMATS, help="who is to read it")
    parser.add_argument("file", type=Path, metavar="FILE", help="an SLO file")
    add_output(parser, "FILE", "the file to write; default: standard output")
    parser.set_defaults(command=_export)


def _export(options: argparse.Namespace) -> int:
    try:
        exported = _made(options.format, options.file)
    except NothingLeft as nothing:
        tell(options.file, nothing.notes, strict=False)
        raise
    tell(options.file, exported.notes, strict=options.strict)
    if options.out:
        refuse_to_replace([options.out], force=options.force)
    write(exported.text, options.out)
    return OK


def _made(chosen: Format, path: Path) -> Exported:
    found = definition.load(path)
    match chosen:
        case "openslo":
            return to_openslo.export(found)
        case "sloth":
            return to_sloth.export(found)
        case _:
            assert_never(chosen)
