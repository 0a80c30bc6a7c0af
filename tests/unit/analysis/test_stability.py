"""What a machine did while we did nothing is told in words, with what to do about it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from sloproof.analysis.stability import Machine, Stability, stability

BEFORE = Machine(
    at_s=100.0,
    busy_s=50.0,
    stolen_s=1.0,
    capacity_s=200.0,
    stalled_s={"cpu": 10.0, "io": 0.0},
    memory_available_bytes=900,
    memory_bytes=1000,
    swapped_pages=7,
    hot=2,
    throttled_s=0.5,
    wall_ahead_s=1.7e9,
)
CALM = replace(BEFORE, at_s=102.0, busy_s=50.1, capacity_s=204.0)


def seen(*, clock_source: str | None = "tsc", governor: str | None = None, **changes: Any) -> Stability:  # noqa: ANN401
    return stability(BEFORE, replace(CALM, **changes), clock_source=clock_source, governor=governor)


def test_a_calm_machine_gives_no_cause_for_anything() -> None:
    calm = seen(governor="performance")

    assert calm.findings() == []
    assert calm.seconds == 2
    assert calm.busy_ratio == pytest.approx(0.025)
    assert calm.memory_available_ratio == 0.9


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        pytest.param(
            {"busy_s": 51.72}, "other programs used 43% of the processors: end them, or wait", id="busy"
        ),
        pytest.param(
            {"stalled_s": {"cpu": 10.5, "io": 0.0}},
            "programs waited for a processor 25% of the time: end some, or wait",
            id="processors in demand",
        ),
        pytest.param(
            {"stolen_s": 1.08},
            (
                "the host gave 2.0% of the processors' time to others (steal): "
                "take a machine that is not shared"
            ),
            id="steal",
        ),
        pytest.param(
            {"stalled_s": {"cpu": 10.0, "io": 1.0}},
            "programs waited for the disk 50% of the time: let what writes end first",
            id="disk",
        ),
        pytest.param(
            {"memory_available_bytes": 50},
            "5% of the memory is available: end what holds it",
            id="little memory",
        ),
        pytest.param({"swapped_pages": 12}, "5 pages were swapped: end what takes memory", id="swapping"),
        pytest.param(
            {"hot": 5},
            "processors were slowed down 3 times because they were hot: let them cool",
            id="hot",
        ),
        pytest.param(
            {"throttled_s": 0.75},
            (
                "a limit held sloproof itself up for 0.25 s, and with it what it starts: "
                "give it more processor time"
            ),
            id="throttled",
        ),
        pytest.param(
            {"governor": "powersave"},
            (
                "the governor 'powersave' changes the processors' clock by their load: set 'performance', "
                "e.g. `cpupower frequency-set -g performance`"
            ),
            id="governor",
        ),
        pytest.param(
            {"clock_source": "hpet"},
            "the clock source 'hpet' is slow to read: boot with tsc, if there is one",
            id="clock source",
        ),
        pytest.param(
            {"wall_ahead_s": 1.7e9 - 0.25},
            "the wall clock was set by -250 ms: wait until it is in step, since jobs are timed by it",
            id="clock set",
        ),
    ],
)
def test_what_may_disturb_is_named_with_what_to_do(changes: dict[str, Any], finding: str) -> None:
    assert seen(**changes).findings() == [finding]


def test_waiting_for_memory_is_told_where_nothing_is_swapped() -> None:
    before = replace(BEFORE, stalled_s={"memory": 1.0})
    after = replace(CALM, stalled_s={"memory": 1.5})

    assert stability(before, after, clock_source=None, governor=None).findings() == [
        "programs waited for memory 25% of the time: end what takes it"
    ]


def test_what_a_machine_does_not_say_is_unknown_and_no_finding() -> None:
    silent = Machine(
        at_s=0.0,
        busy_s=None,
        stolen_s=None,
        capacity_s=None,
        stalled_s={},
        memory_available_bytes=None,
        memory_bytes=None,
        swapped_pages=None,
        hot=None,
        throttled_s=None,
        wall_ahead_s=0.0,
    )

    found = stability(silent, replace(silent, at_s=2.0), clock_source=None, governor=None)

    assert found.findings() == []
    assert (found.busy_ratio, found.swapped_pages, found.hot, found.throttled_s) == (None,) * 4


def test_facts_can_be_written_as_json_and_hold_the_findings() -> None:
    facts = json.loads(json.dumps(seen(hot=5).facts()))

    assert facts["busy_ratio"] == pytest.approx(0.025)
    assert len(facts["findings"]) == 1
