"""SLO files for commands that look at more than what they define: their text, and the place of each value."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sloproof.compile.lint.findings import Source
from sloproof.slo import definition
from sloproof.slo.problems import WrongInput
from sloproof.slo.yamlfile import open_document

if TYPE_CHECKING:
    from collections.abc import Iterable


def named_or_all(paths: Iterable[Path]) -> list[Path]:
    """Return the files that were named, each once, or all of slo/ where none was.

    Raises:
        WrongInput: there is none.

    """
    files = list({path.resolve(): path for path in paths}.values()) or sorted(Path("slo").glob("*.yaml"))
    if not files:
        raise WrongInput("there is no slo/*.yaml here: name SLO files, or go to the folder that has slo/")
    return files


def load_source(path: Path) -> Source:
    """Return an SLO file; raises InvalidFile with its mistakes."""
    found = definition.load(path)
    return Source(text=path.read_text(encoding="utf-8-sig"), document=open_document(path), definition=found)
