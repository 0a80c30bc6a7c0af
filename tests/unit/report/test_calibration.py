"""What a run has measured of its machine, and of what held its subjects back, is in its reports."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import pytest

from sloproof.analysis import floor, stability
from sloproof.analysis.floor import NoiseFloor
from sloproof.analysis.verdicts import Verdict
from sloproof.experiment.summary import summarise
from sloproof.observe.pressure import Pressure
from sloproof.report.answer import notes, undecided
from sloproof.report.facts import facts
from sloproof.report.markdown import markdown
from sloproof.report.page import page, trial_page
from tests.invention import ENVIRONMENT, InventedTrial, Invention

if TYPE_CHECKING:
    from pathlib import Path

    from sloproof.analysis.results import Results

FLOOR = NoiseFloor(
    rate_per_s=150.0,
    users=64,
    requests=450,
    quantiles=((0.5, 0.001), (0.99, 0.0021), (1.0, 0.01)),
    dispatch_lag_p99_s=0.001,
    cpu_ratio=0.2,
    wait_ratio=0.01,
    problems=(),
    highest_valid_rate_per_s=1200.0,
    lowest_invalid_rate_per_s=1700.0,
)
CALM: dict[str, Any] = {
    "busy_ratio": 0.02,
    "steal_ratio": 0.0,
    "memory_available_ratio": None,
    "findings": [],
}
BUSY = {
    **CALM,
    "busy_ratio": 0.4,
    "findings": ["other programs used 40% of the processors: end them, or wait"],
}
PRESSURE = Pressure(
    elapsed_s=10.0,
    cpu_s=4.0,
    waited_s=0.4,
    periods=0,
    throttled_periods=0,
    throttled_s=0.0,
    stalled_s={"cpu": 2.0},
    group_stalled_s={},
)


def made(tmp_path: Path, *, pressure: Pressure | None = None, **measured: Any) -> Results:  # noqa: ANN401
    invention = Invention(tmp_path, calibration=measured)
    invention.fill(uvicorn_1=InventedTrial(configuration="", pressure=pressure))
    return summarise(invention.folder)


@pytest.mark.parametrize(
    ("changes", "highest"),
    [
        pytest.param({}, "1,200/s; at 1,700/s the generator was late or starved", id="bounded"),
        pytest.param(
            {"lowest_invalid_rate_per_s": None}, "at least 1,200/s, the highest rate tried", id="no end seen"
        ),
        pytest.param(
            {"highest_valid_rate_per_s": None, "lowest_invalid_rate_per_s": 18.75},
            "none: the generator was late or starved at 18.75/s, the lowest rate tried",
            id="none",
        ),
    ],
)
def test_the_floor_and_the_highest_valid_rate_are_facts(
    tmp_path: Path, changes: dict[str, Any], highest: str
) -> None:
    told = dict(facts(made(tmp_path, noise_floor=asdict(replace(FLOOR, **changes)))))

    assert told["noise floor"] == (
        "median 1.00 ms, p99 2.10 ms, maximum 10.0 ms at 150/s, of 450 requests to a server that does nothing"
    )
    assert told["highest valid rate"] == highest


def test_a_floor_that_was_not_measured_soundly_says_so(tmp_path: Path) -> None:
    unsound = replace(FLOOR, problems=("the generator was late: by far", "and starved"))

    told = dict(facts(made(tmp_path, noise_floor=asdict(unsound))))

    assert told["noise floor"].endswith("does nothing; no floor: the generator was late: by far")


def test_why_there_is_no_floor_is_a_fact(tmp_path: Path) -> None:
    told = dict(facts(made(tmp_path, noise_floor="not measured: no room")))

    assert told["noise floor"] == "not measured: no room"
    assert "highest valid rate" not in told


def test_an_objective_below_the_floor_is_named_and_not_judged(tmp_path: Path) -> None:
    slow = replace(FLOOR, quantiles=((0.5, 0.05), (0.99, 0.2), (1.0, 0.5)))  # 100 ms are asked of reading

    results = made(tmp_path, noise_floor=asdict(slow))

    verdicts = {each.name: each.verdict for each in results.configurations[0].objectives}
    assert verdicts["read-latency"] is Verdict.INCONCLUSIVE
    assert verdicts["submit-latency"] is Verdict.MET
    why = "tighter than this machine's noise floor of 200 ms"
    assert ("uvicorn-1, read-latency", True) in [(name, why in text) for name, text in undecided(results)]
    assert [name for name, _ in notes(results)] == ["read-latency cannot be verified on this machine"]
    for text in (page(results), markdown(results)):
        assert "read-latency cannot be verified on this machine" in text


def test_a_rate_beyond_the_highest_valid_one_is_noted(tmp_path: Path) -> None:
    results = made(tmp_path, noise_floor=asdict(replace(FLOOR, highest_valid_rate_per_s=75.0)))

    assert dict(notes(results)) == {
        "the rate": "150/s is more than the 75/s that this machine's generator was seen to keep"
    }


@pytest.mark.parametrize(
    ("pressure", "about", "said"),
    [
        pytest.param(
            replace(PRESSURE, periods=100, throttled_periods=43, throttled_s=6.0, waited_s=8.0),
            "uvicorn-1 was throttled",
            (
                "its CPU limit stopped it in 43% of the limit's periods in a typical trial: "
                "its latency is, in part or all of it, the limit's doing"
            ),
            id="by its limit, which is why it waited",
        ),
        pytest.param(
            replace(PRESSURE, waited_s=4.0),
            "uvicorn-1 waited for a processor",
            (
                "50% of the time in which it was ready to run, in a typical trial: whatever else ran on the "
                "machine, the load generator too, has a share in its latency"
            ),
            id="by the machine",
        ),
    ],
)
def test_what_held_a_subject_back_is_noted_and_changes_no_verdict(
    tmp_path: Path, pressure: Pressure, about: str, said: str
) -> None:
    results = made(tmp_path, pressure=pressure)

    assert dict(notes(results)) == {about: said}
    assert {*results.verdicts()} == {Verdict.MET}
    assert all(trial.valid for trial in results.trials)


def test_a_subject_that_was_let_run_is_no_finding_and_its_figures_are_on_its_page(tmp_path: Path) -> None:
    results = made(tmp_path, pressure=PRESSURE)
    trial = next(each for each in results.trials if each.configuration == "uvicorn-1")

    text = trial_page(results, trial)

    assert not list(notes(results))
    assert "<dt>CPU, of one processor</dt><dd>40.0 %</dd>" in text
    assert "<dt>waited for a processor, of the time it was ready to run</dt><dd>9.1 %</dd>" in text
    assert "<dt>machine: some task waited for a processor</dt><dd>20.0 %</dd>" in text
    assert "its control group" not in text  # of which the kernel said nothing


@pytest.mark.parametrize(
    ("seen", "fact", "noted"),
    [
        pytest.param(CALM, "busy 2.0%, steal 0.0%: nothing that would disturb", [], id="calm"),
        pytest.param(
            BUSY,
            "busy 40.0%, steal 0.0%: other programs used 40% of the processors: end them, or wait",
            [("the machine was not calm before the first trial", BUSY["findings"][0])],
            id="busy",
        ),
    ],
)
def test_how_calm_the_machine_was_is_told(
    tmp_path: Path, seen: dict[str, object], fact: str, noted: list[tuple[str, str]]
) -> None:
    results = made(tmp_path, stability=seen)

    assert dict(facts(results))["machine before the start"] == fact
    assert list(notes(results)) == noted


def test_the_keys_of_a_calibration_are_those_that_its_readers_know() -> None:
    assert (floor.KEY, stability.KEY) == ("noise_floor", "stability")


def test_how_the_machine_keeps_time_and_what_it_grants_are_facts(tmp_path: Path) -> None:
    environment = {
        **ENVIRONMENT,
        "governor": "performance",
        "boost": False,
        "clock_source": "tsc",
        "container": True,
        "limits": {"cpus": 1.5, "memory_bytes": 2**29},
    }
    invention = Invention(tmp_path, environment=environment)

    told = dict(facts(summarise(invention.folder)))

    assert told["processors and clock"] == "governor performance, boost off, clock source tsc"
    assert told["sloproof ran"] == "in a container, limited to 1.5 processors, limited to 512 MiB"
