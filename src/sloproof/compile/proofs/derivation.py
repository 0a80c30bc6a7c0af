"""Which series can be made up so that a query counts what a test wants; it writes no PromQL."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from datetime import timedelta

import promql_parser as parser

from sloproof.compile.selectors import Selector, selector
from sloproof.slo.fileformat import WINDOW_PLACEHOLDER

COUNTED = frozenset({"rate", "increase"})
ANY_WINDOW, ANY_WINDOW_S = "2h11m59s", 7919
"""In place of the placeholder: a window that nobody would write, as the parser writes it."""


class NotDerivableError(ValueError):
    """Raised for a query whose input can't be made up; says why not."""


def exact(of: Selector) -> dict[str, str]:
    """Return the labels of a series that is selected.

    Raises:
        NotDerivableError: where a condition is not on an exact value.

    """
    for matcher in of.matchers:
        if matcher.operator != "=":
            raise NotDerivableError(
                f"{of.metric} is selected by {matcher.label}{matcher.operator}; "
                "only exact values (=) tell what a series looks like"
            )
    return {matcher.label: matcher.value for matcher in of.matchers}


def selectors(query: str) -> list[Selector]:
    """Return every selector of an expression, in the order of its text; its windows may be placeholders."""
    found: list[Selector] = []

    def visit(node: parser.Expr) -> bool:
        if isinstance(node, parser.VectorSelector):
            found.append(_selector(node))
        elif isinstance(node, parser.MatrixSelector):
            found.append(_selector(node.vector_selector))
        return True

    parser.walk(_parsed(query), visit)
    return list(dict.fromkeys(found))


def counter(query: str) -> Selector:
    """Return the counter that a query adds the growth of, and nothing else.

    Raises:
        NotDerivableError: where the query is anything more.

    """
    return _counter(_parsed(query))


@dataclass(frozen=True, slots=True)
class Fraction:
    """One counter over another; `good`: what the numerator counts is good, for it is taken from 1."""

    part: Selector
    total: Selector
    good: bool


@dataclass(frozen=True, slots=True)
class Average:
    """A gauge over time; `good`: it is taken from 1."""

    gauge: Selector
    good: bool


def error_ratio(query: str) -> Fraction | Average:
    """Return what a ratio of bad events is made of: a quotient of counters or a mean of a gauge, or 1 − one.

    Raises:
        NotDerivableError: where the query is anything else.

    """
    expr, good = _bare(_parsed(query)), False
    if (
        isinstance(expr, parser.BinaryExpr)
        and str(expr.op) == "-"
        and isinstance(expr.lhs, parser.NumberLiteral)
        and expr.lhs.val == 1
    ):
        expr, good = _bare(expr.rhs), True
    if isinstance(expr, parser.BinaryExpr) and str(expr.op) == "/":
        return Fraction(part=_counter(expr.lhs), total=_counter(expr.rhs), good=good)
    if isinstance(expr, parser.AggregateExpr) and str(expr.op) == "avg":
        expr = _bare(expr.expr)
    if isinstance(expr, parser.Call) and expr.func.name == "avg_over_time":
        return Average(_over_window(expr.args[0]), good)
    raise NotDerivableError(
        "the query is neither a quotient of two counters' rates nor an average of one gauge over time, "
        "nor 1 less such a one"
    )


def _parsed(query: str) -> parser.Expr:
    try:
        return parser.parse(query.replace(WINDOW_PLACEHOLDER, ANY_WINDOW))
    except ValueError as error:
        raise NotDerivableError(f"it is no PromQL: {error}") from error


def _bare(expr: parser.Expr) -> parser.Expr:
    while isinstance(expr, parser.ParenExpr):
        expr = expr.expr
    return expr


def _counter(expr: parser.Expr) -> Selector:
    expr = _bare(expr)
    if isinstance(expr, parser.AggregateExpr) and str(expr.op) == "sum":
        expr = _bare(expr.expr)
    if isinstance(expr, parser.Call) and expr.func.name in COUNTED:
        return _over_window(expr.args[0])
    raise NotDerivableError(f"'{_written(expr)}' is more than the sum of one counter's rate or increase")


def _written(expr: parser.Expr) -> str:
    return expr.prettify().strip().replace(ANY_WINDOW, WINDOW_PLACEHOLDER)


def _over_window(node: parser.Expr) -> Selector:
    """Return what is selected over the placeholder's window, and over no other time."""
    if (
        isinstance(node, parser.MatrixSelector)
        and node.range == timedelta(seconds=ANY_WINDOW_S)
        and node.vector_selector.offset is None
        and node.vector_selector.at is None
    ):
        return _selector(node.vector_selector)
    raise NotDerivableError(f"'{_written(node)}' is not one metric over the last {WINDOW_PLACEHOLDER}")


def _selector(node: parser.VectorSelector) -> Selector:
    if node.matchers.or_matchers or not node.name:
        raise NotDerivableError("a selector without a metric's name, or with alternatives, names no series")
    found = selector(node)
    for matcher in found.matchers:
        if matcher.operator.endswith("~") and not _is_common(matcher.value):
            raise NotDerivableError(f"{matcher.label}{matcher.operator} is a pattern of RE2 only")
    return found


def _is_common(pattern: str) -> bool:
    r"""Tell whether Python reads a pattern too, and has no doubts of it.

    >>> _is_common("5..|429"), _is_common(r"\pL+"), _is_common("[[:digit:]]+")
    (True, False, False)
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            re.compile(pattern)
        except (re.error, FutureWarning, DeprecationWarning):
            return False
    return True
