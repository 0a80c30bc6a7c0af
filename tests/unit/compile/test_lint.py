"""Each wrong file is told with its line, the cause and the cure; what is right is left alone."""

from __future__ import annotations

import doctest
from dataclasses import dataclass, field
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sloproof.cli.sources import load_source
from sloproof.compile.lint.given import Exposition, Live, Match
from sloproof.compile.lint.inspection import Given, inspect
from sloproof.compile.lint.matches import explain, uses, values_of
from sloproof.compile.selectors import Matcher, Selector, selectors

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[3]
HEAD = "service: jobs\nwindow: 30d\nmetrics: {matchers: {job: jobs}}\n"
OBJECTIVES = f"{HEAD}objectives:\n"
ONE = "  - {name: up, target: 99%, indicator: {availability: {}}}\n"
LATENCY = "latency: {method: POST, route: /jobs, threshold: 300ms}"
RIGHT = f"{OBJECTIVES}{ONE}"


def objective(target: str = "99%", indicator: str = "availability: {}", **others: str) -> str:
    """Return a file whose only objective begins on line 5, a key a line."""
    keys = {"target": target, "indicator": f"{{{indicator}}}", **others}
    return OBJECTIVES + "  - name: served\n" + "".join(f"    {key}: {text}\n" for key, text in keys.items())


def tiers(*each: str) -> str:
    """Return a file whose only objective has tiers from line 10 on, a tier a line."""
    lines = "".join(f"        - {{{tier}}}\n" for tier in each)
    return f"{objective()}    alerting:\n      tiers:\n{lines}"


def ratio(bad: str = "sum(rate(x{ok='0'}[{{window}}]))", total: str = "sum(rate(x[{{window}}]))") -> str:
    """Return a file with a ratio whose `bad` is on line 9 and whose `total` is on line 10, both plain."""
    return (
        f"{OBJECTIVES}  - name: served\n    target: 99%\n    indicator:\n      ratio:\n"
        f"        bad: {bad}\n        total: {total}\n"
    )


def block(style: str) -> str:
    """Return a file with a ratio whose `good` is a block of lines from 11 on, with a parenthesis too many."""
    return (
        f"{OBJECTIVES}  - name: served\n    target: 99%\n    indicator:\n      ratio:\n"
        f"        total: sum(rate(x[{{{{window}}}}]))\n        good: {style}\n"
        "          sum(\n            rate(x[{{window}}])\n          ))\n"
    )


def buckets(*bounds: str, **labels: str) -> tuple[Mapping[str, str], ...]:
    return tuple({**labels, "le": bound} for bound in bounds)


POSTED = buckets("0.1", "0.25", "0.5", "+Inf", http_request_method="POST", http_route="/jobs")
IN_TIME = (
    'http_server_request_duration_seconds_bucket{job="jobs",http_request_method="POST",http_route="/jobs",'
    'le="0.3",http_response_status_code!~"5..|429"}'
)
REQUESTS = "http_server_request_duration_seconds"


def exposed(**histograms: tuple[Mapping[str, str], ...]) -> Exposition:
    return Exposition(name="http://s/metrics", histograms=histograms, metrics=frozenset({"up_since"}))


@dataclass(frozen=True, slots=True)
class Case:
    """A file, all that is said of it, and what is known beside it."""

    text: str
    expected: tuple[str, ...]
    traffic: str | None = None
    exposed: Exposition | None = None
    nothing: Mapping[str, Match] | None = None
    facts: Mapping[str, object] = field(default_factory=dict)


def told(folder: Path, case: Case) -> list[str]:
    path = folder / "f.yaml"
    path.write_text(case.text)
    source = load_source(path)
    facts = dict(case.facts)
    prometheus = None
    if case.nothing is not None or facts:
        missing = case.nothing or {}
        selectors = [use.selector for use in uses(source.definition)]
        assert missing.keys() <= {str(each) for each in selectors}, [str(each) for each in selectors]
        matches = {each: missing.get(str(each), Match(jobs={"jobs": 1})) for each in selectors}
        prometheus = {path: Live(name="http://p", matches=matches, **facts)}  # type: ignore[arg-type]
    given = Given(
        seen_events=["job_completed"],
        traffic_per_s=None if case.traffic is None else Decimal(case.traffic),
        exposed=case.exposed,
        live=prometheus,
    )
    return [str(each).removeprefix(f"{path}:") for each in inspect([source], given)]


