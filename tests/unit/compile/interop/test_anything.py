"""Whatever stands in a foreign file, it gives files that load, or messages with a place: never a crash."""

from __future__ import annotations

import copy
from itertools import cycle
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from sloproof.compile.interop.foreign import dotted
from sloproof.slo.problems import InvalidFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.unit.compile.interop.conftest import Desk, Format

STRANGE: tuple[object, ...] = (
    None,
    "",
    "x",
    "Ünïcode {{x}} 'q'",
    0,
    -1,
    1e-9,
    True,
    [],
    {},
    [None],
    [{}],
    ["x"],
    {"x": "y"},
    {"severity": None},
)
UNKNOWN = "unknown_key"
SLOTH = """
version: prometheus/v1
service: shop
labels: {a: b}
slo_plugins: {chain: [{id: p, priority: 1}]}
slos:
  - name: availability
    objective: 99.9
    description: d
    labels: {a: b}
    plugins: {chain: [{id: p}]}
    sli: {events: {error_query: 'sum(rate(x{a="b"}[{{.window}}]))', total_query: 'sum(rate(x[{{.window}}]))'}}
    alerting:
      name: n
      labels: {a: b}
      annotations: {runbook_url: https://a.example}
      page_alert: {labels: {a: b}, annotations: {c: d}}
      ticket_alert: {disable: true, labels: {a: b}}
  - {name: raw, objective: 99, sli: {raw: {error_ratio_query: 'avg_over_time(x[{{.window}}])'}}}
"""
PYRRA = """
apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata: {name: errors, namespace: n, labels: {pyrra.dev/team: a, b: c}}
spec:
  target: "99"
  window: 4w
  description: d
  alerting: {disabled: false, absent: true, burnrates: true, name: n}
  indicator:
    {indicator}
"""
RATIO = "ratio: {errors: {metric: 'x{a=\"b\"}'}, total: {metric: x}, grouping: [a]}"
LATENCY = "latency: {success: {metric: 'x_bucket{le=\"1\"}'}, total: {metric: x_count}}"
NATIVE = "latencyNative: {latency: 1s, total: {metric: x}}"
GAUGE = "bool_gauge: {metric: 'x{a=\"b\"}'}"
OPENSLO = """
apiVersion: openslo/v1
kind: SLO
metadata: {name: errors, displayName: d, labels: {a: [b, c]}, annotations: {sloproof.dev/alerting: '{}'}}
spec:
  service: shop
  description: d
  indicator:
    metadata: {name: i}
    spec:
      ratioMetric:
        counter: true
        good: {metricSource: {type: Prometheus, metricSourceRef: r, spec: {query: sum(x_total)}}}
        total: {metricSource: {spec: {query: sum(x_total)}}}
  timeWindow: [{duration: 1M, isRolling: false, calendar: {startTime: s, timeZone: z}}]
  budgetingMethod: METHOD
  objectives:
    - {target: 0.9, displayName: d, timeSliceTarget: 0.9, timeSliceWindow: 1m}
    - {targetPercent: 99, timeSliceTarget: 0.9, timeSliceWindow: 5}
  alertPolicies:
    - kind: AlertPolicy
      metadata: {name: p}
      spec:
        alertWhenBreaching: true
        alertWhenNoData: true
        conditions:
          - kind: AlertCondition
            metadata: {name: c, annotations: {sloproof.dev/tier: t, sloproof.dev/short-window: 5m}}
            spec:
              severity: page
              condition: {kind: burnrate, op: gt, threshold: 2, lookbackWindow: 1h, alertAfter: 0m}
        notificationTargets: [{targetRef: t}]
"""
THRESHOLD = """
apiVersion: openslo/v1
kind: SLO
metadata: {name: lag}
spec:
  service: shop
  indicator: {spec: {thresholdMetric: {metricSource: {spec: {query: max(x)}}}}}
  timeWindow: [{duration: 4w, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.9, op: lt, value: 1}]
"""
ALPHA = """
apiVersion: openslo/v1alpha
kind: SLO
metadata: {name: errors}
spec:
  service: shop
  budgetingMethod: Occurrences
  timeWindows: [{count: 1, unit: Month, isRolling: true}]
  objectives:
    - target: 0.9
      ratioMetrics:
        incremental: true
        good: {source: prometheus, queryType: promql, query: sum(x_total)}
        total: {source: prometheus, queryType: promql, query: sum(x_total)}
"""
FILES: dict[str, tuple[Format, str]] = {
    "sloth": ("sloth", SLOTH),
    **{
        f"pyrra {indicator.partition(':')[0]}": ("pyrra", PYRRA.replace("{indicator}", indicator))
        for indicator in (RATIO, LATENCY, NATIVE, GAUGE)
    },
    "openslo": ("openslo", OPENSLO.replace("METHOD", "Occurrences")),
    "openslo in slices": ("openslo", OPENSLO.replace("METHOD", "Timeslices")),
    "openslo threshold": ("openslo", THRESHOLD),
    "openslo of old": ("openslo", ALPHA),
}


def changed(data: Any) -> Iterator[object]:  # noqa: ANN401 - whatever YAML holds
    """Yield data with each value in turn replaced by a strange one, which differs from place to place."""
    strange = cycle(STRANGE)
    for path in paths(data):
        yield replaced(data, path, next(strange))


def paths(data: object) -> Iterator[tuple[str | int, ...]]:
    match data:
        case dict():
            steps: list[tuple[Any, object]] = list(data.items())
        case list():
            steps = list(enumerate(data))
        case _:
            return
    for step, value in steps:
        yield (step,)
        yield from ((step, *rest) for rest in paths(value))


def replaced(data: Any, path: tuple[str | int, ...], value: object) -> object:  # noqa: ANN401 - as above
    result = copy.deepcopy(data)
    *parents, last = path
    holder = result
    for step in parents:
        holder = holder[step]
    holder[last] = value
    return result


@pytest.mark.parametrize(("form", "text"), FILES.values(), ids=FILES.keys())
def test_a_file_with_anything_anywhere_loads_or_is_told_wrong(desk: Desk, form: Format, text: str) -> None:
    assert desk.load(form, text)
    wrong = 0
    for data in changed(yaml.safe_load(text)):
        try:
            loaded = desk.load(form, yaml.safe_dump(data, allow_unicode=True))
        except InvalidFile as invalid:
            wrong += 1
            assert all(problem.path.name == f"{form}.yaml" and problem.line for problem in invalid.problems)  # noqa: PT017
        else:
            assert loaded
    assert wrong


def extended(data: Any) -> Iterator[tuple[tuple[str | int, ...], object]]:  # noqa: ANN401 - whatever YAML holds
    """Yield data with one more key in each mapping in turn, and where that is."""
    for path in [(), *paths(data)]:
        value = data
        for step in path:
            value = value[step]
        if isinstance(value, dict):
            more = {**value, UNKNOWN: UNKNOWN}
            yield path, replaced(data, path, more) if path else more


@pytest.mark.parametrize(("form", "text"), FILES.values(), ids=FILES.keys())
def test_a_key_that_nobody_knows_is_carried_over_or_told_wherever_it_stands(
    desk: Desk, form: Format, text: str
) -> None:
    for path, data in extended(yaml.safe_load(text)):
        imported = desk.read(form, yaml.safe_dump(data))
        said = "\n".join(note.message for note in imported.notes)
        carried = any(UNKNOWN in file.text() for file in imported.files)
        # What is not carried over as a whole is told as one.
        whole = any(f"'{dotted(path[:end])}' is not carried over" in said for end in range(1, len(path) + 1))
        assert carried or whole or UNKNOWN in said, dotted(path)
