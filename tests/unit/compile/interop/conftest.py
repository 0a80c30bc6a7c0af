"""Foreign files written by hand, and what becomes of them, loaded as SLO files are."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

import pytest

from sloproof.compile.interop import openslo, pyrra, sloth
from sloproof.slo import definition

if TYPE_CHECKING:
    from pathlib import Path

    from sloproof.compile.interop.ours import Imported
    from sloproof.slo.definition import Definition, Objective

    Format = Literal["sloth", "pyrra", "openslo"]

MONTH_S = Decimal(30 * 86_400)


@dataclass(frozen=True, slots=True)
class Desk:
    """Where foreign files are put and read."""

    folder: Path

    def read(self, form: Format, text: str, *, service: str | None = None) -> Imported:
        """Return what is imported from a text; raises InvalidFile."""
        path = self.folder / f"{form}.yaml"
        match form:
            case "sloth":
                return sloth.read(text, path=path, window_s=MONTH_S)
            case "pyrra":
                return pyrra.read(text, path=path, service=service)
            case _:
                return openslo.read(text, path=path, window_s=MONTH_S)

    def load(self, form: Format, text: str, *, service: str | None = None) -> list[Definition]:
        """Return the definitions in the files that an import gives, as everything else reads them."""
        return [self.loaded(file.text()) for file in self.read(form, text, service=service).files]

    def loaded(self, text: str) -> Definition:
        """Return the definition in the text of an SLO file."""
        path = self.folder / "slo.yaml"
        path.write_text(text, encoding="utf-8")
        return definition.load(path)

    def objective(self, form: Format, text: str) -> Objective:
        """Return the one objective that a text describes."""
        (found,) = self.load(form, text)
        (objective,) = found.objectives
        return objective

    def notes(self, form: Format, text: str, *, service: str | None = None) -> list[tuple[int, str]]:
        """Return the line and the message of each note on a text."""
        return [(note.line, note.message) for note in self.read(form, text, service=service).notes]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)
