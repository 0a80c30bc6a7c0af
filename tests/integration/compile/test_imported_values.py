"""What is imported records what the other tool's words say: computed by promtool on series made for it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
import yaml

from sloproof.compile.interop import openslo, pyrra, sloth
from sloproof.compile.outputs import Format, Kind, Source, outputs
from sloproof.slo import definition

if TYPE_CHECKING:
    from pathlib import Path

    from sloproof.compile.interop.ours import Imported
    from tests.integration.compile.promtool import Promtool

MONTH_S = Decimal(30 * 86_400)
SERIES = {
    "good_total": "0+100x60 6000+50x30 7500+100x60",  # half of what comes from the 60th to the 90th minute
    "all_total": "0+100x151",
    "bad_total": "0+0x60 0+50x30 1500+0x60",
    "lag_seconds": "1x59 3x29 1x60",
    "probe": "1x59 0x29 1x60",
    'seconds_bucket{le="1.0"}': "0+100x60 6000+50x30 7500+100x60",
    'seconds_bucket{le="+Inf"}': "0+100x151",
    "seconds_count": "0+100x151",
}
OPENSLO = """
apiVersion: openslo/v1
kind: SLO
metadata: {{name: it}}
spec:
  service: shop
  indicator: {{spec: {{{metric}}}}}
  timeWindow: [{{duration: 30d, isRolling: true}}]
  budgetingMethod: {method}
  objectives: [{objective}]
"""
COUNTERS = (
    "ratioMetric: {counter: true, good: {metricSource: {spec: {query: sum(good_total)}}}, "
    "total: {metricSource: {spec: {query: sum(all_total)}}}}"
)
LAG = "thresholdMetric: {metricSource: {spec: {query: max(lag_seconds)}}}"
STORED = (
    "ratioMetric: {rawType: success, raw: {metricSource: {spec: "
    "{query: 'sum(rate(good_total[1m])) / sum(rate(all_total[1m]))'}}}}"
)
PYRRA = """
apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata: {name: it}
spec:
  target: "99"
  window: 30d
  indicator: {INDICATOR}
"""
SLOTH = """
version: prometheus/v1
service: shop
slos:
  - {name: it, objective: 99, sli: {SLI}}
"""


def of_openslo(metric: str, objective: str = "{target: 0.99}", method: str = "Occurrences") -> str:
    return OPENSLO.format(metric=metric, objective=objective, method=method)


CASES = {
    "counters, by their growth": ("openslo", of_openslo(COUNTERS), 0.25),
    "a stored ratio of good events": ("openslo", of_openslo(STORED), 0.25),
    "slices that are good from 90 % on": (
        "openslo",
        of_openslo(COUNTERS, "{target: 0.99, timeSliceTarget: 0.9, timeSliceWindow: 2m}", "Timeslices"),
        0.5,
    ),
    "slices that are good from 40 % on": (
        "openslo",
        of_openslo(COUNTERS, "{target: 0.99, timeSliceTarget: 0.4, timeSliceWindow: 2m}", "Timeslices"),
        0,
    ),
    "slices that count as their ratio": (
        "openslo",
        of_openslo(COUNTERS, "{target: 0.99, timeSliceWindow: 2m}", "RatioTimeslices"),
        0.25,
    ),
    "a value that should be low": ("openslo", of_openslo(LAG, "{target: 0.99, op: lte, value: 2}"), 0.5),
    "a value that should be high": ("openslo", of_openslo(LAG, "{target: 0.99, op: gt, value: 2}"), 0.5),
    "slices of a value": (
        "openslo",
        of_openslo(
            LAG,
            "{target: 0.99, op: lt, value: 2, timeSliceTarget: 0.8, timeSliceWindow: 5m}",
            "Timeslices",
        ),
        0.5,
    ),
    "a ratio of Pyrra's": (
        "pyrra",
        PYRRA.replace("INDICATOR", "ratio: {errors: {metric: bad_total}, total: {metric: all_total}}"),
        0.25,
    ),
    "latency of Pyrra's, whose bound is spelt in another way": (
        "pyrra",
        PYRRA.replace(
            "INDICATOR",
            "latency: {success: {metric: 'seconds_bucket{le=\"1\"}'}, total: {metric: seconds_count}}",
        ),
        0.25,
    ),
    "a gauge of Pyrra's": ("pyrra", PYRRA.replace("INDICATOR", "bool_gauge: {metric: probe}"), 0.5),
    "events of Sloth's": (
        "sloth",
        SLOTH.replace(
            "SLI",
            "events: {error_query: 'sum(rate(bad_total[{{.window}}]))', "
            "total_query: 'sum(rate(all_total[{{.window}}]))'}",
        ),
        0.25,
    ),
    "a raw ratio of Sloth's": (
        "sloth",
        SLOTH.replace("SLI", "raw: {error_ratio_query: '1 - avg_over_time(probe[{{.window}}])'}"),
        0.5,
    ),
}


def imported(form: str, text: str, folder: Path) -> Imported:
    path = folder / "shop.yaml"
    match form:
        case "sloth":
            return sloth.read(text, path=path, window_s=MONTH_S)
        case "pyrra":
            return pyrra.read(text, path=path)
        case _:
            return openslo.read(text, path=path, window_s=MONTH_S)


@pytest.mark.parametrize(("form", "text", "expected"), CASES.values(), ids=CASES.keys())
def test_the_error_ratio_of_an_hour_that_is_bad_in_its_second_half(
    promtool: Promtool, tmp_path: Path, form: str, text: str, expected: float
) -> None:
    (file,) = imported(form, text, tmp_path).files
    (tmp_path / "slo.yaml").write_text(file.text(), encoding="utf-8")
    source = Source(name="slo.yaml", definition=definition.load(tmp_path / "slo.yaml"))
    rules = next(iter(outputs([source], form=Format.PROMETHEUS, kinds=[Kind.RULES])))
    (tmp_path / "rules.yaml").write_text("".join(rules.text), encoding="utf-8")
    # Whether both ends of a range belong to it differs between releases of Prometheus: 5 % at most here.
    near = f'sum(abs(slo:sli_error:ratio_rate1h{{sloth_slo="it"}} - {expected}) < bool 0.05)'
    suite = {
        "rule_files": ["rules.yaml"],
        "evaluation_interval": "5m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in SERIES.items()],
                "promql_expr_test": [
                    {"expr": near, "eval_time": "90m", "exp_samples": [{"labels": "{}", "value": 1}]}
                ],
            }
        ],
    }
    (tmp_path / "test.yaml").write_text(yaml.safe_dump(suite), encoding="utf-8")

    told = promtool.test_rules(tmp_path / "test.yaml")

    assert told.passed, told.said
