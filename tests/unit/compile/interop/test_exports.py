"""SLO files as files of Sloth and OpenSLO: what is in them, and what is told not to be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import promql_parser
import pytest
import yaml

from sloproof.compile.interop import to_openslo, to_sloth
from sloproof.compile.interop.exported import NothingLeft

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.unit.compile.interop.conftest import Desk

SLO = """service: jobs
window: {window}
{extra}
objectives:
  - name: first
    target: {target}
    indicator: {indicator}
"""
AVAILABILITY = "{availability: {}}"
RATES = "{ratio: {good: 'sum(rate(x_total{ok=\"1\"}[{{window}}]))', total: 'rate(x_total[{{window}}])'}}"
MIXED = (
    "{ratio: {bad: 'sum(rate(x_total{ok=\"0\"}[{{window}}]))', total: 'sum(increase(x_total[{{window}}]))'}}"
)
KINDS = {
    "latency": "{latency: {method: GET, route: /a, threshold: 250ms}}",
    "event latency": "{latency: {event: done, histogram: x_seconds, threshold: 2s}}",
    "availability": AVAILABILITY,
    "ratio of good": RATES,
    "ratio of bad": RATES.replace("good", "bad"),
    "error ratio": "{error_ratio: {query: '1 - avg_over_time(x[{{window}}])'}}",
    "up": "{up: {}}",
}


def slo(*, indicator: str = AVAILABILITY, target: str = "99.9%", window: str = "30d", extra: str = "") -> str:
    return SLO.format(indicator=indicator, target=target, window=window, extra=extra)


def sloth(desk: Desk, text: str) -> tuple[dict[str, Any], list[str]]:
    """Return the one SLO in a file of Sloth's, and the notes."""
    exported = to_sloth.export(desk.loaded(text))
    (found,) = yaml.safe_load(exported.text)["slos"]
    return found, [f"{note.line}: {note.message}" for note in exported.notes]


