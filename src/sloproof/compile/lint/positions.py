"""Where in a YAML file a character of one of its texts stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sloproof.slo.yamltree import Place


def locate(file: str, place: Place, value: str, offset: int) -> tuple[int, int | None]:
    r"""Return the line and the column, from 1, of a character of the scalar that begins at a place.

    Literal blocks keep lines as they are; a scalar on one line is found if it stands there as it is. What is
    folded or has escapes is not followed: its line is that of its beginning, its column unknown.

    >>> from sloproof.slo.yamltree import Place
    >>> locate("good: sum(x]", Place(1, 7), "sum(x]", 5)
    (1, 12)
    >>> locate("good: |\n  sum(\n    x]", Place(1, 7), "sum(\n  x]", 8)
    (3, 6)
    """
    lines = file.splitlines()
    row = value.count("\n", 0, offset)
    column = offset - (value.rfind("\n", 0, offset) + 1)
    begun = lines[place.line - 1][place.column - 1 :]
    if begun.startswith("|"):
        number, text = place.line + row, value.split("\n")[row]
        if number < len(lines) and (indent := lines[number].find(text)) >= 0:
            return number + 1, indent + column + 1
    elif not begun.startswith(">") and (start := begun.find(value)) >= 0:
        return place.line, place.column + start + offset
    return place.line, None