CASES = {
    # tiers
    "a tier that no error ratio reaches": Case(
        objective("90%"),
        (
            (
                "5: error: the tier 'page-fast' of 'served' can never fire, because even with every event "
                "bad a target of 90 % burns at no more than 10×, and the tier fires above 14.4×: raise "
                "the target to 93.06 % or more, give alerting.tiers in which it takes less than 1.38 % of "
                "the budget in 1h, or write alerting: {disable: [page-fast]}"
            ),
        ),
    ),
    "all but one tier that no error ratio reaches": Case(
        objective("60%"),
        (
            (
                "5: error: the tier 'page-fast' of 'served' can never fire, because even with every event "
                "bad a target of 60 % burns at no more than 2.5×, and the tier fires above 14.4×: raise "
                "the target to 93.06 % or more, give alerting.tiers in which it takes less than 0.34 % of "
                "the budget in 1h, or write alerting: {disable: [page-fast]}"
            ),
            (
                "5: error: the tier 'page-slow' of 'served' can never fire, because even with every event "
                "bad a target of 60 % burns at no more than 2.5×, and the tier fires above 6×: raise the "
                "target to 83.34 % or more, give alerting.tiers in which it takes less than 2.08 % of the "
                "budget in 6h, or write alerting: {disable: [page-slow]}"
            ),
            (
                "5: error: the tier 'ticket-fast' of 'served' can never fire, because even with every "
                "event bad a target of 60 % burns at no more than 2.5×, and the tier fires above 3×: "
                "raise the target to 66.67 % or more, give alerting.tiers in which it takes less than "
                "8.33 % of the budget in 1d, or write alerting: {disable: [ticket-fast]}"
            ),
        ),
    ),
    "a tier at exactly its limit": Case(
        objective("50%", alerting="{tiers: [{name: page, severity: page, budget: 20%, long: 3d}]}"),
        (
            (
                "5: error: the tier 'page' of 'served' can never fire, because even with every event bad "
                "a target of 50 % burns at no more than 2×, and the tier fires above 2×: raise the target "
                "to 50.01 % or more, give alerting.tiers in which it takes less than 20 % of the budget "
                "in 3d, or write alerting: {disable: [page]}"
            ),
        ),
    ),
    "no tier left": Case(
        objective(alerting="{disable: [page-fast, page-slow, ticket-fast, ticket-slow]}"),
        (
            (
                "5: warning: 'served' has no alert on its burn rate, because alerting.disable leaves none "
                "of its tiers: take one out of alerting.disable, or give alerting.tiers of its own"
            ),
        ),
    ),
    "a long window as long as the budget's": Case(
        tiers("name: page, severity: page, budget: 100%, long: 30d"),
        (
            (
                "10: error: the long window of the tier 'page' of 'served' is as long as the error "
                "budget's, because it looks back 30d, and the budget counts 30d: choose a long window of "
                "a tenth of the budget's or less, or a longer window of the objective"
            ),
        ),
    ),
    "a long window longer than the budget's": Case(
        tiers("name: page, severity: page, budget: 100%, long: 31d"),
        (
            (
                "10: error: the long window of the tier 'page' of 'served' is longer than the error "
                "budget's, because it looks back 31d, and the budget counts 30d: choose a long window of "
                "a tenth of the budget's or less, or a longer window of the objective"
            ),
        ),
    ),
    "a share below the even pace": Case(
        tiers("name: page, severity: page, budget: 1%, long: 3d"),
        (
            (
                "10: warning: the tier 'page' of 'served' fires after 10 % of the budget, not after 1 %, "
                "because 1 % in 3d is slower than the budget's even pace over 30d, which is no cause for "
                "an alert: choose a larger share, or a shorter long window"
            ),
        ),
    ),
    "tiers of one name": Case(
        tiers(
            "name: page, severity: page, budget: 2%, long: 1h",
            "name: page, severity: page, budget: 5%, long: 6h",
        ),
        (
            (
                "10: error: two tiers are called 'page', because their alerts would carry the same "
                "labels, so that one hides the other: rename one of them"
            ),
        ),
    ),
    "tiers of one condition": Case(
        tiers(
            "name: page, severity: page, budget: 2%, long: 1h",
            "name: ticket, severity: ticket, budget: 2%, long: 1h",
        ),
        (
            (
                "11: warning: the tiers 'page' and 'ticket' always fire together, because both fire above "
                "14.4× over 1h and 5m: remove one of them, or change its budget or its windows"
            ),
        ),
    ),
    "a page after its ticket": Case(
        tiers(
            "name: page, severity: page, budget: 20%, long: 3d",
            "name: ticket, severity: ticket, budget: 10%, long: 1d",
        ),
        (
            (
                "10: warning: the page 'page' comes after the ticket 'ticket', because the page waits for "
                "20 % of the budget at 2×, the ticket only for 10 % at 3×: swap their severities, or give "
                "the page a shorter long window"
            ),
        ),
    ),
    # windows
    "a window longer than the declared retention": Case(
        f"{HEAD}prometheus: {{retention: 15d}}\nobjectives:\n{ONE}{ONE.replace('up', 'b')}",
        (
            (
                "2: error: the window, 30d, is longer than samples are kept, because prometheus.retention "
                "is 15d: keep them for 30d (--storage.tsdb.retention.time=30d), or choose a window of 15d "
                "or less"
            ),
        ),
    ),
    "an objective's own window longer than the retention": Case(
        f"{HEAD}prometheus: {{retention: 30d}}\nobjectives:\n{ONE.replace('99%,', '99%, window: 90d,')}",
        (
            (
                "6: error: the window of 'up', 90d, is longer than samples are kept, because "
                "prometheus.retention is 30d: keep them for 90d (--storage.tsdb.retention.time=90d), or "
                "choose a window of 30d or less"
            ),
        ),
    ),
    "a tier's long window longer than the retention": Case(
        f"{HEAD}prometheus: {{retention: 2d}}\nobjectives:\n{ONE}",
        (
            (
                "2: error: the window, 30d, is longer than samples are kept, because prometheus.retention "
                "is 2d: keep them for 30d (--storage.tsdb.retention.time=30d), or choose a window of 2d "
                "or less"
            ),
            (
                "6: error: the long window of the tier 'ticket-slow' of 'up', 3d, is longer than samples "
                "are kept, because prometheus.retention is 2d: keep them for 3d or more, or disable the "
                "tier"
            ),
        ),
    ),
    "a short window of less than two scrapes": Case(
        objective(
            alerting="{tiers: [{name: page, severity: page, budget: 2%, long: 1h, short: 30s}]}"
        ).replace("metrics:", "prometheus: {scrape_interval: 20s}\nmetrics:"),
        (
            (
                "9: error: the short window of 'page' of 'served', 30s, is under 2 scrape intervals, because "
                "prometheus.scrape_interval is 20s, and an increase needs two samples: give "
                "alerting.tiers in which it is 1m20s or more, disable it, or scrape more often"
            ),
        ),
    ),
    "a short window of less than four scrapes": Case(
        f"{HEAD}prometheus: {{scrape_interval: 2m}}\nobjectives:\n{ONE}",
        (
            (
                "4: warning: the 5m over which events are counted is under 4 scrape intervals, because "
                "prometheus.scrape_interval is 2m, so that a failed scrape or two leave it empty: scrape "
                "every 1m15s or more often"
            ),
            (
                "6: warning: the short window of 'page-fast' of 'up', 5m, is under 4 scrape intervals, "
                "because prometheus.scrape_interval is 2m, so that a failed scrape or two leave it empty: "
                "give alerting.tiers in which it is 8m or more, disable it, or scrape more often"
            ),
        ),
    ),
    "a window that is no longer than the one in which events are counted": Case(
        objective(
            window="5m", alerting="{tiers: [{name: page, severity: page, budget: 20%, long: 2m, short: 1m}]}"
        ),
        (
            (
                "8: error: the window of 'served', 5m, is too short for rules, because they count events "
                "over 5m at a time: choose a window of 1h or more"
            ),
            (
                "9: warning: the tier 'page' of 'served' fires after 40 % of the budget, not after 20 %, "
                "because 20 % in 2m is slower than the budget's even pace over 5m, which is no cause for "
                "an alert: choose a larger share, or a shorter long window"
            ),
        ),
    ),
    "an evaluation too seldom": Case(
        f"{HEAD}prometheus: {{evaluation_interval: 10m}}\nobjectives:\n{ONE}",
        (
            (
                "4: error: events between two evaluations are never counted, because "
                "prometheus.evaluation_interval is 10m, and each evaluation counts the last 5m: evaluate "
                "every 1m or more often"
            ),
        ),
    ),
    "what the file says of a Prometheus is not so": Case(
        f"{HEAD}prometheus: {{retention: 90d, scrape_interval: 15s}}\nobjectives:\n{ONE}",
        (
            (
                "4: warning: prometheus.retention is 90d, which is not so, because the Prometheus at "
                "http://p keeps samples for 40d: write retention: 40d, or change the Prometheus"
            ),
            (
                "4: warning: prometheus.scrape_interval is 15s, which is not so, because the Prometheus "
                "at http://p scrapes the service every 1m: write scrape_interval: 1m, or change the "
                "Prometheus"
            ),
        ),
        facts={"retention_s": 40 * 86400, "scrape_interval_s": 60},
    ),
    "a live Prometheus keeps too little": Case(
        RIGHT,
        (
            (
                "2: error: the window, 30d, is longer than samples are kept, because the Prometheus at "
                "http://p keeps samples for 15d: keep them for 30d (--storage.tsdb.retention.time=30d), "
                "or choose a window of 15d or less"
            ),
        ),
        facts={"retention_s": 15 * 86400},
    ),
    "a live Prometheus scrapes too seldom": Case(
        RIGHT,
        (
            (
                "1: error: the 5m over which events are counted is under 2 scrape intervals, because the "
                "Prometheus at http://p scrapes it every 3m, and an increase needs two samples: scrape "
                "every 1m15s or more often"
            ),
            (
                "5: error: the short window of 'page-fast' of 'up', 5m, is under 2 scrape intervals, "
                "because the Prometheus at http://p scrapes it every 3m, and an increase needs two "
                "samples: give alerting.tiers in which it is 12m or more, disable it, or scrape more "
                "often"
            ),
        ),
        facts={"scrape_interval_s": 180},
    ),
    # traffic
    "a tier that an outage cannot fire": Case(
        objective(),
        (
            (
                "5: error: the tier 'page-fast' of 'served' cannot fire even in an outage, because the "
                "traffic is 3.6/h, which makes 3.6 events in 1h, and it waits for 5 failures: lower "
                "alerting.minimum_failures, give it a long window of 1h23m20s or more, or write alerting: "
                "{disable: [page-fast]}"
            ),
            (
                "5: warning: the tier 'page-slow' of 'served' is late even in an outage, because the "
                "traffic is 3.6/h, at which 5 failures take 1h23m20s, when the budget that it lets burn "
                "is gone in 21m36s: lower alerting.minimum_failures, or watch the service by a probe that "
                "adds traffic"
            ),
        ),
        traffic="0.001",
    ),
    "tiers that are late in an outage": Case(
        objective("99.9%"),
        (
            (
                "5: warning: the tier 'page-fast' of 'served' is late even in an outage, because the "
                "traffic is 36/h, at which 5 failures take 8m20s, when the budget that it lets burn is "
                "gone in 52s: lower alerting.minimum_failures, or watch the service by a probe that adds "
                "traffic"
            ),
        ),
        traffic="0.01",
    ),
    "measured traffic that is too little": Case(
        objective(alerting="{disable: [page-slow, ticket-fast, ticket-slow]}"),
        (
            (
                "5: warning: the tier 'page-fast' of 'served' cannot fire even in an outage, because the "
                "traffic was 3.6/h, which makes 3.6 events in 1h, and it waits for 5 failures: lower "
                "alerting.minimum_failures, give it a long window of 1h23m20s or more, or write alerting: "
                "{disable: [page-fast]}"
            ),
        ),
        facts={"traffic": {0: Decimal("0.001")}},
    ),
    "a single failure that pages": Case(
        objective("99.9%", alerting="{minimum_failures: 1, disable: [page-slow, ticket-fast, ticket-slow]}"),
        (
            (
                "5: warning: a single bad event fires the tier 'page-fast' of 'served', because the "
                "traffic is 54/h, so one of 54 events in 1h is 1.85 %, above its 1.44 %: set "
                "alerting.minimum_failures to 2 or more"
            ),
        ),
        traffic="0.015",
    ),
    "an error ratio without a floor": Case(
        objective(
            "99.9%",
            "error_ratio: {query: 'x:ratio[{{window}}]'}".replace(
                "x:ratio[", "1 - avg_over_time(up["
            ).replace("}]'", "}])'"),
            alerting="{disable: [page-slow, ticket-fast, ticket-slow]}",
        ),
        (
            (
                "5: warning: a single bad event fires the tier 'page-fast' of 'served', because the "
                "traffic is 54/h, so one of 54 events in 1h is 1.85 %, above its 1.44 %: take the "
                "indicator ratio, whose events can be counted, or disable the tier"
            ),
        ),
        traffic="0.015",
    ),
    "a budget of less than an event": Case(
        objective("99.99%", alerting="{disable: [page-fast, page-slow, ticket-fast]}"),
        (
            (
                "5: warning: a single bad event breaks 'served', because the traffic is 1.8/h, which "
                "makes 1,300 events in 30d, and 0.01 % of them is 0.13: lower the target, lengthen the "
                "window, or add the events of other endpoints"
            ),
        ),
        traffic="0.0005",
    ),
    # PromQL
    "a bracket too many": Case(
        ratio("sum(rate(x{ok='0'}[{{window}}]]))"),
        (
            (
                "9:44: error: bad of 'served' is no PromQL, because at character 31 (']))'): unexpected "
                "right bracket ']': remove it, or open one before it"
            ),
        ),
    ),
    "a parenthesis that stays open": Case(
        ratio("sum(rate(x{ok='0'}[{{window}}])"),
        (
            (
                "9:17: error: bad of 'served' is no PromQL, because at character 4 ('(rate(x{ok=''): "
                "unclosed left parenthesis: close it with ')'"
            ),
        ),
    ),
    "a counter without its range": Case(
        ratio("sum(rate(x{ok='0'})) + 0 * count_over_time(x[{{window}}])"),
        (
            (
                "9:18: error: bad of 'served' is no PromQL, because at character 5 ('rate(x{ok='0'): "
                "expected type matrix in call to function 'rate', got vector: give the counter a range: "
                "x_total[{{window}}]"
            ),
        ),
    ),
    "a function that does not exist": Case(
        ratio("sum(rat(x{ok='0'}[{{window}}]))"),
        (
            (
                "9:18: error: bad of 'served' is no PromQL, because at character 5 ('rat(x{ok='0''): "
                "unknown function with name 'rat': write rate()"
            ),
        ),
    ),
    "a query that ends too early": Case(
        ratio("sum(rate(x{ok='0'}[{{window}}])) by"),
        (
            (
                "9:47: error: bad of 'served' is no PromQL, because at character 34 ('by'): it ends too "
                "early or here is what it does not expect: write what belongs after its last word"
            ),
        ),
    ),
    "a value without quotation marks": Case(
        ratio("sum(rate(x{ok=0}[{{window}}]))"),
        (
            (
                "9:28: error: bad of 'served' is no PromQL, because at character 15 ('0}[{{window}'): "
                "unexpected character inside braces: '0': write label=\"value\", with quotation marks "
                "around the value"
            ),
        ),
    ),
    "a fault in a block of several lines": Case(
        block("|"),
        (
            (
                "13:12: error: good of 'served' is no PromQL, because at character 29 (')'): unexpected "
                "right parenthesis ')': remove it, or open one before it"
            ),
        ),
    ),
    "a fault in a folded block": Case(
        block(">"),
        (
            (
                "10: error: good of 'served' is no PromQL, because at character 29 (')'): unexpected "
                "right parenthesis ')': remove it, or open one before it"
            ),
        ),
    ),
    "a query of a range": Case(
        ratio("x{ok='0'}[{{window}}]"),
        (
            (
                "9: error: bad of 'served' cannot be summed, because it gives a range of samples, and no "
                "series: wrap the range in increase(): increase(x_total[{{window}}])"
            ),
        ),
    ),
    "a query of a number": Case(
        ratio("scalar(sum(rate(x{ok='0'}[{{window}}])))"),
        (
            (
                "9: error: bad of 'served' cannot be summed, because it gives a number, and no series: "
                "wrap it in vector(): rules need series"
            ),
        ),
    ),
    "a window that is no range": Case(
        ratio("sum(x{ok='0'} offset {{window}})"),
        (
            (
                "9: error: no range of bad of 'served' is the window, because {{window}} stands "
                "elsewhere, so that every window shows the same: write it in brackets behind a metric: "
                "increase(x_total[{{window}}])"
            ),
        ),
    ),
    "a range that stays the same": Case(
        ratio("sum(rate(x{ok='0'}[5m])) + 0 * sum(rate(x[{{window}}]))"),
        (
            (
                "9: warning: bad of 'served' has a fixed range besides the window, because [5m] stays the "
                "same in every window: write [{{window}}] in its place"
            ),
        ),
    ),
    "the last two samples only": Case(
        ratio("sum(irate(x{ok='0'}[{{window}}]))"),
        (
            (
                "9: warning: bad of 'served' sees next to nothing of its window, because irate() takes "
                "the last two samples only: write increase() in its place"
            ),
        ),
    ),
    "a bound that another version writes otherwise": Case(
        ratio("sum(rate(x_bucket{le='2'}[{{window}}]))"),
        (
            (
                "9: warning: bad of 'served' finds le=\"2\" in some versions only, because Prometheus 3 "
                'labels that bucket le="2.0": write le=~"2(\\\\.0)?"'
            ),
        ),
    ),
    "bad and total of one query": Case(
        ratio("sum( rate(x[{{window}}]) )"),
        (
            (
                "9: error: bad and total of 'served' are the same query, because the share of good events "
                "is then always 0 %: select the bad events by a label"
            ),
        ),
    ),
    "an error ratio that is no PromQL": Case(
        objective(indicator="error_ratio: {query: '1 - x[{{window}}'}"),
        (
            (
                "7:44: error: query of 'served' is no PromQL, because at character 6 ('[{{window}}'): "
                "unexpected end of input inside brackets: close the range with ']'"
            ),
        ),
    ),
    # buckets
    "a threshold between two bounds": Case(
        objective(indicator=LATENCY),
        (
            (
                "7: error: the threshold of 'served', 300ms, is no bound of a bucket, because the buckets "
                "of http_server_request_duration_seconds end at 250ms and at 500ms, and nothing in "
                "between is counted: write threshold: 250ms or threshold: 500ms, or give the histogram a "
                "bucket up to 300ms"
            ),
        ),
        exposed=exposed(**{REQUESTS: POSTED}),
    ),
    "a threshold above all bounds": Case(
        objective(indicator=LATENCY.replace("300ms", "3s")),
        (
            (
                "7: error: the threshold of 'served', 3s, is no bound of a bucket, because the buckets of "
                "http_server_request_duration_seconds end at 500ms, the next only at infinity, and "
                "nothing in between is counted: write threshold: 500ms, or give the histogram a bucket up "
                "to 3s"
            ),
        ),
        exposed=exposed(**{REQUESTS: POSTED}),
    ),
    "a threshold below all bounds": Case(
        objective(indicator=LATENCY.replace("300ms", "3ms")),
        (
            (
                "7: error: the threshold of 'served', 3ms, is no bound of a bucket, because the buckets "
                "of http_server_request_duration_seconds begin with one up to 100ms, and nothing in "
                "between is counted: write threshold: 100ms, or give the histogram a bucket up to 3ms"
            ),
        ),
        exposed=exposed(**{REQUESTS: POSTED}),
    ),
    "a histogram that is missing": Case(
        objective(indicator="latency: {event: job_completed, histogram: job_seconds, threshold: 2s}"),
        (
            (
                "7: error: the histogram job_seconds of 'served' is missing, because http://s/metrics has "
                "no metric of that name: name a histogram that is there, did you mean 'job_run_seconds'? "
                "(one of: http_server_request_duration_seconds and job_run_seconds)"
            ),
        ),
        exposed=exposed(**{REQUESTS: POSTED, "job_run_seconds": ()}),
    ),
    "a metric that is no histogram": Case(
        objective(indicator="latency: {event: job_completed, histogram: up_since, threshold: 2s}"),
        (
            (
                "7: error: the histogram up_since of 'served' is missing, because http://s/metrics has "
                "up_since, which is no histogram: name a histogram"
            ),
        ),
        exposed=exposed(),
    ),
    "a histogram without anything in it": Case(
        objective(indicator=LATENCY),
        (
            (
                "5: warning: the threshold of 'served' cannot be checked, because http://s/metrics "
                "declares the histogram http_server_request_duration_seconds and has no bucket of it yet: "
                "let the service do once what is measured, and read its metrics again"
            ),
        ),
        exposed=exposed(**{REQUESTS: ()}),
    ),
    "an endpoint that nobody has asked": Case(
        objective(indicator=LATENCY.replace("/jobs", "/job").replace("300ms", "250ms")),
        (
            (
                "5: warning: 'served' is about POST /job, which nobody has asked for, because "
                "http://s/metrics has counted POST /jobs only: send such a request, or correct method and "
                "route, which is the template and not a path"
            ),
        ),
        exposed=exposed(**{REQUESTS: POSTED}),
    ),
    # series
    "no series of an objective": Case(
        RIGHT,
        (
            (
                "5: error: http_server_request_duration_seconds_count{job=\"jobs\"} of 'up' matches "
                'nothing, because at http://p no series has job="jobs": job is "api": correct the '
                "selector, or have Prometheus scrape the service"
            ),
        ),
        nothing={
            f'{REQUESTS}_count{{job="jobs"}}': Match(
                reason='no series has job="jobs": job is "api"', culprits=("job",)
            )
        },
    ),
    "no bucket of a threshold": Case(
        objective(indicator=LATENCY),
        (
            (
                "5: error: "
                'http_server_request_duration_seconds_bucket{job="jobs",http_request_method="POST",http_r'
                'oute="/jobs",le="0.3",http_response_status_code!~"5..|429"} of \'served\' matches nothing, '
                'because at http://p no series has le="0.3": le is "0.25" or "0.5": choose a threshold '
                "that is a bound, or give the histogram that bucket"
            ),
        ),
        nothing={IN_TIME: Match(reason='no series has le="0.3": le is "0.25" or "0.5"', culprits=("le",))},
    ),
    "only failures": Case(
        objective(indicator=LATENCY),
        (
            (
                "5: warning: "
                'http_server_request_duration_seconds_bucket{job="jobs",http_request_method="POST",http_r'
                'oute="/jobs",le="0.3",http_response_status_code!~"5..|429"} of \'served\' matches nothing, '
                "because at http://p no series has all of these labels at once: see whether every request "
                "fails, and whether the histogram has these labels"
            ),
        ),
        nothing={IN_TIME: Match(reason="no series has all of these labels at once")},
    ),
    "no bad event by somebody's query": Case(
        ratio(),
        (
            (
                "5: warning: x{ok=\"0\"} of 'served' matches nothing, because at http://p no series has "
                'ok="0": ok is "1": correct the selector, or let such an event happen once, to see it '
                "counted"
            ),
        ),
        nothing={'x{ok="0"}': Match(reason='no series has ok="0": ok is "1"', culprits=("ok",))},
    ),
    "no up": Case(
        objective(),
        (
            (
                "5: warning: up of 'served' matches nothing, because at http://p there is no metric up: "
                "have Prometheus scrape the service itself; till then a new series loses its first events"
            ),
        ),
        nothing={"up": Match(reason="there is no metric up")},
    ),
    # others
    "an event that clients cannot see": Case(
        objective(indicator="latency: {event: cart_paid, histogram: cart_seconds, threshold: 2s}"),
        (
            (
                "7: warning: a load test cannot judge 'served' by its clients, because they see the end "
                "of job_completed only, and not of cart_paid: write event: job_completed if it is that, "
                "or rely on the service's histogram"
            ),
        ),
    ),
    "a link with a placeholder of its own": Case(
        objective(alerting="{runbook: 'https://r.example/{{slo}}'}"),
        (
            (
                "8: error: the link alerting.runbook holds {{slo}}, which stays as it is, because only "
                "{{service}} and {{objective}} are replaced, and Prometheus takes the rest for its own "
                "template: write {{service}} or {{objective}}, or the text itself"
            ),
        ),
    ),
    "a common link with a placeholder of its own": Case(
        f"{HEAD}alerting: {{dashboard: 'https://d.example/{{{{slo}}}}'}}\n"
        f"objectives:\n{ONE}{ONE.replace('up', 'b')}",
        (
            (
                "4: error: the link alerting.dashboard holds {{slo}}, which stays as it is, because only "
                "{{service}} and {{objective}} are replaced, and Prometheus takes the rest for its own "
                "template: write {{service}} or {{objective}}, or the text itself"
            ),
        ),
    ),
    "a tier that all objectives share and some cannot fire": Case(
        f"{HEAD}alerting:\n  tiers:\n    - {{name: page, severity: page, budget: 2%, long: 1h}}\n"
        "    - {name: ticket, severity: ticket, budget: 2%, long: 1h}\nobjectives:\n"
        f"{ONE}{ONE.replace('up', 'low').replace('99%', '0.01%')}",
        (
            (
                "7: warning: the tiers 'page' and 'ticket' always fire together, because both fire above "
                "14.4× over 1h and 5m: remove one of them, or change its budget or its windows"
            ),
            (
                "10: error: the tier 'page' of 'low' can never fire, because even with every event bad a "
                "target of 0.01 % burns at no more than 1.00×, and the tier fires above 14.4×: raise the "
                "target to 93.06 % or more, give alerting.tiers in which it takes less than 0.13 % of the "
                "budget in 1h, or write alerting: {disable: [page]}"
            ),
            (
                "10: error: the tier 'ticket' of 'low' can never fire, because even with every event bad a "
                "target of 0.01 % burns at no more than 1.00×, and the tier fires above 14.4×: raise the "
                "target to 93.06 % or more, give alerting.tiers in which it takes less than 0.13 % of the "
                "budget in 1h, or write alerting: {disable: [ticket]}"
            ),
        ),
    ),
    "a histogram with an endless bucket only": Case(
        objective(indicator=LATENCY),
        (
            (
                "7: error: the threshold of 'served', 300ms, is no bound of a bucket, because the buckets of "
                "http_server_request_duration_seconds have no finite bound, and nothing in between is "
                "counted: write an availability objective, or give the histogram a bucket up to 300ms"
            ),
        ),
        exposed=exposed(**{REQUESTS: POSTED[-1:]}),
    ),
    "no sample of a gauge": Case(
        objective(indicator="up: {}"),
        (
            (
                "5: error: up{job=\"jobs\"} of 'served' matches nothing, because at http://p there is no "
                "metric up: correct the selector, or have Prometheus scrape the service"
            ),
        ),
        nothing={'up{job="jobs"}': Match(reason="there is no metric up")},
    ),
    "no series of an error ratio": Case(
        objective(indicator="error_ratio: {query: 'rate(x[{{window}}])'}"),
        (
            (
                "5: error: x of 'served' matches nothing, because at http://p there is no metric x: correct "
                "the selector, or have Prometheus scrape the service"
            ),
        ),
        nothing={"x": Match(reason="there is no metric x")},
    ),
    "several services in one": Case(
        objective(indicator="error_ratio: {query: 'rate(x[{{window}}])'}"),
        (
            (
                "5: warning: 'served' counts the events of 2 jobs as one service's, because x matches series "
                "of api and web: narrow it, by metrics.matchers: {job: …} for instance"
            ),
        ),
        nothing={"x": Match(jobs={"web": 1, "api": 2})},
    ),
    # right
    "nothing is wrong": Case(
        RIGHT,
        (),
        traffic="10",
        exposed=exposed(**{REQUESTS: POSTED}),
        nothing={},
        facts={"retention_s": 40 * 86400, "scrape_interval_s": 15, "traffic": {0: Decimal(10)}},
    ),
    "native histograms have no buckets": Case(
        objective(indicator=LATENCY).replace("job: jobs}", "job: jobs}, native: true"), (), exposed=exposed()
    ),
    "a subquery may have a range of its own within the window": Case(
        ratio("sum(max_over_time(rate(x{ok='0'}[5m])[{{window}}:1m]))"), ()
    ),
    "no failure so far": Case(
        RIGHT,
        (),
        nothing={
            f'{REQUESTS}_count{{job="jobs",http_response_status_code=~"5..|429"}}': Match(reason="none")
        },
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_is_wrong_is_told_with_its_line_its_cause_and_its_cure(tmp_path: Path, case: Case) -> None:
    assert told(tmp_path, case) == list(case.expected)


def test_the_file_of_the_reference_service_has_nothing_wrong(tmp_path: Path) -> None:
    assert told(tmp_path, Case((ROOT / "slo" / "jobs.yaml").read_text(), (), traffic="10")) == []


@pytest.mark.parametrize("window", ["1h", "6h", "1d", "7d", "14d", "28d", "30d", "90d", "365d"])
def test_the_default_tiers_of_any_window_suit_it(tmp_path: Path, window: str) -> None:
    case = Case(objective("99.9%", window=window), ())

    assert [each for each in told(tmp_path, case) if "scrape intervals" not in each] == []


def test_names_that_two_files_use_are_told_with_both_places(tmp_path: Path) -> None:
    first, second, other = (tmp_path / name for name in ("a.yaml", "b.yaml", "c.yaml"))
    first.write_text(objective())
    second.write_text(objective())
    other.write_text(objective().replace("service: jobs", "service: other"))

    found = inspect([load_source(path) for path in (first, second, other)], Given(seen_events=[]))

    assert [str(each) for each in found] == [
        (
            f"{second}:1: error: the service 'jobs' is described twice, because {first}:1 describes it, and "
            "its rules are one file: put the objectives of both files into one, or rename one of the services"
        )
    ]


def test_names_that_only_look_different_are_told_too(tmp_path: Path) -> None:
    first, second = tmp_path / "a.yaml", tmp_path / "b.yaml"
    first.write_text(objective().replace("service: jobs", "service: jobs-api"))
    second.write_text(objective().replace("name: served", "name: api-served"))

    found = inspect([load_source(path) for path in (first, second)], Given(seen_events=[]))

    assert [each.because for each in found] == [
        f'{first}:5 makes the same series, with the label sloth_id="jobs-api-served"'
    ]


@pytest.mark.parametrize(
    ("matchers", "values", "reason"),
    [
        pytest.param(
            {"job": "jbs"}, {"job": ["jobs"]}, 'no series has job="jbs": job is "jobs"', id="a value"
        ),
        pytest.param(
            {"team": "a"}, {"team": [""]}, 'no series has team="a": team is set nowhere', id="a label"
        ),
        pytest.param(
            {"a": "1", "b": "2"},
            {"a": ["1"], "b": ["2"]},
            "no series has all of these labels at once",
            id="a combination",
        ),
        pytest.param(
            {"a": "1"}, {"a": []}, "there is no metric x_totl, only x_total", id="a misspelt metric"
        ),
    ],
)
def test_why_a_selector_matches_nothing_is_found_out(
    matchers: dict[str, str], values: dict[str, list[str]], reason: str
) -> None:
    conditions = tuple(Matcher(label=name, operator="=", value=value) for name, value in matchers.items())

    assert explain(Selector("x_totl", conditions), values, ["up", "x_total"]).reason == reason


@pytest.mark.parametrize(
    ("operator", "value", "accepted"),
    [
        ("=", "jobs", True),
        ("!=", "jobs", False),
        ("=~", "jo.*", True),
        ("=~", "jo", False),
        ("!~", "jo.*", False),
        ("=~", r"\C", True),
    ],
    ids=["equal", "not equal", "a pattern", "a pattern is anchored", "no pattern", "what Python cannot read"],
)
def test_a_matcher_is_blamed_only_where_no_value_suits_it(
    operator: str, value: str, *, accepted: bool
) -> None:
    selector = Selector("x", (Matcher(label="job", operator=operator, value=value),))

    assert explain(selector, {"job": ["jobs"]}, ["x"]).culprits == (() if accepted else ("job",))


def test_a_metric_without_series_now_is_told_from_one_that_never_was() -> None:
    assert explain(Selector("x"), {}, ["x"]).reason == "no series of x is there now"


def test_a_selector_without_a_metric_has_no_labels_to_look_up() -> None:
    (selector,) = selectors('{__name__=~"a|b",job="jobs"}')

    assert str(selector) == '{__name__=~"a|b",job="jobs"}'
    assert values_of(selector) == {}
    assert explain(selector, {}, []).reason == "no series has all of these labels at once"


def test_a_query_that_is_no_promql_has_no_selectors_to_look_for(tmp_path: Path) -> None:
    case = Case(objective(indicator="error_ratio: {query: 'x[{{window}}'}"), (), nothing={})

    assert ["error: query of 'served' is no PromQL" in each for each in told(tmp_path, case)] == [True]


@pytest.mark.parametrize("module", ["buckets", "faults", "findings", "positions", "tiers"])
def test_the_examples_of_a_module_are_true(module: str) -> None:
    outcome = doctest.testmod(import_module(f"sloproof.compile.lint.{module}"))

    assert outcome.attempted
    assert not outcome.failed
