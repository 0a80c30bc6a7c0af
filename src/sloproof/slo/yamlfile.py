"""Read a YAML file into a pydantic model, or say what is wrong with it and where; it knows no model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError

from sloproof.slo.problems import InvalidFile, Problem
from sloproof.slo.wording import describe
from sloproof.slo.yamltree import Place, Unreadable, parse

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pydantic_core import ErrorDetails

    from sloproof.slo.yamltree import Location, Tree

__all__ = ["Document", "InvalidFile", "Problem", "open_document", "read", "read_text"]

M = TypeVar("M", bound=BaseModel)
MAX_BYTES = 256 * 1024


def read(path: Path, model: type[M]) -> M:
    """Return the model that a YAML file describes.

    Raises:
        InvalidFile: with every mistake found.

    """
    return open_document(path).validate(model)


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML file as plain data that has yet to be validated."""

    path: Path
    tree: Tree

    def validate(self, model: type[M], *, also: Iterable[Problem] = ()) -> M:
        """Return the data as a model; `also` are problems found already, to be told together with the rest.

        Raises InvalidFile.
        """
        problems = [self._problem(place, message) for place, message in self.tree.mistakes]
        problems.extend(also)
        try:
            valid = model.model_validate(self.tree.data)
        except ValidationError as error:
            details = [each for each in error.errors(include_url=False) if not _follows_from_others(each)]
            problems += [self._from(each, model) for each in details]
            raise InvalidFile(problems) from error
        if problems:
            raise InvalidFile(problems)
        return valid

    def problem(self, location: Location, message: str) -> Problem:
        """Return a problem with the value at a location."""
        return self._problem(self.tree.values[location], message)

    def problem_of_key(self, location: Location, message: str) -> Problem:
        """Return a problem with the key at a location."""
        return self._problem(self.tree.keys[location], message)

    def line(self, location: Location) -> int:
        """Return the line on which the value at a location starts, from 1."""
        return self.tree.values[location].line

    def _problem(self, place: Place, message: str) -> Problem:
        return Problem(path=self.path, line=place.line, column=place.column, message=message)

    def _from(self, error: ErrorDetails, model: type[BaseModel]) -> Problem:
        known: Location = ()
        for step in error["loc"]:
            if (*known, step) in self.tree.values:  # what is not names a union's variant, or is missing
                known = (*known, step)
        of_key = error["type"] == "extra_forbidden" or error["loc"][-1:] == ("[key]",)
        place = (self.tree.keys if of_key else self.tree.values)[known]
        key = next((step for step in reversed(known) if isinstance(step, str)), None)
        return self._problem(place, describe(error, model, key=key))


def _follows_from_others(error: ErrorDetails) -> bool:
    """Tell whether a list is called too short only because its items, told apart, are wrong."""
    return error["type"] == "too_short" and len(error["input"]) >= error["ctx"]["min_length"]


def open_document(path: Path) -> Document:
    """Return the one document in a YAML file.

    Raises:
        InvalidFile: it cannot be read, or is not YAML.

    """
    text = read_text(path)
    try:
        return Document(path, parse(text))
    except Unreadable as error:
        place, message = error.place, error.message
    raise InvalidFile([Problem(path=path, line=place.line, column=place.column, message=message)])


def read_text(path: Path) -> str:
    """Return the text of an input file, without a byte order mark.

    Raises:
        InvalidFile: it cannot be read, is too large, or is not UTF-8.

    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise InvalidFile([Problem(path=path, message="no such file: check the path")]) from None
    except IsADirectoryError:
        raise InvalidFile([Problem(path=path, message="is a folder: name a file in it")]) from None
    except OSError as error:
        message = f"cannot be read ({error.strerror}): name a YAML file that you may read"
        raise InvalidFile([Problem(path=path, message=message)]) from error
    if len(content) > MAX_BYTES:
        raise InvalidFile([Problem(path=path, message=f"is larger than {MAX_BYTES // 1024} KiB: split it")])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        message = f"the byte 0x{content[error.start]:02x} is not UTF-8: save the file as UTF-8"
        raise InvalidFile([Problem(path=path, line=line, column=column, message=message)]) from error
