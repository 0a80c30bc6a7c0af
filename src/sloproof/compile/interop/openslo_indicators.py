"""OpenSLO's metrics and budgeting methods as indicators of ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from sloproof.compile.conventions import COUNTED_S
from sloproof.compile.interop import ours, queries
from sloproof.compile.interop.openslo_conventions import SHORTHAND, shorthand_s
from sloproof.compile.interop.openslo_sources import Counted, Measured, Raw
from sloproof.compile.promql import PER_SECOND
from sloproof.slo.fileformat import WINDOW_PLACEHOLDER
from sloproof.slo.quantities import in_units
from sloproof.slo.tiers import MINUTE
from sloproof.slo.wording import nearest

if TYPE_CHECKING:
    from sloproof.compile.interop.foreign import Value
    from sloproof.compile.interop.openslo_sources import Source

OPERATORS = {"lte": "<=", "gte": ">=", "lt": "<", "gt": ">"}
SAMPLED = "1m"
"""How often a value is looked at where no slice says it."""
COUNTER_SUFFIXES = ("_total", "_count", "_bucket", "_sum")
CHECK_IT = "check that it counts what it should"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slices:
    """Time in slices: each is good from the ratio `target` on, or counts as its own ratio does."""

    length_s: int
    target: str | None

    @property
    def length(self) -> str:
        """The length as Prometheus takes it."""
        return in_units(self.length_s)

    @staticmethod
    def of(objective: Value, method: str) -> Slices | None:
        """Return how an objective cuts its time, or ``None`` where each event counts; raises Wrong."""
        if method == "Occurrences":
            objective.drop("budgetingMethod is Occurrences", "timeSliceTarget", "timeSliceWindow")
            return None
        window = objective.get("timeSliceWindow")
        target = objective.get("timeSliceTarget")
        if method == "Timeslices" and target is None:
            raise objective.wrong(
                f"{objective.name}: missing key 'timeSliceTarget', e.g. timeSliceTarget: 0.95"
            )
        if method == "RatioTimeslices" and target:
            target.note(
                f"'{target.name}' is not carried over: RatioTimeslices counts the ratio of each slice"
            )
        if window is None:
            objective.note(f"no timeSliceWindow is given: it became {SAMPLED}")
        length_s = _slice_s(window) if window else MINUTE
        whole = ours.plain(ours.number(target)) if target and method == "Timeslices" else None
        return Slices(length_s=length_s, target=whole)


def indicator(source: Source, objective: Value, slices: Slices | None) -> ours.Data:
    """Return the indicator of ours that means the same; raises Wrong."""
    match source:
        case Counted():
            _tell_comparison(objective)
            return _counted(source, slices, objective)
        case Raw(query=query, of_good=of_good):
            _tell_comparison(objective)
            return {"error_ratio": {"query": _raw(query, of_good=of_good, slices=slices)}}
        case Measured(query=query):
            return {"error_ratio": {"query": _measured(query, objective, slices)}}
        case unknown:
            assert_never(unknown)


def _counted(source: Counted, slices: Slices | None, objective: Value) -> ours.Data:
    given = {"good": source.good, "bad": source.bad, "total": source.total}
    found = {key: _events(value, counter=source.counter) for key, value in given.items() if value}
    if len({bool(PER_SECOND.search(query)) for query in found.values()}) > 1:
        raise source.total.wrong(
            f"{source.total.name}: one query gives events per second and the other does not, so their ratio "
            "is no share of events: write the same function in both"
        )
    if slices is None:
        return {"ratio": found}
    _tell_samples(objective, slices)
    cut = {key: f"sum({queries.narrowed(query, slices.length)})" for key, query in found.items()}
    total = f"({cut['total']} > 0)"
    good = (
        f"({cut['good']} or vector(0)) / {total}"
        if "good" in cut
        else f"1 - ({cut['bad']} or vector(0)) / {total}"
    )
    return {"error_ratio": {"query": _bad_slices(good, slices)}}


def _events(value: Value, *, counter: bool | None) -> str:
    """Return a query of events in our window; what had to be changed for that is told."""
    query = queries.adopted(value)
    _tell_series(value, query)
    if queries.has_window(query):
        return query
    if ranges := queries.fixed_ranges(query):
        value.note(_became_window(value, ranges))
        return queries.stretched(query)
    cumulative = _looks_cumulative(query) if counter is None else counter
    changed = queries.over_window(query, "increase" if cumulative else "sum_over_time")
    if changed is None:
        raise value.wrong(
            f"{value.name}: no window can be put into it: write e.g. increase(x_total[{WINDOW_PLACEHOLDER}])"
        )
    what = "a counter's growth" if cumulative else "the sum of a gauge's samples"
    told = "" if counter is not None else f" (nothing says which it is: {CHECK_IT})"
    value.note(f"'{value.name}' became {what} within the window, {changed}{told}")
    return changed


def _became_window(value: Value, ranges: list[str]) -> str:
    return f"'{value.name}': the range {', '.join(dict.fromkeys(ranges))} became the window of each rule"


def _looks_cumulative(query: str) -> bool:
    return any(each.metric and each.metric.endswith(COUNTER_SUFFIXES) for each in queries.read_now(query))


def _raw(value: Value, *, of_good: bool, slices: Slices | None) -> str:
    query = queries.adopted(value)
    if slices:
        _tell_samples(value, slices)
        at = queries.narrowed(query, slices.length)
        return _bad_slices(at if of_good else f"1 - ({at})", slices)
    if not queries.has_window(query):
        if ranges := queries.fixed_ranges(query):
            value.note(_became_window(value, ranges))
            query = queries.stretched(query)
        else:
            query = _mean(query)
            value.note(f"'{value.name}' became its mean within the window, {query}")
    return f"1 - ({query})" if of_good else query


def _measured(value: Value, objective: Value, slices: Slices | None) -> str:
    """Return the share of time in which a value is not where the objective wants it."""
    operator = objective.need("op", example="lte")
    if operator.text() not in OPERATORS:
        raise operator.wrong(
            f"{operator.name}: '{operator.text()}' is not known{nearest(operator.text(), OPERATORS)} "
            f"(one of: {', '.join(OPERATORS)})"
        )
    limit = ours.plain(ours.number(objective.need("value", example="0.5")))
    query = queries.adopted(value)
    if queries.has_window(query):
        raise value.wrong(f"{value.name}: a value that is compared has a range of its own: write e.g. [5m]")
    if not queries.is_single(query):
        value.note(f"'{value.name}' may give several series: the mean of how many of them are good counts")
    good = f"avg(({query}) {OPERATORS[operator.text()]} bool {limit})"
    if slices is None:
        value.note(f"'{value.name}' became the share of samples, one every {SAMPLED}, that are not as wanted")
        return f"1 - avg_over_time(({good})[{WINDOW_PLACEHOLDER}:{SAMPLED}])"
    _tell_samples(value, slices)
    step = SAMPLED if slices.length != SAMPLED else "15s"
    return _bad_slices(f"avg_over_time(({good})[{slices.length}:{step}])", slices)


def _bad_slices(good: str, slices: Slices) -> str:
    """Return the share of slices that are bad, or the mean of what is bad in them."""
    each = f"{good}" if slices.target is None else f"({good}) >= bool {slices.target}"
    return f"1 - avg_over_time(({each})[{WINDOW_PLACEHOLDER}:{slices.length}])"


def _mean(query: str) -> str:
    if queries.selected(query):
        return f"avg(avg_over_time({query}[{WINDOW_PLACEHOLDER}]))"
    return f"avg_over_time(({query})[{WINDOW_PLACEHOLDER}:{SAMPLED}])"


def _tell_samples(value: Value, slices: Slices) -> None:
    sparse = "" if slices.length_s <= COUNTED_S else ", of which shorter windows see none most of the time"
    value.note(
        f"the time slices of '{value.name}' became samples of a query, one every {slices.length}{sparse}"
    )


def _tell_series(value: Value, query: str) -> None:
    if not queries.is_single(query):
        value.note(f"'{value.name}' may give several series: sloproof sums them")


def _tell_comparison(objective: Value) -> None:
    objective.drop("it is for a thresholdMetric, and this is a ratio", "op")
    value = objective.get("value")
    if value and ours.number(value):
        value.note(f"'{value.name}' is not carried over: it is for a thresholdMetric, and this is a ratio")


def _slice_s(window: Value) -> int:
    """Return the length of a slice; a bare number is minutes; raises Wrong."""
    text = window.text()
    if text.isascii() and text.isdigit() and int(text):
        return int(text) * MINUTE
    if not SHORTHAND.fullmatch(text):
        raise window.wrong(
            f"{window.name}: '{text}' is no length of a slice: write minutes, or e.g. 1m or 1h"
        )
    return int(shorthand_s(window))
