from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from sloproof.observe.accounts import reading
from sloproof.observe.cgroups import Throttling
from sloproof.observe.pressure import Process, Reading, family, gained, parse_psi, parse_schedstat, parse_stat

if TYPE_CHECKING:
    from pathlib import Path

# As Linux 6.18 writes them.
STAT = (
    "1595 (python3 (a) b) R 1574 1595 1594 0 -1 4194560 1884 0 1 0 42 3 5 1 20 0 1 0 1888122 13168640 "
    "2253 18446744073709551615 93873881841664 93873881842005 140729452614480 0 0 0 0 16781312 2 0 0 0 17"
)
PSI = (
    "some avg10=9.55 avg60=5.83 avg300=8.96 total=4567707191\n"
    "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"
)
BEFORE = Reading(
    at_s=100.0,
    cpu_s=3.0,
    waited_s={1: 1.0, 2: 0.5},
    throttling={
        "/inner": Throttling(periods=10, throttled_periods=1, throttled_s=0.5),
        "/outer": Throttling(periods=10, throttled_periods=1, throttled_s=0.5),
    },
    stalled_s={"cpu": 50.0, "io": 1.0},
    group_stalled_s={},
)
AFTER = Reading(
    at_s=110.0,
    cpu_s=7.0,
    waited_s={1: 2.0, 3: 0.25},
    throttling={
        "/inner": Throttling(periods=110, throttled_periods=26, throttled_s=4.5),
        "/outer": Throttling(periods=110, throttled_periods=2, throttled_s=0.6),
        "/new": Throttling(periods=1000, throttled_periods=1000, throttled_s=100.0),
    },
    stalled_s={"cpu": 53.0, "io": 1.0, "memory": 9.0},
    group_stalled_s={"cpu": 1.0},
)


def process(pid: int, parent: int, *, group: int = 1, session: int = 1) -> Process:
    return Process(pid=pid, parent=parent, group=group, session=session, ticks=0)


def test_a_process_is_read_whatever_its_command_is_called() -> None:
    assert parse_stat(STAT) == Process(pid=1595, parent=1574, group=1595, session=1594, ticks=51)


@pytest.mark.parametrize(
    ("others", "members"),
    [
        pytest.param([], [7], id="alone"),
        pytest.param([process(8, 7), process(9, 8)], [7, 8, 9], id="children and theirs"),
        pytest.param([process(8, 1, group=7)], [7, 8], id="of its group, the parent gone"),
        pytest.param([process(8, 1, group=8, session=7)], [7, 8], id="of its session, in a group of its own"),
        pytest.param(
            [process(8, 1, group=8, session=7), process(9, 8, group=9, session=9)],
            [7, 8, 9],
            id="a daemon of such a one",
        ),
        pytest.param([process(8, 1), process(2, 1)], [7], id="strangers"),
    ],
)
def test_a_process_and_all_that_it_has_started_are_told_from_others(
    others: list[Process], members: list[int]
) -> None:
    everything = [process(1, 0), process(7, 1, group=7, session=7), *others]

    found = family(7, {each.pid: each for each in everything})

    assert [each.pid for each in found] == members


def test_of_a_leader_that_is_gone_what_is_left_of_its_group_is_found() -> None:
    assert [each.pid for each in family(7, {8: process(8, 1, group=7)})] == [8]


@pytest.mark.parametrize(
    ("text", "waited_s"),
    [
        pytest.param("450863667 1607726027 442\n", 1.607726027, id="ran and waited"),
        pytest.param("450863667 0 2\n", 0.0, id="ran and never waited"),
        pytest.param("0 0 0\n", None, id="the kernel keeps no account"),
    ],
)
def test_the_wait_of_a_thread_is_read(text: str, waited_s: float | None) -> None:
    assert parse_schedstat(text) == (None if waited_s is None else pytest.approx(waited_s))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        pytest.param(PSI, 4567.707191, id="Linux 6.18"),
        pytest.param("", None, id="empty"),
        pytest.param("full avg10=0.00 avg60=0.00 avg300=0.00 total=5\n", None, id="without a line of some"),
        pytest.param("some avg10=0.00\n", None, id="without a total"),
    ],
)
def test_pressure_stall_information_is_read_in_seconds(text: str, seconds: float | None) -> None:
    assert parse_psi(text) == seconds


def test_what_was_gained_is_told_in_shares() -> None:
    figures = gained(BEFORE, AFTER).figures()

    assert figures == {
        "cpu_ratio": 0.4,  # 4 s in 10 s
        "wait_ratio": pytest.approx(1.25 / 5.25),  # thread 1 a second, thread 3 is new, thread 2 has gone
        "throttled_ratio": 0.25,  # the group that was throttled most
        "throttled_s": 4.0,
        "psi_cpu_some_ratio": pytest.approx(0.3),
        "psi_io_some_ratio": 0.0,
        "psi_memory_some_ratio": None,  # it was not there before
        "group_psi_cpu_some_ratio": None,
        "group_psi_io_some_ratio": None,
        "group_psi_memory_some_ratio": None,
    }


def test_a_thread_that_has_taken_the_number_of_another_counts_from_its_start() -> None:
    assert gained(BEFORE, replace(AFTER, waited_s={1: 0.25, 2: 0.75})).waited_s == 0.5


def test_what_the_kernel_does_not_say_is_nothing_and_not_zero() -> None:
    silent = Reading(at_s=0.0, cpu_s=None, waited_s=None, throttling={}, stalled_s={}, group_stalled_s={})

    assert set(gained(silent, replace(silent, at_s=1.0)).figures().values()) == {None}
    assert gained(silent, AFTER).cpu_s is None
    assert gained(silent, AFTER).waited_s is None


def test_a_limit_that_enforced_no_period_has_no_share_of_them() -> None:
    idle = replace(BEFORE, throttling={"/": Throttling(periods=0, throttled_periods=0, throttled_s=0.0)})

    pressure = gained(idle, replace(idle, at_s=110.0))

    assert pressure.figures()["throttled_ratio"] is None
    assert pressure.figures()["throttled_s"] is None
    assert pressure.throttled_s == 0.0


def test_where_the_kernel_has_no_accounts_a_reading_says_so(tmp_path: Path) -> None:
    found = reading(7, tmp_path)

    assert (found.cpu_s, found.waited_s) == (None, None)
    assert not found.throttling
    assert found.stalled_s == found.group_stalled_s == {}
