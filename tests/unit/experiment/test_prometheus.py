"""What a Prometheus said of a trial is read back from its file, and judged without it."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sloproof.analysis.accounting import Gain
from sloproof.analysis.estimates import Estimate
from sloproof.analysis.verdicts import Verdict
from sloproof.compile import promql
from sloproof.experiment.prometheus import choice, reading, setup
from sloproof.experiment.prometheus.reading import FILE, READING, Answers, Asked, Ends, Reading, window
from sloproof.experiment.sections import ObserveSpec
from sloproof.experiment.summary import summarise
from sloproof.slo.definition import Latency, Metrics, load
from sloproof.subject.process import PORTS, free_port
from tests.invention import ROOT, InventedTrial, Invention

if TYPE_CHECKING:
    from pathlib import Path

    from sloproof.analysis.results import ObjectiveResult

SERIES = {"http_route": "/jobs"}


def answers(
    *, total: float | None = 1000.25, good: float | None = 1000.25, counted: float = 1000.0
) -> Answers:
    return Answers(
        total=Asked(query="total", value=total),
        good=Asked(query="good", value=good),
        error_ratio=Asked(query="ratio", value=1 - (good or 0) / total if total else None),
        ends=(Ends(selector="x_count", labels=SERIES, first=100.0, last=100.0 + counted),),
    )


def read_of(**objectives: Answers) -> Reading:
    return Reading(
        scrape_interval_s=1.0,
        load_began_s=100.5,
        settled_s=107.5,
        scrapes=tuple((99.0 + n, 1.0) for n in range(10)),
        asked_at_s=Decimal("108.001"),
        window_s=Decimal("8.002"),
        objectives=objectives,
    )


def filled(invention: Invention, given: Reading, **trials: InventedTrial) -> ObjectiveResult:
    """Return the first objective of the first configuration, every trial of which Prometheus saw so."""
    invention.fill(**trials)
    for record in invention.folder.records():
        (invention.folder.trial(record.folder).path / FILE).write_bytes(READING.dump_json(given))
    return summarise(invention.folder).configurations[0].objectives[0]


@given(
    st.lists(st.tuples(st.integers(0, 60_000), st.booleans()), max_size=40),
    st.integers(0, 60),
    st.integers(0, 60),
)
def test_a_window_holds_its_two_scrapes_and_neither_neighbour(
    given_scrapes: list[tuple[int, bool]], began: int, lasted: int
) -> None:
    scrapes = sorted((1.7e9 + ms / 1000, float(up)) for ms, up in given_scrapes)
    began_s, settled_s = 1.7e9 + began, 1.7e9 + began + lasted

    found = window(scrapes, load_began_s=began_s, settled_s=settled_s)

    answered = [moment for moment, up in scrapes if up]
    if found is None:
        assert len(set(answered)) < 2 or min(answered) >= settled_s or max(answered) <= began_s
        return
    assert found.first_s in answered
    assert found.last_s in answered
    starts_s = found.ends_at_s - found.length_s
    assert Decimal(f"{found.first_s:.3f}") - starts_s == found.ends_at_s - Decimal(f"{found.last_s:.3f}")
    assert starts_s < Decimal(f"{found.first_s:.3f}") < found.ends_at_s
    assert not any(found.first_s < moment <= began_s for moment in answered)
    assert not any(settled_s <= moment < found.last_s for moment in answered)


def test_the_queries_of_a_trial_are_those_of_the_rules_over_its_window() -> None:
    latency = Latency(method="POST", route="/jobs", threshold_s=Decimal("0.25"))
    found = window([(100.0, 1.0), (119.0, 1.0)], load_began_s=100.5, settled_s=118.0)
    assert found is not None

    of_trial = promql.error_ratio(latency, Metrics(requests="x"), found.length_s)

    assert "[19s2ms]" in of_trial
    assert of_trial.replace("19s2ms", "5m") == promql.error_ratio(latency, Metrics(requests="x"), 300)


@pytest.mark.parametrize(
    ("said", "estimate"),
    [
        pytest.param(None, None, id="nothing was asked"),
        pytest.param(Answers(failed="too much"), None, id="it refused"),
        pytest.param(answers(total=None), None, id="no series"),
        pytest.param(answers(good=None), Estimate(good=0.0, total=1000.25, ratio=0.0), id="no good event"),
        pytest.param(
            Answers(
                total=Asked(query="", value=10.0),
                bad=Asked(query="", value=None),
                error_ratio=Asked(query="", value=0.0),
            ),
            Estimate(good=10.0, total=10.0, ratio=1.0),
            id="no bad event",
        ),
        pytest.param(
            Answers(error_ratio=Asked(query="", value=0.25)),
            Estimate(good=None, total=None, ratio=0.75),
            id="a ratio alone",
        ),
        pytest.param(Answers(error_ratio=Asked(query="", value=None)), None, id="a ratio of nothing"),
    ],
)
def test_answers_become_an_estimate(said: Answers | None, estimate: Estimate | None) -> None:
    assert reading.estimate(said) == estimate


@pytest.mark.parametrize(
    ("ends", "gain"),
    [
        pytest.param((5.0, 15.0), Gain(between_scrapes=10, increase=10.5), id="it grew"),
        pytest.param((None, 15.0), Gain(between_scrapes=15, increase=10.5), id="it was born under load"),
        pytest.param((5.0, 1.0), None, id="it began anew"),
        pytest.param((5.0, None), None, id="it went away"),
    ],
)
def test_a_gain_is_exact_or_not_known(ends: tuple[float | None, float | None], gain: Gain | None) -> None:
    series = Ends(selector="x", labels={}, first=ends[0], last=ends[1])
    said = Answers(total=Asked(query="", value=10.5), ends=(series,))

    assert reading.gain(said) == gain


def test_scrapes_that_were_missed_or_came_too_late_are_told() -> None:
    read = read_of()

    assert reading.scrapes(read).problem is None
    assert (reading.scrapes(read).seen, reading.scrapes(read).expected) == (9, 9)
    stalled = replace(read, scrapes=tuple((moment, float(moment != 104.0)) for moment, _ in read.scrapes))
    assert reading.scrapes(stalled).problem == "1 scrape was not answered in time"
    late = replace(read, load_began_s=98.5, settled_s=110.0)
    assert "1.5 s into the load" in (reading.scrapes(late).problem or "")
    assert "2.0 s before all had settled" in (reading.scrapes(late).problem or "")
    assert reading.scrapes(None).problem == "no Prometheus watched this run"
    assert reading.scrapes(Reading(scrape_interval_s=1, absent="it died")).problem == "it died"


def test_a_reading_comes_back_from_its_file_and_a_broken_one_is_named(tmp_path: Path) -> None:
    assert reading.read(tmp_path) is None
    (tmp_path / FILE).write_bytes(READING.dump_json(read_of(a=answers())))
    assert reading.read(tmp_path) == read_of(a=answers())
    (tmp_path / FILE).write_text("{")
    with pytest.raises(ValueError, match=r"prometheus\.json"):
        reading.read(tmp_path)


def test_a_report_from_raw_data_shows_what_prometheus_said(invention: Invention) -> None:
    result = filled(invention, read_of(**{"submit-latency": answers()}))

    assert result.prometheus == Estimate.of(good=6 * 1000.25, total=6 * 1000.25)
    assert result.counts is not None
    assert result.counts.missed_at_edges == 0
    assert result.counts.prometheus == Gain(between_scrapes=6000, increase=6 * 1000.25)
    assert result.finding is None


def test_a_blind_spot_names_prometheus_too(invention: Invention) -> None:
    slow = InventedTrial(configuration="uvicorn-1", slow=30)

    result = filled(invention, read_of(**{"submit-latency": answers()}), uvicorn_1=slow)

    assert result.verdict is Verdict.VIOLATED
    assert (result.finding or "").startswith(
        "a blind spot: the server's own metrics and Prometheus say MET, its clients VIOLATED"
    )
    assert result.bad is not None
    assert (result.bad.total, result.bad.late_before_server, result.bad.late_in_server) == (180, 180, 0)


@pytest.mark.parametrize(
    ("said", "verdict", "reason"),
    [
        pytest.param(answers(), Verdict.MET, "6 of 6 trials met", id="good enough"),
        pytest.param(answers(good=900.0), Verdict.VIOLATED, "0 of 6 trials met", id="not good enough"),
        pytest.param(
            Answers(failed="parse error"), Verdict.INCONCLUSIVE, "own: parse error", id="a wrong query"
        ),
        pytest.param(answers(total=None), Verdict.INCONCLUSIVE, "gave it no value", id="no series"),
    ],
)
def test_an_indicator_of_promql_is_judged_by_what_prometheus_says(
    invention: Invention, said: Answers, verdict: Verdict, reason: str
) -> None:
    invention.folder.definition.write_text(
        "service: jobs\nwindow: 30d\nobjectives:\n"
        "  - {name: own, target: 99%, indicator: {ratio: {good: 'a[{{window}}]', total: 'b[{{window}}]'}}}\n"
    )

    result = filled(invention, read_of(own=said))

    assert result.verdict is verdict
    assert reason in result.reason
    assert result.client is None


def test_a_target_carries_what_the_dashboard_and_the_definition_select_by() -> None:
    definition = load(ROOT / "slo" / "jobs.yaml")
    labels = setup.labels(definition, run="r", trial="t", configuration="c", block=3)

    assert labels == {"job": "jobs", "run": "r", "trial": "t", "configuration": "c", "block": "3"}
    group = json.loads(setup.target_group("127.0.0.1:1", labels))
    assert group == [{"targets": ["127.0.0.1:1"], "labels": labels}]
    dashboard = (ROOT / "dashboards" / "generated" / "experiments.json").read_text()
    assert all(
        f'{name}=\\"$' in dashboard or f'{name}=~\\"$' in dashboard
        for name in ("run", "trial", "configuration")
    )


def test_the_configuration_scrapes_where_the_subject_has_its_metrics() -> None:
    made = yaml.safe_load(setup.configuration(scrape_interval_s=0.5, metrics_path="/own/metrics"))

    assert made["global"] == {"scrape_interval": "500ms", "scrape_timeout": "500ms"}
    (job,) = made["scrape_configs"]
    assert job["metrics_path"] == "/own/metrics"


def test_what_is_switched_off_is_absent_and_says_so(invention: Invention) -> None:
    backend = choice.choose(ObserveSpec(prometheus="off"), None)  # type: ignore[arg-type]

    assert choice.facts(backend, ObserveSpec()) == {"absent": "observe.prometheus is off"}
    invention.fill()
    assert summarise(invention.folder).plan.prometheus == "none: no Prometheus watched this run"


def test_each_trial_has_another_port_than_the_last() -> None:
    first = free_port()

    assert free_port(after=first) != first
    assert free_port(after=PORTS.stop - 1) in PORTS


@pytest.mark.parametrize("interval", ["0.1s", "20s"])
def test_an_interval_at_which_nothing_would_be_seen_is_refused(interval: str) -> None:
    with pytest.raises(ValidationError, match="is no interval for trials of seconds: write 200ms to 15s"):
        ObserveSpec.model_validate({"scrape_interval": interval})
