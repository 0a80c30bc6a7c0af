"""Every mistake in an SLO file is told with its place and with what would be right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sloproof.slo.definition import load
from sloproof.slo.yamlfile import InvalidFile

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "service: jobs\nwindow: 30d\nobjectives:\n"
ONE = "  - {name: up, target: 99%, indicator: {availability: {}}}\n"
TARGET = "write a percentage below 100, e.g. 99.9%"
SLUG = "write lower-case letters and digits, with single hyphens between"
METRIC = "write a Prometheus metric, e.g. job_end_to_end_seconds"
DURATION = "write a number and a unit, e.g. 250ms, 2s, 5m, 30d"
METHODS = "'GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE' or 'OPTIONS'"


def target(text: str) -> str:
    return f"{HEAD}  - name: up\n    target: {text}\n    indicator: {{availability: {{}}}}\n"


def indicator(text: str) -> str:
    return f"{HEAD}  - name: up\n    target: 99%\n    indicator: {text}\n"


def latency(text: str) -> str:
    return indicator(f"{{latency: {{{text}}}}}")


MISTAKES = {
    # keys
    "an unknown key with a near one": (
        f"{HEAD}{ONE}servce: x\n",
        (
            "5:1: unknown key 'servce', did you mean 'service'? (one of: service, window, metrics, "
            "prometheus, labels, alerting, objectives)"
        ),
    ),
    "an unknown key like no other": (
        f"{HEAD}{ONE}zzz: x\n",
        "5:1: unknown key 'zzz' (one of: service, window, metrics, prometheus, labels, alerting, objectives)",
    ),
    "an unknown key deep inside": (
        latency("method: GET, route: /, threshold: 1s, thresold: 1s"),
        "6:65: unknown key 'thresold', did you mean 'threshold'? (one of: method, route, threshold)",
    ),
    "a request's key in an event's latency": (
        latency("event: done, histogram: done_seconds, threshold: 1s, method: GET"),
        "6:80: unknown key 'method' (one of: event, histogram, threshold)",
    ),
    "a merge key": (
        f"{HEAD}{ONE}<<: {{window: 1d}}\n",
        "5:1: unknown key '<<' (one of: service, window, metrics, prometheus, labels, alerting, objectives)",
    ),
    "a duplicate key": (
        f"{HEAD}{ONE}window: 7d\n",
        "5:1: duplicate key 'window': keep one, the first is on line 2",
    ),
    "a key that is a list": (
        f"{HEAD}{ONE}[a, b]: c\n",
        "5:1: a key must be a plain text: write 'key: value'",
    ),
    "no service": (f"window: 30d\nobjectives:\n{ONE}", "1:1: missing key 'service', e.g. service: jobs"),
    "no window": (f"service: jobs\nobjectives:\n{ONE}", "1:1: missing key 'window', e.g. window: 30d"),
    "no objectives": (
        "service: jobs\nwindow: 30d\n",
        "1:1: missing key 'objectives', e.g. objectives: [{name: availability, …}]",
    ),
    "an objective without a name": (
        f"{HEAD}  - target: 99%\n    indicator: {{availability: {{}}}}\n",
        "4:5: missing key 'name', e.g. name: submit-latency",
    ),
    "an objective without a target": (
        f"{HEAD}  - name: up\n    indicator: {{availability: {{}}}}\n",
        "4:5: missing key 'target', e.g. target: 99.9%",
    ),
    "an objective without an indicator": (
        f"{HEAD}  - {{name: up, target: 99%}}\n",
        "4:5: missing key 'indicator', e.g. indicator: {availability: {}}",
    ),
    "a latency without a threshold": (
        latency("method: GET, route: /"),
        "6:26: missing key 'threshold', e.g. threshold: 250ms",
    ),
    "an event without its histogram": (
        latency("event: done, threshold: 1s"),
        "6:26: missing key 'histogram', e.g. histogram: job_end_to_end_seconds",
    ),
    "a ratio without a total": (
        indicator("{ratio: {good: 'g[{{window}}]'}}"),
        "6:24: missing key 'total', e.g. total: sum(increase(x_total[{{window}}]))",
    ),
    "a ratio of good and bad events": (
        indicator("{ratio: {good: 'g[{{window}}]', bad: 'b[{{window}}]', total: 't[{{window}}]'}}"),
        "6:24: ratio: takes either good or bad beside total: what is not the one is the other",
    ),
    "a ratio of neither good nor bad events": (
        indicator("{ratio: {total: 't[{{window}}]'}}"),
        "6:24: ratio: takes either good or bad beside total: what is not the one is the other",
    ),
    # alerting
    "a tier without a share of the budget": (
        f"{HEAD}{ONE}alerting:\n  tiers: [{{name: now, severity: page, long: 1h}}]\n",
        "6:11: missing key 'budget', e.g. budget: 2%",
    ),
    "a tier that spends more than the budget": (
        f"{HEAD}{ONE}alerting:\n  tiers: [{{name: now, severity: page, budget: 200%, long: 1h}}]\n",
        "6:47: budget: '200%' is not between 0 and 100 %: write how much of the budget, e.g. 2%",
    ),
    "a tier whose share is a word": (
        f"{HEAD}{ONE}alerting:\n  tiers: [{{name: now, severity: page, budget: some, long: 1h}}]\n",
        "6:47: budget: 'some' is not a share of the error budget: write a percentage, e.g. 2%",
    ),
    "a short window that is not short": (
        f"{HEAD}{ONE}alerting:\n  tiers: [{{name: a, severity: page, budget: 2%, long: 1h, short: 1h}}]\n",
        "6:11: tiers: the short window must be shorter than the long one, e.g. a twelfth of it",
    ),
    "a window of half a second": (
        f"{HEAD}{ONE}alerting:\n  tiers: [{{name: a, severity: page, budget: 2%, long: 1500ms}}]\n",
        "6:55: long: '1500ms' is no whole number of seconds: write e.g. 30s or 5m",
    ),
    "a severity that nobody has": (
        f"{HEAD}{ONE}alerting:\n  tiers: [{{name: a, severity: loud, budget: 2%, long: 1h}}]\n",
        "6:31: severity: must be 'page' or 'ticket', not 'loud'",
    ),
    "a disabled tier that is not there": (
        f"{HEAD}{ONE}alerting:\n  disable: [page-fats]\n",
        (
            "6:13: there is no tier 'page-fats', did you mean 'page-fast'? "
            "(one of: page-fast, page-slow, ticket-fast, ticket-slow)"
        ),
    ),
    "a label that is ours": (
        f"{HEAD}{ONE}labels: {{severity: page}}\n",
        "5:10: severity: the label 'severity' is set by sloproof: choose another name",
    ),
    "a label that is none": (
        f"{HEAD}{ONE}labels: {{my-team: a}}\n",
        "5:10: my-team: 'my-team' is no such name: write a Prometheus label, e.g. team",
    ),
    "a link that leads nowhere": (
        f"{HEAD}{ONE}alerting:\n  runbook: wiki\n",
        "6:12: runbook: 'wiki' is no such name: write a link, e.g. https://runbooks.example/jobs",
    ),
    # targets
    "a target of 100 %": (target("100%"), f"5:13: target: '100%' leaves no error budget: {TARGET}"),
    "a target of 1": (target("1"), f"5:13: target: '1' leaves no error budget: {TARGET}"),
    "a target of 120": (target("120"), f"5:13: target: '120' leaves no error budget: {TARGET}"),
    "a target of 0 %": (
        target("0%"),
        "5:13: target: '0%' asks for nothing: write a percentage above 0, e.g. 99.9%",
    ),
    "a negative target": (target("-1%"), f"5:13: target: '-1%' is not a target: {TARGET}, or 0.999"),
    "a percentage without its sign": (
        target("99.9"),
        "5:13: target: '99.9' is more than 1: write 99.9% or 0.999",
    ),
    "a target that is a word": (
        target("high"),
        f"5:13: target: 'high' is not a target: {TARGET}, or 0.999",
    ),
    "a target that is a list": (
        target("[99%]"),
        f"5:13: target: a list is not a target: {TARGET}, or 0.999",
    ),
    "a target left empty": (
        target(""),
        f"5:12: target: an empty value is not a target: {TARGET}, or 0.999",
    ),
    # durations
    "a threshold without a unit": (
        latency("method: GET, route: /, threshold: 250"),
        "6:61: threshold: '250' has no unit: write 250ms or 250s",
    ),
    "a threshold of nothing": (
        latency("method: GET, route: /, threshold: 0ms"),
        "6:61: threshold: '0ms' is no time at all: write a longer duration, e.g. 250ms or 30d",
    ),
    "an unknown unit": (
        f"service: jobs\nwindow: 1month\nobjectives:\n{ONE}",
        f"2:9: window: '1month' is not a duration: {DURATION}",
    ),
    "a window that is a mapping": (
        f"service: jobs\nwindow: {{days: 30}}\nobjectives:\n{ONE}",
        f"2:9: window: a mapping is not a duration: {DURATION}",
    ),
    # names
    "a service in capitals": (
        f"service: Jobs\nwindow: 30d\nobjectives:\n{ONE}",
        f"1:10: service: 'Jobs' is no such name: {SLUG}",
    ),
    "a name taken before": (
        f"{HEAD}{ONE}{ONE}",
        "5:12: name: 'up' is taken by line 4: choose another",
    ),
    "a name taken on the same line": (
        (
            "service: jobs\nwindow: 30d\nobjectives: ["
            "{name: up, target: 99%, indicator: {availability: {}}},"
            "{name: up, target: 9%, indicator: {availability: {}}}]"
        ),
        "3:76: name: 'up' is taken by line 3: choose another",
    ),
    "the reserved name": (
        f"{HEAD}  - {{name: integrity, target: 99%, indicator: {{availability: {{}}}}}}\n",
        "4:12: name: 'integrity' is the objective that every service has already: choose another name",
    ),
    "a histogram no Prometheus would take": (
        latency("event: done, histogram: done-seconds, threshold: 1s"),
        f"6:51: histogram: 'done-seconds' is no such name: {METRIC}",
    ),
    # indicators
    "a method in lower case": (
        latency("method: post, route: /, threshold: 1s"),
        f"6:35: method: takes {METHODS}, not 'post', did you mean 'POST'?",
    ),
    "a route without its slash": (
        latency("method: GET, route: jobs, threshold: 1s"),
        "6:47: route: 'jobs' is no such name: write the route's template from its first '/', e.g. /jobs/{id}",
    ),
    "an indicator of no kind": (
        indicator("{}"),
        (
            "6:16: indicator: takes exactly one of latency, availability, ratio, error_ratio, up, not 0, "
            "e.g. {availability: {}}"
        ),
    ),
    "an indicator of two kinds": (
        indicator("{availability: {}, ratio: {good: 'g[{{window}}]', total: 't[{{window}}]'}}"),
        (
            "6:16: indicator: takes exactly one of latency, availability, ratio, error_ratio, up, not 2, "
            "e.g. {availability: {}}"
        ),
    ),
    "an indicator that is a word": (
        indicator("availability"),
        "6:16: indicator: takes a mapping ('key: value'), not 'availability'",
    ),
    "a latency that is a word": (
        indicator("{latency: quick}"),
        "6:26: latency: takes a mapping ('key: value'), not 'quick'",
    ),
    "a query without its window": (
        indicator("{ratio: {good: 'g[5m]', total: 't[{{window}}]'}}"),
        "6:31: good: a query must hold {{window}}, e.g. sum(rate(x_total[{{window}}]))",
    ),
    # shapes
    "objectives that are a mapping": (
        f"{HEAD}  up: 99%\n",
        "4:3: objectives: takes a list ('- item'), not a mapping",
    ),
    "no objective at all": (
        "service: jobs\nwindow: 30d\nobjectives: []\n",
        "3:13: objectives: takes 1 or more items, not 0",
    ),
    "a service that is a list": (
        f"service: [jobs]\nwindow: 30d\nobjectives:\n{ONE}",
        "1:10: service: takes a text, not a list",
    ),
    "a file that is a list": ("- service: jobs\n", "1:1: takes a mapping ('key: value'), not a list"),
    "a file that is a word": ("jobs\n", "1:1: takes a mapping ('key: value'), not 'jobs'"),
    # YAML
    "an empty file": ("", "1:1: the file is empty: write 'key: value'"),
    "a file of comments": ("# soon\n", "1:1: the file is empty: write 'key: value'"),
    "a tab for indentation": (
        "service: jobs\nmetrics:\n\trequests: x\n",
        (
            r"3:1: not valid YAML: found character '\t' that cannot start any token; "
            "a tab cannot indent: use spaces"
        ),
    ),
    "two keys on a line": (
        "service: jobs: window\n",
        (
            "1:14: not valid YAML: mapping values are not allowed here; "
            "give each key a line of its own, or quote a text that holds ': '"
        ),
    ),
    "an open list": (
        "service: [jobs\nwindow: 30d\n",
        "2:7: not valid YAML: expected ',' or ']', but got ':'; close the list with ']', it begins on line 1",
    ),
    "an open quotation": (
        "service: 'jobs\n",
        "2:1: not valid YAML: found unexpected end of stream; close the quotation mark, it begins on line 1",
    ),
    "broken indentation": (
        "service: jobs\n window: 30d\n",
        (
            "2:8: not valid YAML: mapping values are not allowed here; "
            "give each key a line of its own, or quote a text that holds ': '"
        ),
    ),
    "a directive YAML does not have": (
        "%YAML 9.9\n---\nservice: jobs\n",
        (
            "1:1: not valid YAML: found incompatible YAML document (version 1.* is required); "
            "check this line and the last"
        ),
    ),
    "an alias of nothing": (
        "service: *jobs\n",
        (
            "1:10: not valid YAML: found undefined alias 'jobs'; "
            "define it first with '&', or quote a text that starts with '*'"
        ),
    ),
    "an anchor used twice": (
        "service: &a jobs\nwindow: &a 30d\n",
        "2:9: found duplicate anchor 'a': give each anchor a name of its own",
    ),
    "two documents": (
        f"{HEAD}{ONE}---\nservice: more\n",
        "5:1: a second document starts here: keep one document in a file, without '---' between",
    ),
    "an object of Python": (
        f"service: !!python/name:os.system jobs\nwindow: 30d\nobjectives:\n{ONE}",
        "1:10: the tag 'tag:yaml.org,2002:python/name:os.system' has no meaning here: remove it",
    ),
    "a control character": (
        "service: jobs\nwindow: 3\x000d\n",
        "2:10: the character U+0000 is not allowed: remove it",
    ),
    "an alias that contains itself": (
        "service: &a [*a]\n",
        "1:10: nested more than 50 deep, or an alias contains itself: write it flat",
    ),
    "nesting without an end": (
        "[" * 500,
        "1:1: nested more than 50 deep, or an alias contains itself: write it flat",
    ),
    "an alias bomb": (
        "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
        + "".join(
            f"{b}: &{b} [{','.join([f'*{a}'] * 10)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
        ),
        "1:26: more than 10,000 values, aliases included: split the file",
    ),
}


@pytest.mark.parametrize(("text", "expected"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_with_its_place_and_what_would_be_right(
    tmp_path: Path, text: str, expected: str
) -> None:
    path = tmp_path / "slo.yaml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(InvalidFile) as caught:
        load(path)

    assert [str(problem) for problem in caught.value.problems] == [f"{path}:{expected}"]


def test_all_mistakes_of_a_file_are_told_at_once_in_its_order(tmp_path: Path) -> None:
    path = tmp_path / "slo.yaml"
    path.write_text(
        "service: Jobs\n"
        "window: 30\n"
        "objectives:\n"
        "  - {name: up, target: 120, indicator: {availability: {}}}\n"
        "  - {name: up, target: 99%, indicator: {availability: {}}, service: x, service: y}\n"
        "service: jobs\n",
        encoding="utf-8",
    )

    with pytest.raises(InvalidFile) as caught:
        load(path)

    places = [(problem.line, problem.column) for problem in caught.value.problems]
    assert places == [(1, 10), (2, 9), (4, 24), (5, 12), (5, 60), (5, 72), (6, 1)]
    assert str(caught.value).count("\n") == len(places) - 1


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(None, ": no such file: check the path", id="missing"),
        pytest.param(
            b"a: 1\nb: \xff\n", ":2:4: the byte 0xff is not UTF-8: save the file as UTF-8", id="latin-1"
        ),
        pytest.param(b"# " + b"x" * 300_000, ": is larger than 256 KiB: split it", id="huge"),
    ],
)
def test_a_file_that_holds_no_text_is_told(tmp_path: Path, content: bytes | None, expected: str) -> None:
    path = tmp_path / "slo.yaml"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(InvalidFile) as caught:
        load(path)

    assert str(caught.value) == f"{path}{expected}"


def test_a_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile) as caught:
        load(tmp_path)

    assert str(caught.value) == f"{tmp_path}: is a folder: name a file in it"


def test_a_path_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    path = tmp_path / "loop.yaml"
    path.symlink_to(path)

    with pytest.raises(InvalidFile) as caught:
        load(path)

    assert str(caught.value) == (
        f"{path}: cannot be read (Too many levels of symbolic links): name a YAML file that you may read"
    )
