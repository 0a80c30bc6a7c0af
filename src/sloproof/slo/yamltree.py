"""YAML text to plain data whose scalars are still text, and the place of each value; it knows no schema."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

Plain = str | list["Plain"] | dict[str, "Plain"] | None
Location = tuple[str | int, ...]

MAX_DEPTH = 50
MAX_VALUES = 10_000
NOT_PRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
NULL_TAG = "tag:yaml.org,2002:null"
CORE_TAGS = "tag:yaml.org,2002:"
ADVICE = {
    "mapping values are not allowed here": "give each key a line of its own, or quote a text that holds ': '",
    "found character '\\t'": "a tab cannot indent: use spaces",
    "found undefined alias": "define it first with '&', or quote a text that starts with '*'",
    "cannot start any token": "quote a text that starts with this character",
    "unexpected end of stream": "close the quotation mark",
    "found unknown escape character": "double the backslash, or use single quotation marks",
    "expected ',' or ']'": "close the list with ']'",
    "expected ',' or '}'": "close the mapping with '}'",
    "expected <block end>": "give all keys, or all items, of one block the same indentation",
    "could not find expected ':'": "write 'key: value'",
}


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A position in a text; both numbers count from 1."""

    line: int
    column: int


class Unreadable(Exception):  # noqa: N818 - internal to the two modules that read YAML
    """The text has no data to speak of: not YAML, empty, too large, or more than one document."""

    def __init__(self, place: Place, message: str) -> None:
        super().__init__(message)
        self.place = place
        self.message = message


@dataclass(slots=True)
class Tree:
    """Plain data, where each key and value of it stands, and what is wrong with keys and tags."""

    data: Plain = None
    keys: dict[Location, Place] = field(default_factory=dict)
    values: dict[Location, Place] = field(default_factory=dict)
    mistakes: list[tuple[Place, str]] = field(default_factory=list)


def parse(text: str) -> Tree:
    """Return the one document in a YAML text.

    Scalars stay the text that was written (null alone is ``None``), so that 99.9 is never a float. Anchors
    and aliases work; what they expand to is bounded. Raises Unreadable.
    """
    if bad := NOT_PRINTABLE.search(text):
        line = text.count("\n", 0, bad.start()) + 1
        column = bad.start() - text.rfind("\n", 0, bad.start())
        raise Unreadable(Place(line, column), f"the character U+{ord(bad[0]):04X} is not allowed: remove it")
    tree = Tree()
    tree.data = _Builder(tree).build(_compose(text), ())
    return tree


def _compose(text: str) -> yaml.Node:
    try:
        node = _quickly(text) or yaml.compose(text, Loader=yaml.SafeLoader)
    except RecursionError:
        raise _too_deep(Place(1, 1)) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Unreadable(_place(mark), _syntax_message(error)) from error
    if node is None:
        raise Unreadable(Place(1, 1), "the file is empty: write 'key: value'")
    return node


def _quickly(text: str) -> yaml.Node | None:
    """Return the node of a text by the loader in C, some ten times as fast, or ``None`` where it is no use.

    It crashes the interpreter on deep nesting, which its events reveal beforehand; and what is wrong is
    explained better by the loader in Python.
    """
    loader = getattr(yaml, "CSafeLoader", None)
    if loader is None:
        return None
    depth = 0
    try:
        for event in yaml.parse(text, Loader=loader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_DEPTH:
                return None
        return yaml.compose(text, Loader=loader)
    except yaml.YAMLError:
        return None


def _syntax_message(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or "cannot be understood"
    if problem == "but found another document":
        return "a second document starts here: keep one document in a file, without '---' between"
    if problem == "second occurrence":
        return f"{error.context}: give each anchor a name of its own".replace("; first occurrence", "")
    advice = next(
        (hint for words, hint in ADVICE.items() if words in problem), "check this line and the last"
    )
    begun = error.context_mark and error.context_mark.line + 1
    return f"not valid YAML: {problem}; {advice}" + (f", it begins on line {begun}" if begun else "")


class _Builder:
    """Turns nodes into data and notes places in the tree."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree

    def build(self, node: yaml.Node, location: Location) -> Plain:
        place = _place(node.start_mark)
        if len(location) > MAX_DEPTH:
            raise _too_deep(place)
        if len(self.tree.values) >= MAX_VALUES:
            raise Unreadable(place, f"more than {MAX_VALUES:,} values, aliases included: split the file")
        self.tree.values[location] = place
        if not node.tag.startswith(CORE_TAGS) or node.tag.startswith(f"{CORE_TAGS}python"):
            self.tree.mistakes.append((place, f"the tag '{node.tag}' has no meaning here: remove it"))
        match node:
            case yaml.MappingNode():
                return {
                    key: self.build(value, (*location, key)) for key, value in self._items(node, location)
                }
            case yaml.SequenceNode():
                return [self.build(value, (*location, index)) for index, value in enumerate(node.value)]
            case _:
                return None if node.tag == NULL_TAG else str(node.value)

    def _items(self, node: yaml.MappingNode, location: Location) -> Iterator[tuple[str, yaml.Node]]:
        for key_node, value_node in node.value:
            place = _place(key_node.start_mark)
            if not isinstance(key_node, yaml.ScalarNode):
                self.tree.mistakes.append((place, "a key must be a plain text: write 'key: value'"))
                continue
            key = str(key_node.value)
            if first := self.tree.keys.get((*location, key)):
                message = f"duplicate key '{key}': keep one, the first is on line {first.line}"
                self.tree.mistakes.append((place, message))
                continue
            self.tree.keys[(*location, key)] = place
            yield key, value_node


def _too_deep(place: Place) -> Unreadable:
    return Unreadable(place, f"nested more than {MAX_DEPTH} deep, or an alias contains itself: write it flat")


def _place(mark: yaml.Mark | None) -> Place:
    return Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)
