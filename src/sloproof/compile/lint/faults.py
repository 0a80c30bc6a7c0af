"""Where in a query a fault is: the parser says which it is, and not where."""

from __future__ import annotations

import re

import promql_parser

CALL = re.compile(r"[a-zA-Z_]\w*\s*(?:(?:by|without)\s*\([^()]*\)\s*)?\(")
# A text in quotation marks, a comment, or a parenthesis.
PIECE = re.compile(
    r"""(?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`|#[^\n]*)|(?P<open>\()|(?P<close>\))"""
)
UNCLOSED = "unclosed left parenthesis"


def fault_in(query: str) -> str | None:
    """Return what the parser says of a query that is none, else ``None``."""
    try:
        promql_parser.parse(query)
    except ValueError as error:
        return str(error)
    return None


def fault_offset(query: str, fault: str) -> int:
    """Return where a fault of a query begins, as well as can be told.

    The parser reads from left to right, so a text that is cut after a fault has the same one, and cut before
    it another or none. What it only finds in the whole, such as a type, is in the innermost call that has it.

    >>> fault_offset("sum(x]) + 1", "unexpected right bracket ']'")
    5
    >>> fault_offset("1 + sum(rat(x))", "unknown function with name 'rat'")
    8
    """
    if fault == UNCLOSED:
        return _unclosed(query)
    last = len(query.rstrip())
    end = last
    while end > 1 and fault_in(query[: end - 1]) == fault:
        end -= 1
    calls = [start for start, call in _calls(query) if fault_in(call) == fault] if end == last else []
    return max(calls, default=max(0, end - 1))


def _unclosed(query: str) -> int:
    return (_parentheses(query)[1] or [0])[-1]


def _calls(query: str) -> list[tuple[int, str]]:
    """Return each call of a function, with where it begins."""
    closed, _ = _parentheses(query)
    found = [(call.start(), closed.get(call.end() - 1)) for call in CALL.finditer(query)]
    return [(start, query[start : end + 1]) for start, end in found if end is not None]


def _parentheses(query: str) -> tuple[dict[int, int], list[int]]:
    """Return where each parenthesis that is closed is closed, and those that stay open."""
    closed: dict[int, int] = {}
    open_: list[int] = []
    for piece in PIECE.finditer(query):
        if piece["open"]:
            open_.append(piece.start())
        elif piece["close"] and open_:
            closed[open_.pop()] = piece.start()
    return closed, open_
