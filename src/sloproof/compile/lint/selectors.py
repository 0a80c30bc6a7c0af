"""Which series a query asks for, read off its syntax tree by a maintained parser; it asks nobody."""

from __future__ import annotations

from dataclasses import dataclass

import promql_parser

from sloproof.compile.promql import quoted

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


def selectors(query: str, *, shifted: bool = True) -> tuple[Selector, ...]:
    """Return each selector of a query once, without its range, in the order of the query.

    Without `shifted`, those that stand only with an offset are left out. Raises ValueError: no PromQL.

    >>> [str(each) for each in selectors('sum(x{a="b"}) / (y unless z offset 5m)', shifted=False)]
    ['x{a="b"}', 'y']
    """
    found: dict[Selector, None] = {}

    def visit(node: promql_parser.Expr) -> None:
        if isinstance(node, promql_parser.VectorSelector) and (shifted or not node.offset):
            found[_selector(node)] = None

    promql_parser.walk(promql_parser.parse(query), visit)
    return tuple(found)


def _selector(node: promql_parser.VectorSelector) -> Selector:
    matchers = tuple(
        Matcher(label=each.name, operator=OPERATORS[str(each.op).rpartition(".")[2]], value=each.value)
        for each in node.matchers.matchers
    )
    named = next((each.value for each in matchers if (each.label, each.operator) == (NAME, "=")), None)
    others = tuple(each for each in matchers if (each.label, each.operator) != (NAME, "="))
    return Selector(node.name or named, others)
