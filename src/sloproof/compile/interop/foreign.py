"""Documents of other tools, read key by key, so that whatever no reader asked for is told, never dropped."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sloproof.slo.problems import InvalidFile, Problem
from sloproof.slo.quantities import shown
from sloproof.slo.yamltree import Place, Unreadable, parse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sloproof.slo.yamltree import Location, Plain, Tree

MAX_DOCUMENTS = 1_000
TRUE = frozenset({"true", "yes", "on"})
FALSE = frozenset({"false", "no", "off"})
NOTHING_LIKE_IT = "sloproof has nothing like it"


@dataclass(frozen=True, slots=True, order=True)
class Note:
    """What could not be carried over as it is, on which line, and why or what it became."""

    line: int
    message: str


class Wrong(Exception):  # noqa: N818 - it names what is wrong
    """A value of a foreign file cannot be what it is meant to be."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


class LeftOut(Exception):  # noqa: N818 - it is no mistake of anybody's
    """A value is right, and nothing of ours can stand for the part of the file that it belongs to."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


@dataclass(slots=True)
class Findings:
    """What is told of one file while it is read, in any order."""

    notes: list[Note] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    left_out: list[Problem] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Document:
    """One YAML document of a file, and which of its keys have been read."""

    path: Path
    tree: Tree
    findings: Findings
    opened: set[Location] = field(default_factory=set)
    taken: set[Location] = field(default_factory=set)

    @property
    def root(self) -> Value:
        """The whole of it."""
        return Value(self, ())

    @contextmanager
    def part(self, value: Value) -> Iterator[None]:
        """Read one part of the file: what is wrong in it is noted down, and the other parts are read too."""
        try:
            yield
        except Wrong as wrong:
            self.findings.problems.append(wrong.problem)
        except LeftOut as left:
            self.findings.left_out.append(left.problem)
            self.close(value.at)

    def close(self, location: Location) -> None:
        """Let nothing at or below a location count as forgotten: it is told about as a whole."""
        self.opened.difference_update([each for each in self.opened if each[: len(location)] == location])

    def forgotten(self) -> Iterator[Note]:
        """Yield a note for each key that nobody asked for, though its neighbours were read."""
        for location, place in self.tree.keys.items():
            if location[:-1] in self.opened and location not in self.taken:
                yield Note(place.line, f"'{dotted(location)}' is not carried over: {NOTHING_LIKE_IT}")


@dataclass(frozen=True, slots=True)
class Value:
    """A value in a document; what is read through it counts as read."""

    document: Document
    at: Location

    @property
    def data(self) -> Plain:
        """The value as plain data, whose scalars are text."""
        data: Plain = self.document.tree.data
        for step in self.at:
            data = data[step]  # type: ignore[index] # a location leads through what is there
        return data

    @property
    def line(self) -> int:
        """The line that it starts on, from 1; of its key where it has one."""
        tree = self.document.tree
        return (tree.keys.get(self.at) or tree.values[self.at]).line

    @property
    def name(self) -> str:
        """The path of keys to it, for messages."""
        return dotted(self.at)

    def get(self, *keys: str) -> Value | None:
        """Return the value under the first of some spellings of a key; ``None``: missing, or empty.

        Raises Wrong where it is no mapping.
        """
        data = self._mapping()
        found = None
        for key in keys:
            if key in data:
                self.document.taken.add((*self.at, key))
                found = found or (None if data[key] is None else Value(self.document, (*self.at, key)))
        return found

    def need(self, *keys: str, example: str) -> Value:
        """Return the value under a key that must be there; raises Wrong."""
        if (found := self.get(*keys)) is None:
            merged = " (keys are not merged from '<<': write them out)" if "<<" in self._mapping() else ""
            raise self.wrong(f"missing key '{keys[0]}'{merged}, e.g. {keys[0]}: {example}")
        return found

    def items(self) -> list[Value]:
        """Return the items of a list; raises Wrong."""
        data = self.data
        if not isinstance(data, list):
            raise self.wrong(f"{self.name}: takes a list ('- item'), not {shown(data)}")
        return [Value(self.document, (*self.at, index)) for index in range(len(data))]

    def pairs(self) -> list[tuple[str, Value]]:
        """Return all keys and values of a mapping but for empty ones, which are told; raises Wrong."""
        found = []
        for key in self._mapping():
            if (value := self.get(key)) is not None:
                found.append((key, value))
            else:
                Value(self.document, (*self.at, key)).note(f"'{self.name}.{key}' is empty, and left out")
        return found

    def text(self) -> str:
        """Return a scalar as it is written; raises Wrong."""
        if not isinstance(data := self.data, str):
            raise self.wrong(f"{self.name}: takes a text, not {shown(data)}")
        return data.strip()

    def true(self) -> bool:
        """Return a truth value; raises Wrong."""
        text = self.text().casefold()
        if text not in TRUE | FALSE:
            raise self.wrong(f"{self.name}: takes true or false, not {shown(self.data)}")
        return text in TRUE

    def drop(self, why: str, *keys: str) -> None:
        """Tell why some keys are not carried over, where they are there."""
        for key in keys:
            if (found := self.get(key)) is not None:
                found.note(f"'{found.name}' is not carried over: {why}")

    def note(self, message: str) -> None:
        """Tell something about this value."""
        self.document.findings.notes.append(Note(self.line, message))

    def wrong(self, message: str) -> Wrong:
        """Return the exception that this value is a mistake."""
        return Wrong(self._problem(message))

    def left_out(self, message: str) -> LeftOut:
        """Return the exception that what this value belongs to cannot be carried over."""
        return LeftOut(self._problem(message))

    def _problem(self, message: str) -> Problem:
        place = self.document.tree.values[self.at]
        return Problem(path=self.document.path, line=place.line, column=place.column, message=message)

    def _mapping(self) -> dict[str, Plain]:
        if not isinstance(data := self.data, dict):
            what = f"{self.name}: " if self.at else ""
            raise self.wrong(f"{what}takes a mapping ('key: value'), not {shown(data)}")
        self.document.opened.add(self.at)
        return data


def open_documents(path: Path, text: str) -> list[Document]:
    """Return the documents in a text, which share their findings; those without data are passed over.

    Raises:
        InvalidFile: it is not YAML, has no document, or too many.

    """
    findings = Findings()
    documents = []
    for start, chunk in _chunks(text):
        try:
            tree = parse("\n" * start + chunk)  # so that every place is one of the file
        except Unreadable as error:
            raise InvalidFile([_problem(path, error.place, error.message)]) from error
        findings.problems += [_problem(path, place, message) for place, message in tree.mistakes]
        documents.append(Document(path=path, tree=tree, findings=findings))
        if len(documents) > MAX_DOCUMENTS:
            raise InvalidFile(
                [_problem(path, Place(start + 1, 1), f"more than {MAX_DOCUMENTS:,} documents: split it")]
            )
    if not documents:
        raise InvalidFile([_problem(path, Place(1, 1), "the file is empty: name one that holds SLOs")])
    return documents


def close_documents(documents: list[Document], *, carried: bool) -> tuple[Note, ...]:
    """Return all notes on a file that has been read, in its order; `carried` tells whether anything was.

    Raises:
        InvalidFile: something in it is wrong, or nothing of it can be carried over.

    """
    findings = documents[0].findings
    if findings.problems:
        raise InvalidFile(dict.fromkeys(findings.problems))
    if not carried:
        raise InvalidFile(
            findings.left_out
            or [_problem(documents[0].path, Place(1, 1), "there is no SLO in it: name a file that holds one")]
        )
    left_out = (Note(each.line or 1, each.message) for each in findings.left_out)
    forgotten = (note for document in documents for note in document.forgotten())
    return tuple(sorted({*findings.notes, *left_out, *forgotten}))


def dotted(location: Location) -> str:
    """Return a location as people write it.

    >>> dotted(("spec", "slos", 0, "name"))
    'spec.slos[0].name'
    """
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)
    return "".join(steps).removeprefix(".")


def _chunks(text: str) -> Iterator[tuple[int, str]]:
    """Yield each document's text and how many lines stand before it.

    A line that starts with three hyphens ends a document wherever it stands, in a block of text too.
    """
    lines = text.split("\n")
    starts = [0, *(number for number, line in enumerate(lines) if _separates(line) and number)]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        chunk = lines[start:end]
        if any(_has_data(line) for line in chunk):
            yield start, "\n".join(chunk)


def _separates(line: str) -> bool:
    return line.startswith("---") and not line[3:].strip("\r")[:1].strip()


def _has_data(line: str) -> bool:
    content = line.strip().removeprefix("---").strip()
    return bool(content) and content != "..." and not content.startswith(("#", "%"))


def _problem(path: Path, place: Place, message: str) -> Problem:
    return Problem(path=path, line=place.line, column=place.column, message=message)
