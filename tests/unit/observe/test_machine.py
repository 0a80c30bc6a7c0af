from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sloproof.observe.accounts import TICK_S
from sloproof.observe.machine import (
    boost,
    clock_source,
    governor,
    in_container,
    machine,
    parse_cpu_times,
    parse_memory,
    parse_swapped,
    uptime_s,
    wall_ahead_s,
)

if TYPE_CHECKING:
    from pathlib import Path

# As Linux 6.18 writes them.
STAT = "cpu  1210639 405175 213335 1844085 20839 5 16514 11993 7 3\ncpu0 540067 199090 98635 1006833 3592 0\n"
MEMORY = "MemTotal:       24683656 kB\nMemAvailable:   23932312 kB\nHugePages_Total:       0\n"


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_processor_times_are_read_in_seconds() -> None:
    busy_s, stolen_s, capacity_s = parse_cpu_times(STAT)

    assert busy_s == pytest.approx((1210639 + 405175 + 213335 + 5 + 16514) * TICK_S)
    assert stolen_s == pytest.approx(11993 * TICK_S)
    assert capacity_s == pytest.approx(
        (1210639 + 405175 + 213335 + 1844085 + 20839 + 5 + 16514 + 11993) * TICK_S
    )
    assert parse_cpu_times("") == (None, None, None)


def test_memory_is_read_in_bytes() -> None:
    assert parse_memory(MEMORY)["MemAvailable"] == 23932312 * 1024
    assert parse_memory("") == {}


def test_swapped_pages_are_those_of_both_directions() -> None:
    assert parse_swapped("pswpin 30\npswpout 12\nswap_ra 5\n") == 42
    assert parse_swapped("nr_free_pages 1\n") is None


@pytest.mark.parametrize(
    ("files", "found"),
    [
        pytest.param({}, (None, None, None), id="a virtual machine that says nothing"),
        pytest.param(
            {
                "cpu/cpu0/cpufreq/scaling_governor": "performance\n",
                "cpu/cpu1/cpufreq/scaling_governor": "performance\n",
                "cpu/intel_pstate/no_turbo": "0\n",
                "clocksource/clocksource0/current_clocksource": "tsc\n",
            },
            ("performance", True, "tsc"),
            id="Intel",
        ),
        pytest.param(
            {
                "cpu/cpu0/cpufreq/scaling_governor": "schedutil\n",
                "cpu/cpu1/cpufreq/scaling_governor": "performance\n",
                "cpu/cpufreq/boost": "0\n",
                "clocksource/clocksource0/current_clocksource": "hpet\n",
            },
            ("performance, schedutil", False, "hpet"),
            id="AMD, one processor unlike the other",
        ),
    ],
)
def test_what_sets_the_pace_of_the_processors_is_read(
    tmp_path: Path, files: dict[str, str], found: tuple[str | None, bool | None, str | None]
) -> None:
    system = write(tmp_path, files)

    assert (governor(system), boost(system), clock_source(system)) == found


def test_a_machine_is_read_from_its_files(tmp_path: Path) -> None:
    proc = write(
        tmp_path / "proc",
        {
            "stat": STAT,
            "meminfo": MEMORY,
            "vmstat": "pswpin 1\npswpout 1\n",
            "pressure/io": "some avg10=0.00 avg60=0.00 avg300=0.00 total=2500000\n",
        },
    )
    system = write(
        tmp_path / "system",
        {
            "cpu/cpu0/thermal_throttle/core_throttle_count": "3\n",
            "cpu/cpu0/thermal_throttle/package_throttle_count": "4\n",
        },
    )

    found = machine(proc, system)

    assert found.memory_bytes == 24683656 * 1024
    assert found.swapped_pages == 2
    assert found.stalled_s == {"io": 2.5}
    assert found.hot == 7


def test_of_a_machine_without_such_files_nothing_is_known(tmp_path: Path) -> None:
    found = machine(tmp_path, tmp_path)

    assert (found.busy_s, found.memory_bytes, found.swapped_pages, found.hot, found.throttled_s) == (
        None,
    ) * 5
    assert found.stalled_s == {}
    assert uptime_s(tmp_path) is None


def test_the_clocks_keep_step_while_nobody_sets_them() -> None:
    assert wall_ahead_s() == pytest.approx(wall_ahead_s(), abs=0.001)


@pytest.mark.parametrize("mark", [".dockerenv", "run/.containerenv"])
def test_a_container_is_told_by_the_mark_of_its_engine(tmp_path: Path, mark: str) -> None:
    assert not in_container(tmp_path)
    assert in_container(write(tmp_path, {mark: ""}))
