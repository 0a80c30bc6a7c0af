"""Which series a query asks for, read off its syntax tree by a maintained parser; it asks nobody."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import promql_parser

from sloproof.compile.promql import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

# By the names of the parser's, which have no hash.
OPERATORS = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}
NAME = "__name__"


@dataclass(frozen=True, slots=True, kw_only=True)
class Matcher:
    """A condition on one label; `operator` is =, !=, =~ or !~."""

    label: str
    operator: str
    value: str

    def __str__(self) -> str:
        return f"{self.label}{self.operator}{quoted(self.value)}"

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Tell whether labels meet it; one that is not there is an empty one."""
        found = labels.get(self.label, "")
        match self.operator:
            case "=":
                return found == self.value
            case "!=":
                return found != self.value
            case "=~":
                return bool(re.fullmatch(self.value, found))
            case _:
                return not re.fullmatch(self.value, found)


@dataclass(frozen=True, slots=True)
class Selector:
    """Series by the name of their metric, where one is given, and by conditions on their labels.

    >>> str(Selector("up", (Matcher(label="job", operator="=", value="jobs"),)))
    'up{job="jobs"}'
    """

    metric: str | None
    matchers: tuple[Matcher, ...] = ()

    def __str__(self) -> str:
        conditions = ",".join(map(str, self.matchers))
        return f"{self.metric or ''}{{{conditions}}}" if conditions else self.metric or "{}"

    def selects(self, metric: str, labels: Mapping[str, str]) -> bool:
        """Tell whether a series is among those that it reads."""
        return self.metric in {None, metric} and all(matcher.holds(labels) for matcher in self.matchers)


def selectors(query: str, *, shifted: bool = True) -> tuple[Selector, ...]:
    """Return each selector of a query once, without its range, in the order of the query.

    Without `shifted`, those that stand only with an offset are left out. Raises ValueError: no PromQL.

    >>> [str(each) for each in selectors('sum(x{a="b"}) / (y unless z offset 5m)', shifted=False)]
    ['x{a="b"}', 'y']
    """
    found: dict[Selector, None] = {}

    def visit(node: promql_parser.Expr) -> None:
        if isinstance(node, promql_parser.VectorSelector) and (shifted or not node.offset):
            found[selector(node)] = None

    promql_parser.walk(promql_parser.parse(query), visit)
    return tuple(found)


def selector(node: promql_parser.VectorSelector) -> Selector:
    """Return what a node of a syntax tree selects."""
    matchers = tuple(
        Matcher(label=each.name, operator=OPERATORS[str(each.op).rpartition(".")[2]], value=each.value)
        for each in node.matchers.matchers
    )
    named = next((each.value for each in matchers if (each.label, each.operator) == (NAME, "=")), None)
    others = tuple(each for each in matchers if (each.label, each.operator) != (NAME, "="))
    return Selector(node.name or named, others)
