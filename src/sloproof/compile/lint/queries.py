"""What is wrong with PromQL that somebody wrote: syntax, by a maintained parser, and ranges."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import promql_parser

from sloproof.compile.lint.faults import fault_in, fault_offset
from sloproof.compile.lint.findings import Level, listed
from sloproof.compile.lint.positions import locate
from sloproof.compile.selectors import selectors
from sloproof.slo.definition import ErrorRatio, Ratio
from sloproof.slo.fileformat import WINDOW_PLACEHOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sloproof.compile.lint.findings import Finding, Source
    from sloproof.slo.definition import Indicator

# As long as the placeholder, so that positions stay, and no range that anybody would write.
FILLING, FILLED_S = "000007919s", 7919
INSTANT_DERIVATIVES = {"irate", "idelta"}
FUNCTIONS = (
    *(
        "rate",
        "increase",
        "sum_over_time",
        "count_over_time",
        "avg_over_time",
        "max_over_time",
        "min_over_time",
    ),
    *("clamp_min", "clamp_max", "histogram_count", "histogram_fraction", "label_replace", "vector"),
)
WHOLE_BOUND = re.compile(r"[0-9]+")
# What to do about a message of the parser, by words in it; the first that fits.
CURES = (
    (r"expected type matrix", f"give the counter a range: x_total[{WINDOW_PLACEHOLDER}]"),
    (
        r"expected type vector.*got matrix",
        f"wrap the range in increase(): increase(x_total[{WINDOW_PLACEHOLDER}])",
    ),
    (r"unclosed left parenthesis", "close it with ')'"),
    (r"unexpected right parenthesis", "remove it, or open one before it"),
    (r"unexpected right bracket", "remove it, or open one before it"),
    (r"unterminated quoted string", "close the quotation mark"),
    (r"end of input inside brackets", "close the range with ']'"),
    (r"end of input inside braces", "close the selector with '}'"),
    (r"inside brackets", f"give the range one duration: [{WINDOW_PLACEHOLDER}]"),
    (r"inside braces|label matching", 'write label="value", with quotation marks around the value'),
    (r"regex", "correct the regular expression; Prometheus takes those of RE2"),
    (r"wrong number of arguments", "look up what the function takes"),
    (r"non-empty matcher", "name a metric"),
    (r"only allowed for vector selectors", f"write a subquery: [{WINDOW_PLACEHOLDER}:1m]"),
    (r"no expression", "write a query"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Query:
    key: str
    text: str
    location: tuple[str | int, ...]
    objective: str


def check(source: Source) -> Iterator[Finding]:
    """Yield what is wrong with the queries of a file."""
    for index, objective in source.objectives():
        valid = []
        for query in _queries(index, objective.name, objective.indicator):
            if (broken := _syntax(source, query) or _type(source, query)) is not None:
                yield broken
            else:
                valid.append(query)
                yield from _ranges(source, query)
                yield from _bounds(source, query)
        if len(valid) == 2:  # noqa: PLR2004 - of a ratio
            yield from _same(source, *valid)


def is_valid(indicator: Indicator) -> bool:
    """Tell whether the queries of an indicator can be parsed, and give what rules can use."""
    return all(
        fault_in(_filled(query.text)) is None and fault_in(f"sum(\n{_filled(query.text)}\n)") is None
        for query in _queries(0, "", indicator)
    )


def _queries(index: int, name: str, indicator: Indicator) -> list[_Query]:
    match indicator:
        case Ratio(good=good, bad=bad, total=total):
            kind, texts = "ratio", {"good": good, "bad": bad, "total": total}
        case ErrorRatio(query=query):
            kind, texts = "error_ratio", {"query": query}
        case _:
            return []
    place = ("objectives", index, "indicator", kind)
    return [
        _Query(key=key, text=text, location=(*place, key), objective=name)
        for key, text in texts.items()
        if text is not None
    ]


def _filled(query: str) -> str:
    return query.replace(WINDOW_PLACEHOLDER, FILLING)


def _syntax(source: Source, query: _Query) -> Finding | None:
    text = _filled(query.text)
    if (fault := fault_in(text)) is None:
        return None
    offset = fault_offset(text, fault)
    reason = (
        "it ends too early or here is what it does not expect" if fault == "invalid promql query" else fault
    )
    near = query.text[offset : offset + 12].split("\n")[0]
    at = f"at character {offset + 1}" + (f" ('{near}')" if near.strip() else "")
    line, column = _place(source, query, offset)
    found = source.finding(
        line,
        Level.ERROR,
        what=f"{query.key} of '{query.objective}' is no PromQL",
        because=f"{at}: {reason}",
        cure=_cure(fault, query.text),
    )
    return replace(found, column=column)


def _cure(fault: str, query: str) -> str:
    if unknown := re.search(r"unknown function with name '(\w+)'", fault):
        close = difflib.get_close_matches(unknown[1], FUNCTIONS, n=1)
        return f"write {close[0]}()" if close else "check its spelling"
    if fault == "invalid promql query" and re.search(r"\b(by|without|and|or|unless|[-+*/])\s*$", query):
        return "write what belongs after its last word"
    return next(
        (cure for words, cure in CURES if re.search(words, fault)), "correct it, or remove what is there"
    )


def _type(source: Source, query: _Query) -> Finding | None:
    fault = fault_in(f"sum(\n{_filled(query.text)}\n)")
    if fault is None:
        return None
    got = {"matrix": "a range of samples", "scalar": "a number", "string": "a text"}.get(
        fault.rpartition(" ")[2]
    )
    cure = "wrap it in vector(): rules need series" if got == "a number" else _cure(fault, query.text)
    return source.finding(
        source.line(*query.location),
        Level.ERROR,
        what=f"{query.key} of '{query.objective}' cannot be summed",
        because=f"it gives {got}, and no series" if got else fault,
        cure=cure,
    )


def _place(source: Source, query: _Query, offset: int) -> tuple[int, int | None]:
    return locate(source.text, source.document.tree.values[query.location], query.text, offset)


@dataclass(slots=True)
class _Ranges:
    """The ranges of a query: whether any is the window, and those that stay the same whatever the window."""

    window: bool = False
    fixed: tuple[str, ...] = ()
    derivatives: tuple[str, ...] = ()
    _within: int = 0

    def enter(self, node: promql_parser.Expr) -> None:
        if isinstance(node, promql_parser.SubqueryExpr | promql_parser.MatrixSelector):
            if _is_window(node.range):
                self.window = True
                self._within += 1
            elif isinstance(node, promql_parser.MatrixSelector) and not self._within:
                self.fixed += (promql_parser.display_duration(node.range),)
        elif isinstance(node, promql_parser.Call) and node.func.name in INSTANT_DERIVATIVES:
            self.derivatives += (node.func.name,)

    def leave(self, node: promql_parser.Expr) -> None:
        if isinstance(node, promql_parser.SubqueryExpr | promql_parser.MatrixSelector) and _is_window(
            node.range
        ):
            self._within -= 1


def _is_window(range_: timedelta | None) -> bool:
    return range_ == timedelta(seconds=FILLED_S)


def _ranges(source: Source, query: _Query) -> Iterator[Finding]:
    ranges = _Ranges()
    promql_parser.walk(promql_parser.parse(_filled(query.text)), ranges.enter, ranges.leave)
    line, subject = source.line(*query.location), f"{query.key} of '{query.objective}'"
    if not ranges.window:
        yield source.finding(
            line,
            Level.ERROR,
            what=f"no range of {subject} is the window",
            because=f"{WINDOW_PLACEHOLDER} stands elsewhere, so that every window shows the same",
            cure=f"write it in brackets behind a metric: increase(x_total[{WINDOW_PLACEHOLDER}])",
        )
    elif ranges.fixed:
        yield source.finding(
            line,
            Level.WARNING,
            what=f"{subject} has a fixed range besides the window",
            because=f"[{ranges.fixed[0]}] stays the same in every window",
            cure=f"write [{WINDOW_PLACEHOLDER}] in its place",
        )
    for name in ranges.derivatives[:1]:
        yield source.finding(
            line,
            Level.WARNING,
            what=f"{subject} sees next to nothing of its window",
            because=f"{name}() takes the last two samples only",
            cure=f"write {'increase' if name == 'irate' else 'delta'}() in its place",
        )


def _bounds(source: Source, query: _Query) -> Iterator[Finding]:
    """Yield a finding for each bucket that the next major version of Prometheus labels otherwise."""
    for selector in selectors(_filled(query.text)):
        for matcher in selector.matchers:
            if (matcher.label, matcher.operator) == ("le", "=") and WHOLE_BOUND.fullmatch(matcher.value):
                whole = matcher.value
                yield source.finding(
                    source.line(*query.location),
                    Level.WARNING,
                    what=f"{query.key} of '{query.objective}' finds le=\"{whole}\" in some versions only",
                    because=f'Prometheus 3 labels that bucket le="{whole}.0"',
                    cure=f'write le=~"{whole}(\\\\.0)?"',
                )


def _same(source: Source, part: _Query, total: _Query) -> Iterator[Finding]:
    one, other = (promql_parser.parse(_filled(each.text)).prettify() for each in (part, total))
    if one == other:
        share = "100 %" if part.key == "good" else "0 %"
        yield source.finding(
            source.line(*part.location),
            Level.ERROR,
            what=f"{listed([part.key, total.key])} of '{part.objective}' are the same query",
            because=f"the share of good events is then always {share}",
            cure=f"select the {part.key} events by a label",
        )