def openslo(desk: Desk, text: str) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the documents of OpenSLO, and the notes."""
    exported = to_openslo.export(desk.loaded(text))
    return list(yaml.safe_load_all(exported.text)), [
        f"{note.line}: {note.message}" for note in exported.notes
    ]


def queries(data: object) -> Iterator[str]:
    """Yield every query in a document, wherever it stands."""
    match data:
        case dict():
            for key, value in data.items():
                if key == "query" or str(key).endswith("_query"):
                    yield value
                else:
                    yield from queries(value)
        case list():
            for each in data:
                yield from queries(each)


@pytest.mark.parametrize("indicator", KINDS.values(), ids=KINDS.keys())
def test_every_query_is_promql_once_the_window_is_in_it(desk: Desk, indicator: str) -> None:
    for data in (sloth(desk, slo(indicator=indicator))[0], openslo(desk, slo(indicator=indicator))[0]):
        found = list(queries(data))
        assert found
        for query in found:
            assert "{{.window}}" in query
            promql_parser.parse(query.replace("{{.window}}", "5m"))


@pytest.mark.parametrize("indicator", KINDS.values(), ids=KINDS.keys())
def test_no_window_of_a_known_length_is_left_in_a_query(desk: Desk, indicator: str) -> None:
    for data in (sloth(desk, slo(indicator=indicator))[0], openslo(desk, slo(indicator=indicator))[0]):
        for query in queries(data):
            assert "[" not in query.replace("[{{.window}}]", "")
            assert "offset" not in query.replace("offset {{.window}}", "")


@pytest.mark.parametrize(
    ("target", "percent", "ratio"),
    [
        pytest.param("99.9%", 99.9, 0.999, id="99.9"),
        pytest.param("99%", 99, 0.99, id="a whole number"),
        pytest.param("0.99999", 99.999, 0.99999, id="a ratio"),
    ],
)
def test_targets_are_the_numbers_that_were_meant(
    desk: Desk, target: str, percent: float, ratio: float
) -> None:
    assert sloth(desk, slo(target=target))[0]["objective"] == percent
    assert openslo(desk, slo(target=target))[0][1]["spec"]["objectives"] == [{"target": ratio}]


def test_a_text_that_looks_like_the_window_that_stands_in_is_not_taken_for_it(desk: Desk) -> None:
    text = slo(indicator="{up: {matchers: {job: 2h11m59s}}}")

    assert 'up{job="2h11m59s"}[{{.window}}]' in sloth(desk, text)[0]["sli"]["events"]["total_query"]


def test_good_events_are_taken_from_all_for_sloth_which_asks_for_bad_ones(desk: Desk) -> None:
    (found, _) = sloth(desk, slo(indicator=RATES))

    error = " ".join(found["sli"]["events"]["error_query"].split())
    assert error == (
        "clamp_min( ( sum(rate(x_total[{{.window}}])) ) - "
        '( sum(rate(x_total{ok="1"}[{{.window}}])) or vector(0) ), 0 )'
    )


def test_alerts_of_a_severity_without_tiers_are_disabled_for_sloth(desk: Desk) -> None:
    found, _ = sloth(desk, slo(extra="alerting: {disable: [ticket-fast, ticket-slow]}"))

    assert found["alerting"] == {"name": "SLOErrorBudgetBurn", "ticket_alert": {"disable": True}}


def test_what_sloth_has_no_word_for_is_told_line_by_line(desk: Desk) -> None:
    extra = "prometheus: {retention: 9d}\nalerting: {disable: [page-slow]}"

    assert sloth(desk, slo(window="7d", extra=extra))[1] == [
        "1: prometheus.retention: 9d is not carried over: Sloth's rules run as Prometheus is set up",
        "6: minimum_failures 5 of 'first' is not carried over: in Sloth's rules one failed request can alert",
        "6: the alert on absent metrics of 'first' is not carried over: Sloth has none",
        (
            "6: the availability indicator of 'first' became its PromQL: "
            "read back, it is a ratio, which no load test sees"
        ),
        "6: the tiers of 'first' are not carried over: Sloth has the same windows for all SLOs",
        (
            "6: the window 7d of 'first' is not carried over: "
            "give it to Sloth, and the windows of its alerts as a file"
        ),
    ]


def test_an_slo_of_openslo_names_a_policy_for_each_tier(desk: Desk) -> None:
    documents, notes = openslo(desk, slo(indicator="{up: {}}"))

    service, described, *others = documents
    assert (service["kind"], service["metadata"]) == ("Service", {"name": "jobs"})
    assert described["spec"]["service"] == "jobs"
    assert described["spec"]["timeWindow"] == [{"duration": "30d", "isRolling": True}]
    names = ["page-fast", "page-slow", "ticket-fast", "ticket-slow"]
    assert [each["alertPolicyRef"] for each in described["spec"]["alertPolicies"]] == names
    assert [each["metadata"]["name"] for each in others if each["kind"] == "AlertPolicy"] == names
    conditions = [each["spec"] for each in others if each["kind"] == "AlertCondition"]
    assert [
        (each["severity"], each["condition"]["threshold"], each["condition"]["lookbackWindow"])
        for each in conditions
    ] == [("page", 14.4, "1h"), ("page", 6, "6h"), ("ticket", 3, "1d"), ("ticket", 1, "3d")]
    assert notes == [
        (
            "5: OpenSLO's conditions have one window: "
            "the short ones of the tiers are in annotations, for sloproof alone"
        )
    ]


def test_without_tiers_there_is_nothing_to_lose_of_them(desk: Desk) -> None:
    names = "[page-fast, page-slow, ticket-fast, ticket-slow]"
    text = slo(indicator=KINDS["error ratio"], extra=f"alerting: {{disable: {names}}}")

    assert sloth(desk, text)[1] == []
    assert openslo(desk, text)[1] == []


def test_objectives_share_policies_where_their_tiers_are_the_same(desk: Desk) -> None:
    (_, objective) = slo().split("objectives:\n")
    text = (
        slo()
        + objective.replace("first", "second")
        + objective.replace("first", "third")
        + "    window: 7d\n"
    )

    documents, _ = openslo(desk, text)

    names = [each["metadata"]["name"] for each in documents if each["kind"] == "AlertPolicy"]
    assert names == sorted({*names}, key=names.index)
    assert names[:5] == ["page-fast", "page-slow", "ticket-fast", "ticket-slow", "page-fast-2"]


def test_a_window_that_openslo_has_no_word_for_is_kept_in_an_annotation_and_told(desk: Desk) -> None:
    documents, notes = openslo(desk, slo(window="90s"))

    assert documents[1]["metadata"]["annotations"] == {"sloproof.dev/window": "90s"}
    assert documents[1]["spec"]["timeWindow"] == [{"duration": "2m", "isRolling": True}]
    assert any("no word for the window 90s" in note for note in notes)


@pytest.mark.parametrize("export", [to_sloth.export, to_openslo.export], ids=["sloth", "openslo"])
def test_a_rate_over_a_count_cannot_be_told_without_its_window(desk: Desk, export: Any) -> None:  # noqa: ANN401
    beside = slo(indicator=MIXED).replace("first", "mixed") + slo().split("objectives:\n")[1]

    exported = export(desk.loaded(beside))

    assert "mixed" not in exported.text
    assert any(note.message.startswith("'mixed' is left out: one of its queries") for note in exported.notes)
    with pytest.raises(NothingLeft) as caught:
        export(desk.loaded(slo(indicator=MIXED)))
    (note,) = caught.value.notes
    assert (note.line, note.message) == (
        5,
        (
            "'first' is left out: one of its queries gives events per second and the other does not: "
            "write increase(…) in both"
        ),
    )


def test_files_are_the_same_each_time(desk: Desk) -> None:
    given = desk.loaded(slo())

    assert to_sloth.export(given) == to_sloth.export(given)
    assert to_openslo.export(given) == to_openslo.export(given)
