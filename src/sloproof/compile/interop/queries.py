"""Queries of other tools as ours: with a placeholder for the window; it knows no file format."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import promql_parser as promql

from sloproof.compile.selectors import Selector, selector
from sloproof.slo.fileformat import WINDOW_PLACEHOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sloproof.compile.interop.foreign import Value

TEMPLATE = re.compile(r"\{\{-?\s*\.?window\s*-?\}\}")
OTHER_TEMPLATE = re.compile(r"\{\{.*?\}\}", re.DOTALL)
ANY_WINDOW = "5m"
TOKEN = re.compile(
    r"""(?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`)|(?P<gap>\#[^\n]*|\s+)"""
    r"""|(?P<range>\[[^\]]*\])|(?P<name>[A-Za-z_:][\w:.]*)|(?P<number>[0-9][\w.]*)|(?P<mark>.)""",
    re.DOTALL,
)
GROUPING = frozenset({"by", "without", "on", "ignoring", "group_left", "group_right"})
WORDS = GROUPING | {"and", "or", "unless", "atan2", "bool", "offset", "inf", "nan", "start", "end"}
MODIFIER = re.compile(
    r"(?:\s*(?:offset\s+-?\s*[0-9][\w.]*|@\s*(?:-?[0-9.]+|(?:start|end)\s*\(\s*\))))+", re.IGNORECASE
)
KEEP_LABELS = frozenset({"topk", "bottomk", "limitk", "limit_ratio", "count_values"})


def adopted(value: Value) -> str:
    """Return a query with our placeholder wherever it has one; raises Wrong where it is no PromQL."""
    query = TEMPLATE.sub(WINDOW_PLACEHOLDER, value.text())
    rest = query.replace(WINDOW_PLACEHOLDER, ANY_WINDOW)
    if other := OTHER_TEMPLATE.search(rest):
        raise value.wrong(
            f"{value.name}: the template {other[0]} is not known: a query holds {WINDOW_PLACEHOLDER} alone"
        )
    try:
        promql.parse(rest)
    except ValueError as error:
        raise value.wrong(f"{value.name}: not PromQL ({error}): try it in Prometheus first") from error
    return query


def has_window(query: str) -> bool:
    """Tell whether a query has a place for the window."""
    return WINDOW_PLACEHOLDER in query


def is_single(query: str) -> bool:
    """Tell whether a query surely gives one series at most, without labels that could tell several apart."""
    return _is_single(promql.parse(query.replace(WINDOW_PLACEHOLDER, ANY_WINDOW)))


def selected(query: str) -> Selector | None:
    """Return what a query selects that is a selector of present values and nothing else."""
    node = promql.parse(query)
    if not isinstance(node, promql.VectorSelector) or node.offset or node.at or node.matchers.or_matchers:
        return None
    return selector(node)


def read_now(query: str) -> list[Selector]:
    """Return the series of which a query reads the present values."""
    return _Read.by(query).bare


def summed(query: str) -> str:
    """Return a query whose series are summed, unless it gives one anyhow."""
    return query if is_single(query) else f"sum({query})"


def fixed_ranges(query: str) -> list[str]:
    """Return the ranges of a query as they are written, without brackets and the step of a subquery.

    >>> fixed_ranges('sum(rate(x{a="[1m]"}[5m])) / max_over_time(y[1h:5m])')
    ['5m', '1h']
    """
    return [text[1:-1].partition(":")[0].strip() for kind, text, _ in _tokens(query) if kind == "range"]


def stretched(query: str) -> str:
    """Return a query whose every range is our placeholder.

    >>> stretched('rate(x{a="[1m]"}[5m]) + max_over_time(y[1h:5m])')
    'rate(x{a="[1m]"}[{{window}}]) + max_over_time(y[{{window}}:5m])'
    """

    def placed(kind: str, text: str) -> str:
        colon, step = text[1:-1].partition(":")[1:]
        return f"[{WINDOW_PLACEHOLDER}{colon}{step}]" if kind == "range" else text

    return "".join(placed(kind, text) for kind, text, _ in _tokens(query))


def narrowed(query: str, window: str) -> str:
    """Return a query whose placeholder, or whose every range, is a given window."""
    placed = query if has_window(query) else stretched(query)
    return placed.replace(WINDOW_PLACEHOLDER, window)


def over_window(query: str, function: str) -> str | None:
    """Return a query of present values with each selector put into a function of a range over the window.

    ``None``: it has ranges already, or cannot be understood well enough.

    >>> over_window('sum by (a) (x{b="c"} offset 1h) + y', "increase")
    'sum by (a) (increase(x{b="c"}[{{window}}] offset 1h)) + increase(y[{{window}}])'
    """
    spans = list(_selectors(query))
    if fixed_ranges(query) or not spans:
        return None
    pieces, end = [], 0
    for start, stop in spans:
        modifier = MODIFIER.match(query, stop)
        after = modifier.end() if modifier else stop
        pieces.append(query[end:start])
        pieces.append(f"{function}({query[start:stop]}[{WINDOW_PLACEHOLDER}]{query[stop:after]})")
        end = after
    changed = "".join([*pieces, query[end:]])
    return changed if _same_series(query, changed) else None


def _same_series(query: str, changed: str) -> bool:
    """Tell, by their syntax trees, whether two queries read the same series, one of them by ranges alone."""
    try:
        before, after = _Read.by(query), _Read.by(changed.replace(WINDOW_PLACEHOLDER, ANY_WINDOW))
    except ValueError:
        return False
    return not (before.ranged or after.bare) and before.bare == after.ranged


@dataclass(frozen=True, slots=True)
class _Read:
    """The series that a query reads, in its order: their present values, or ranges of them."""

    bare: list[Selector] = field(default_factory=list)
    ranged: list[Selector] = field(default_factory=list)

    @staticmethod
    def by(query: str) -> _Read:
        """Return what a query reads; raises ValueError where it is no PromQL."""
        found = _Read()
        target = found.bare

        def visit(node: promql.Expr) -> None:
            nonlocal target
            if isinstance(node, promql.MatrixSelector):
                target = found.ranged  # of the selector within, which is visited next
            elif isinstance(node, promql.VectorSelector):
                target.append(selector(node))
                target = found.bare

        promql.walk(promql.parse(query), visit)
        return found


def _tokens(query: str) -> Iterator[tuple[str, str, int]]:
    for match in TOKEN.finditer(query):
        yield match.lastgroup or "", match[0], match.start()


def _selectors(query: str) -> Iterator[tuple[int, int]]:
    """Yield where each selector begins and ends, in the order of the text, without ranges and modifiers."""
    tokens = [token for token in _tokens(query) if token[0] != "gap"]
    after_word = False  # the next parentheses hold labels that results are grouped by
    depth = 0
    position = 0
    while position < len(tokens):
        kind, text, start = tokens[position]
        following = tokens[position + 1][1] if position + 1 < len(tokens) else ""
        word = text.casefold()
        if kind == "name" and word in WORDS:
            after_word = word in GROUPING
        elif depth or (text == "(" and after_word):
            depth += {"(": 1, ")": -1}.get(text, 0)
            after_word = bool(depth)
        elif text == "{" or (
            kind == "name" and following != "(" and following.casefold() not in {"by", "without"}
        ):
            last = position
            if "{" in {text, following}:
                last = next(index for index in range(position, len(tokens)) if tokens[index][1] == "}")
            yield start, tokens[last][2] + len(tokens[last][1])
            position, after_word = last, False
        else:
            after_word = False
        position += 1


def _is_single(node: promql.Expr) -> bool:
    match node:
        case promql.NumberLiteral() | promql.StringLiteral():
            return True
        case promql.AggregateExpr(modifier=modifier, op=operator):
            grouped = modifier and (modifier.labels or modifier.type == promql.AggModifierType.Without)
            return str(operator) not in KEEP_LABELS and not grouped
        case promql.BinaryExpr(op=operator, lhs=left, rhs=right):
            return _is_single(left) and (str(operator) in {"and", "unless"} or _is_single(right))
        case promql.Call(func=function, args=arguments):
            return function.name in {"vector", "scalar", "time", "absent"} or all(map(_is_single, arguments))
        case promql.ParenExpr(expr=inner) | promql.UnaryExpr(expr=inner) | promql.SubqueryExpr(expr=inner):
            return _is_single(inner)
        case _:  # a selector, whose series nobody knows
            return False
