"""Which selectors a Prometheus should have series for, and what it means where it has none."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, assert_never

from sloproof.compile import conventions as names
from sloproof.compile import promql
from sloproof.compile.lint.findings import Level, listed
from sloproof.compile.lint.given import Match
from sloproof.compile.lint.queries import is_valid
from sloproof.compile.selectors import Selector, selectors
from sloproof.slo.definition import EventLatency, Latency, Ratio, Up

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sloproof.compile.lint.findings import Finding, Source
    from sloproof.compile.lint.given import Live
    from sloproof.compile.selectors import Matcher
    from sloproof.slo.definition import Definition, Objective


class Role(Enum):
    """What a selector is for, and so what it means that it matches nothing."""

    NEEDED = auto()  # without it there is no ratio
    BUCKET = auto()  # the one bucket of a threshold
    KIND = auto()  # good or bad events by somebody's query; there may have been none
    FAILURES = auto()  # of the built-in indicators: none is as it should be
    HELPER = auto()  # tells a new series from an old one


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A selector in a query of an objective."""

    index: int
    role: Role
    selector: Selector


def uses(definition: Definition) -> Iterator[Use]:
    """Yield each selector of each objective once; queries that are no PromQL have none."""
    for index, objective in enumerate(definition.objectives):
        if is_valid(objective.indicator):
            known: dict[Selector, Role] = {}
            for role, query in _queries(definition, objective):
                now = selectors(query, shifted=False)
                for selector in selectors(query):
                    known.setdefault(selector, role if selector in now else Role.HELPER)
            yield from (Use(index=index, role=role, selector=each) for each, role in known.items())


def _queries(definition: Definition, objective: Objective) -> Iterator[tuple[Role, str]]:
    indicator = objective.indicator
    events = promql.events(indicator, definition.metrics, names.COUNTED_S)
    if events is None:
        yield Role.NEEDED, promql.error_ratio(indicator, definition.metrics, names.COUNTED_S)
        return
    yield Role.NEEDED, events.total
    match indicator:
        case Ratio():
            role = Role.KIND
        case Latency() | EventLatency() if not definition.metrics.native:
            role = Role.BUCKET
        case Up():
            role = Role.NEEDED
        case _:
            role = Role.FAILURES
    yield from ((role, query) for query in (events.good, events.bad) if query is not None)


def counting(selector: Selector) -> str:
    """Return a query for the series of a selector by job and instance."""
    return f"count by ({names.JOB}, {names.INSTANCE}) ({selector})"


def counting_before(selector: Selector) -> str:
    """Return a query for the series that a selector had within the last day, by job and instance."""
    return f"count by ({names.JOB}, {names.INSTANCE}) (last_over_time({selector}[1d]))"


def values_of(selector: Selector) -> dict[str, str]:
    """Return, for each label that a selector names, a query for the values that its metric has of it."""
    if selector.metric is None:
        return {}
    whole = str(Selector(selector.metric))
    return {each.label: f"count by ({each.label}) ({whole})" for each in selector.matchers}


def explain(selector: Selector, values: Mapping[str, Iterable[str]], metrics: Iterable[str]) -> Match:
    """Say why a selector matches nothing, by the values that its metric has of its labels."""
    if selector.metric is not None and not any(True for given in values.values() for _ in given):
        known = sorted(metrics)
        if selector.metric not in known:
            close = difflib.get_close_matches(selector.metric, known, n=1)
            like = f", only {close[0]}" if close else ""
            return Match(reason=f"there is no metric {selector.metric}{like}")
        return Match(reason=f"no series of {selector.metric} is there now")
    reasons, culprits = [], []
    for matcher in selector.matchers:
        found = sorted(set(values.get(matcher.label, ())))
        if found and not any(_accepts(matcher, value) for value in found):
            had = (
                listed([f'"{value}"' for value in found if value], word="or") if any(found) else "set nowhere"
            )
            reasons.append(f"no series has {matcher}: {matcher.label} is {had}")
            culprits.append(matcher.label)
    return Match(
        reason="; ".join(reasons) or "no series has all of these labels at once", culprits=tuple(culprits)
    )


def _accepts(matcher: Matcher, value: str) -> bool:
    try:
        match matcher.operator:
            case "=":
                return value == matcher.value
            case "!=":
                return value != matcher.value
            case "=~":
                return re.fullmatch(matcher.value, value) is not None
            case _:
                return re.fullmatch(matcher.value, value) is None
    except re.error:  # RE2 takes some that Python does not
        return True


def check(source: Source, live: Live) -> Iterator[Finding]:
    """Yield a finding for each selector that matches nothing, and where one matches several services."""
    without_total: set[int] = set()
    for use in uses(source.definition):
        match = live.matches.get(use.selector)
        if match is None or use.index in without_total:
            continue
        if not match.jobs:
            if use.role is Role.NEEDED:
                without_total.add(use.index)
            yield from _nothing(source, use, match, live)
        elif use.role is Role.NEEDED and len(match.jobs) > 1:
            yield _several(source, use, match)


def _nothing(source: Source, use: Use, match: Match, live: Live) -> Iterator[Finding]:
    objective, because = source.definition.objectives[use.index], match.reason
    level, cure = Level.WARNING, "correct the selector"
    match use.role:
        case Role.NEEDED:
            level, cure = Level.ERROR, "correct the selector, or have Prometheus scrape the service"
        case Role.BUCKET:
            if promql.BUCKET in match.culprits:
                level, cure = (
                    Level.ERROR,
                    "choose a threshold that is a bound, or give the histogram that bucket",
                )
            else:
                cure = "see whether every request fails, and whether the histogram has these labels"
        case Role.KIND:
            cure = "correct the selector, or let such an event happen once, to see it counted"
        case Role.HELPER:
            cure = "have Prometheus scrape the service itself; till then a new series loses its first events"
        case Role.FAILURES:
            return
        case _:
            assert_never(use.role)
    yield source.finding(
        objective.line,
        level,
        what=f"{use.selector} of '{objective.name}' matches nothing",
        because=f"at {live.name} {because}",
        cure=cure,
    )


def _several(source: Source, use: Use, match: Match) -> Finding:
    objective = source.definition.objectives[use.index]
    return source.finding(
        objective.line,
        Level.WARNING,
        what=f"'{objective.name}' counts the events of {len(match.jobs)} jobs as one service's",
        because=f"{use.selector} matches series of {listed(sorted(match.jobs))}",
        cure="narrow it, by metrics.matchers: {job: …} for instance",
    )
