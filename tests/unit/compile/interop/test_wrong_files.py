"""Wrong foreign files: each message names its line, what is wrong and what would be right."""
# ruff: noqa: E501 - a row of a table reads best on one line

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sloproof.slo.problems import InvalidFile

if TYPE_CHECKING:
    from tests.unit.compile.interop.conftest import Desk, Format

SLOTH = """version: prometheus/v1
service: shop
slos:
  - name: availability
    objective: 99.9
    sli:
      events:
        error_query: sum(rate(x_total{code="500"}[{{.window}}]))
        total_query: sum(rate(x_total[{{.window}}]))
"""
PYRRA = """apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata:
  name: errors
spec:
  target: "99"
  window: 4w
  indicator:
    ratio:
      errors:
        metric: x_total{code="500"}
      total:
        metric: x_total
"""
OPENSLO = """apiVersion: openslo/v1
kind: SLO
metadata:
  name: errors
spec:
  service: shop
  indicatorRef: errors
  timeWindow:
    - duration: 30d
      isRolling: true
  budgetingMethod: Occurrences
  objectives:
    - target: 0.999
---
apiVersion: openslo/v1
kind: SLI
metadata:
  name: errors
spec:
  ratioMetric:
    counter: true
    bad:
      metricSource:
        type: Prometheus
        spec:
          query: sum(x_total{code="500"})
    total:
      metricSource:
        type: Prometheus
        spec:
          query: sum(x_total)
"""
THRESHOLD = (
    OPENSLO.partition("  ratioMetric:")[0]
    + """  thresholdMetric:
    metricSource:
      type: Prometheus
      spec:
        query: max(lag_seconds)
"""
)
BURN = OPENSLO.replace(
    "  budgetingMethod",
    """  alertPolicies:
    - kind: AlertPolicy
      metadata:
        name: burn
      spec:
        conditions:
          - kind: AlertCondition
            metadata:
              name: burn
            spec:
              severity: page
              condition:
                kind: burnrate
                threshold: 14.4
                lookbackWindow: 1h
  budgetingMethod""",
)
FILES: dict[str, tuple[Format, str]] = {
    "sloth": ("sloth", SLOTH),
    "pyrra": ("pyrra", PYRRA),
    "openslo": ("openslo", OPENSLO),
    "threshold": ("openslo", THRESHOLD),
    "compared": ("openslo", THRESHOLD.replace("target: 0.999", "{target: 0.9, op: lt, value: 1}")),
    "burn": ("openslo", BURN),
}
# Which file, what is replaced by what, and where and how it is told.
WRONG = {
    "nothing in it": ("sloth", SLOTH, "# nothing\n---\n", "1:1: the file is empty"),
    "no YAML": ("sloth", "service: shop", "service: [shop", "3:5: not valid YAML"),
    "a list": ("sloth", SLOTH, "- a\n", "1:1: takes a mapping ('key: value'), not a list"),
    "another version": ("sloth", "prometheus/v1", "prometheus/v2", "1:10: version: 'prometheus/v2' is not known: write prometheus/v1"),
    "nobody's file": ("sloth", "version: prometheus/v1\n", "", "1:1: no file of Sloth's"),
    "OpenSLO for Sloth": ("sloth", SLOTH, OPENSLO, "1:1: no file of Sloth's: sloproof import openslo reads it"),
    "another object of Kubernetes": ("sloth", "version: prometheus/v1", "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule", "1:13: monitoring.coreos.com/v1 PrometheusRule is no object of Sloth's: write sloth.slok.dev/v1 PrometheusServiceLevel"),
    "a missing service": ("sloth", "service: shop\n", "", "1:1: missing key 'service', e.g. service: checkout"),
    "a service without letters": ("sloth", "service: shop", "service: '--'", "2:10: service: '--' has no letter or digit"),
    "no SLOs": ("sloth", SLOTH[SLOTH.index("slos:"):], "slos: []\n", "1:1: there is no SLO in it"),
    "SLOs that are no list": ("sloth", SLOTH.partition("slos:")[2], " all\n", "3:7: slos: takes a list ('- item'), not 'all'"),
    "no error budget": ("sloth", "99.9", "100", "5:16: slos[0].objective: '100%' leaves no error budget"),
    "a target in words": ("sloth", "99.9", "high", "5:16: slos[0].objective: takes a number, not 'high'"),
    "no target": ("sloth", "    objective: 99.9\n", "", "4:5: missing key 'objective', e.g. objective: 99.9"),
    "no indicator": ("sloth", SLOTH[SLOTH.index("      events"):], "      {}\n", "7:7: slos[0].sli: takes one of events, raw and plugin"),
    "half an indicator": ("sloth", SLOTH[SLOTH.index("        total"):], "", "8:9: missing key 'total_query'"),
    "a query without a window": ("sloth", "x_total[{{.window}}]", "x_total[5m]", "9:22: slos[0].sli.events.total_query: holds no {{.window}}"),
    "another template": ("sloth", "x_total[{{.window}}]", 'x_total{a="{{.service}}"}[{{.window}}]', "9:22: slos[0].sli.events.total_query: the template {{.service}} is not known"),
    "no PromQL": ("sloth", "sum(rate(x_total[{{.window}}]))", "sum(rate(x_total[{{.window}}])", "9:22: slos[0].sli.events.total_query: not PromQL (unclosed left parenthesis)"),
    "no truth value": ("sloth", "    sli:", "    alerting: {page_alert: {disable: maybe}}\n    sli:", "6:38: slos[0].alerting.page_alert.disable: takes true or false, not 'maybe'"),
    "only plugins": ("sloth", SLOTH[SLOTH.index("      events"):], "      plugin: {id: a/b}\n", "7:20: the SLI plugin 'a/b' cannot be carried over"),
    "a duplicate key": ("sloth", "    objective: 99.9\n", "    objective: 99.9\n    objective: 99\n", "6:5: duplicate key 'objective'"),
    "Sloth's file for Pyrra": ("pyrra", PYRRA, SLOTH, "1:1: no file of Pyrra's: sloproof import sloth reads it"),
    "Pyrra's object for OpenSLO": ("openslo", OPENSLO, PYRRA, "1:1: no file of OpenSLO's: sloproof import pyrra reads it"),
    "an object of Sloth's for Pyrra": ("pyrra", "pyrra.dev/v1alpha1", "sloth.slok.dev/v1", "1:1: no file of Pyrra's: sloproof import sloth reads it"),
    "our own": ("sloth", SLOTH, "service: shop\nwindow: 30d\nobjectives: [{name: a}]\n", "1:1: no file of Sloth's: it is an SLO file of sloproof already"),
    "a list of Kubernetes": ("pyrra", PYRRA, "apiVersion: v1\nkind: List\nitems: []\n", "1:1: no file of Pyrra's: it is a List of Kubernetes: write its items as documents"),
    "a target per cent": ("sloth", "99.9", "99.9%", "5:16: slos[0].objective: takes a number without a sign, not '99.9%': write 99.9"),
    "a ratio per cent": ("openslo", "0.999", "99.9%", "13:15: spec.objectives[0].target: takes a number without a sign, not '99.9%': write 0.999"),
    "keys that are merged": ("sloth", "    objective: 99.9\n", "    <<: {objective: 99.9}\n", "4:5: missing key 'objective' (keys are not merged from '<<': write them out), e.g. objective: 99.9"),
    "no version of Pyrra's": ("pyrra", "apiVersion: pyrra.dev/v1alpha1\n", "", "1:1: missing key 'apiVersion'"),
    "no kind of Pyrra's": ("pyrra", "ServiceLevelObjective", "Slo", "1:13: pyrra.dev/v1alpha1 Slo is no SLO of Pyrra's"),
    "no duration": ("pyrra", "4w", "4 weeks", "7:11: spec.window: '4 weeks' is not a duration of Prometheus"),
    "more than a selector": ("pyrra", "metric: x_total\n", "metric: sum(x_total)\n", "13:17: spec.indicator.ratio.total.metric: takes a selector of series"),
    "a bucket without a bound": ("pyrra", PYRRA[PYRRA.index("    ratio:"):], "    latency: {success: {metric: x_bucket}, total: {metric: x_count}}\n", "9:24: spec.indicator.latency.success: has no le"),
    "no kind of indicator": ("pyrra", PYRRA[PYRRA.index("    ratio:"):], "    {}\n", "9:5: spec.indicator: takes one of ratio, latency, latencyNative, bool_gauge"),
    "a version to come": ("openslo", "apiVersion: openslo/v1\nkind: SLO", "apiVersion: openslo.com/v2alpha\nkind: SLO", "1:13: apiVersion: 'openslo.com/v2alpha' is not known: write openslo/v1 or openslo/v1alpha"),
    "an unknown kind": ("openslo", "kind: SLI", "kind: Sli", "16:7: kind: 'Sli' is not known, did you mean 'SLI'?"),
    "the same name twice": ("openslo", OPENSLO[OPENSLO.index("---"):], "---\n" + OPENSLO, "18:9: the SLO 'errors' is on line 1 already"),
    "an indicator that is not there": ("openslo", "indicatorRef: errors", "indicatorRef: faults", "7:17: spec.indicatorRef: no SLI in this file is called 'faults' (there is: errors): add its document"),
    "no indicator of OpenSLO": ("openslo", "  indicatorRef: errors\n", "", "6:3: spec: missing key 'indicator'"),
    "a target that is a percentage": ("openslo", "0.999", "99.9", "13:15: spec.objectives[0].target: '99.9' leaves no error budget: write a ratio below 1"),
    "no target at all": ("openslo", "- target: 0.999", "- displayName: a", "13:7: missing key 'target', e.g. target: 0.999"),
    "an unknown method": ("openslo", "Occurrences", "Occurences", "11:20: spec.budgetingMethod: 'Occurences' is not known, did you mean 'Occurrences'?"),
    "time slices without a target": ("openslo", "Occurrences", "Timeslices", "13:7: spec.objectives[0]: missing key 'timeSliceTarget'"),
    "two windows": ("openslo", "    - duration: 30d\n", "    - duration: 7d\n    - duration: 30d\n", "9:5: spec.timeWindow: takes exactly one window"),
    "no shorthand": ("openslo", "30d", "30 days", "9:17: spec.timeWindow[0].duration: '30 days' is not a duration"),
    "good and bad": ("openslo", "    bad:", "    good: {metricSource: {spec: {query: x}}}\n    bad:", "21:5: spec.ratioMetric: takes either good or bad beside total"),
    "a query that takes no window": ("openslo", "query: sum(x_total)", "query: vector(1)", "31:18: spec.ratioMetric.total.metricSource.spec.query: no window can be put into it"),
    "a rate over a count": ("openslo", "query: sum(x_total)", "query: sum(rate(x_total[5m]))", "one query gives events per second and the other does not"),
    "a threshold without an operator": ("threshold", "", "", "13:7: missing key 'op', e.g. op: lte"),
    "an unknown operator": ("threshold", "- target: 0.999", "- {target: 0.999, op: below, value: 1}", "13:27: spec.objectives[0].op: 'below' is not known"),
    "a threshold that is a count": ("threshold", "- target: 0.999", "- {target: 0.999, op: lt, value: many}", "13:38: spec.objectives[0].value: takes a number, not 'many'"),
    "an indicator twice": ("openslo", "  indicatorRef: errors\n", "  indicatorRef: errors\n  indicator: {spec: {}}\n", "7:17: spec: takes indicator or indicatorRef, not both"),
    "a raw ratio of nobody knows what": ("openslo", OPENSLO[OPENSLO.index("    counter: true"):], "    raw: {metricSource: {spec: {query: x}}}\n    rawType: both\n", "22:14: spec.ratioMetric.rawType: takes success or failure, not 'both'"),
    "time slices of no length": ("openslo", "Occurrences\n  objectives:\n    - target: 0.999", "Timeslices\n  objectives:\n    - {target: 0.9, timeSliceTarget: 0.9, timeSliceWindow: 10s}", "13:60: spec.objectives[0].timeSliceWindow: '10s' is no length of a slice"),
    "an unknown unit": ("openslo", "- duration: 30d\n      isRolling: true", "- {unit: Days, count: 3}", "9:14: spec.timeWindow[0].unit: 'Days' is not known, did you mean 'Day'?"),
    "half a window": ("openslo", "- duration: 30d\n      isRolling: true", "- {unit: Day, count: 1.5}", "9:26: spec.timeWindow[0].count: takes a whole number above 0, not '1.5'"),
    "a window of ours that is none": ("openslo", "  name: errors\nspec:", "  name: errors\n  annotations: {sloproof.dev/window: 30}\nspec:", "5:38: metadata.annotations.sloproof.dev/window: '30' has no unit"),
    "alerting of ours that is no JSON": ("openslo", "  name: errors\nspec:", "  name: errors\n  annotations: {sloproof.dev/alerting: tiers}\nspec:", "5:40: metadata.annotations.sloproof.dev/alerting: not what sloproof writes there"),
    "alerting of ours with another key": ("openslo", "  name: errors\nspec:", "  name: errors\n  annotations: {sloproof.dev/alerting: '{\"a\": 1}'}\nspec:", "5:40: metadata.annotations.sloproof.dev/alerting: not what sloproof writes there"),
    "a short window of ours that is none": ("burn", "            metadata:\n              name: burn\n", "            metadata: {name: burn, annotations: {sloproof.dev/short-window: now}}\n", "sloproof.dev/short-window: 'now' is not a duration"),
    "a short window as long as the long one": ("burn", "            metadata:\n              name: burn\n", "            metadata: {name: burn, annotations: {sloproof.dev/short-window: 1h}}\n", "the short window of 'burn' must be shorter than the long one"),
    "a name that is a list": ("sloth", "name: availability", "name: [a]", "4:11: slos[0].name: takes a text, not a list"),
    "a window of no time": ("pyrra", "4w", "0d", "7:11: spec.window: '0d' is no time at all"),
    "a compared value over the window": ("compared", "max(lag_seconds)", "max_over_time(lag_seconds[{{window}}])", "24:16: spec.thresholdMetric.metricSource.spec.query: a value that is compared has a range of its own"),
    "a burn rate in words": ("burn", "14.4", "fast", "threshold: takes a number, not 'fast'"),
    "a burn rate of nothing": ("burn", "14.4", "0", "the factor of 'burn' must be above 0, not 0"),
    "a window of alerts in seconds": ("burn", "1h", "90s", "lookbackWindow: '90s' is not a duration"),
    "a condition that is not there": ("burn", BURN[BURN.index("          - kind: AlertCondition"):BURN.index("  budgetingMethod")], "          - conditionRef: slow\n", "no AlertCondition in this file is called 'slow' (there is: none)"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "old", "new", "told"), [pytest.param(*row, id=key) for key, row in WRONG.items()]
)
def test_a_wrong_file_is_told_where_and_how(desk: Desk, name: str, old: str, new: str, told: str) -> None:
    form, text = FILES[name]
    assert old in text

    with pytest.raises(InvalidFile) as caught:
        desk.read(form, text.replace(old, new, 1))

    assert told in str(caught.value)
    assert str(caught.value).startswith(str(desk.folder / f"{form}.yaml:"))


@pytest.mark.parametrize("name", ["sloth", "pyrra", "openslo", "compared", "burn"])
def test_the_same_files_without_the_mistake_are_right(desk: Desk, name: str) -> None:
    assert desk.load(*FILES[name])


def test_all_mistakes_are_told_at_once(desk: Desk) -> None:
    wrong = SLOTH.replace("99.9", "100") + SLOTH[SLOTH.index("  - name") :].replace("99.9", "0")

    with pytest.raises(InvalidFile) as caught:
        desk.read("sloth", wrong)

    assert [problem.line for problem in caught.value.problems] == [5, 11]


def test_a_mistake_in_a_document_that_two_slos_share_is_told_once(desk: Desk) -> None:
    slo, sli = OPENSLO.replace("counter: true", "counter: perhaps").split("---\n")
    text = "---\n".join([slo, slo.replace("name: errors\nspec", "name: others\nspec"), sli])

    with pytest.raises(InvalidFile) as caught:
        desk.read("openslo", text)

    assert [problem.message for problem in caught.value.problems] == [
        "spec.ratioMetric.counter: takes true or false, not 'perhaps'"
    ]
