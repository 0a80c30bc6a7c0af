from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from sloproof.observe.cgroups import (
    MICROSECONDS,
    Limits,
    Throttling,
    folders,
    limits,
    parse_cpu_stat,
    parse_limits,
    throttling,
    unified,
)

# As Debian 12 with version 1 shows them to a process of the machine and to one in a container of Docker.
VERSION_1 = """\
12:cpu,cpuacct:/docker/25ab
9:name=systemd:/docker/25ab
4:memory:/docker/25ab/process
0::/docker/25ab
"""
MOUNTS_1 = """\
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:7 - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
"""
MOUNTS_1_INSIDE = """\
682 681 0:29 /docker/25ab /sys/fs/cgroup/cpu,cpuacct ro,nosuid - cgroup cgroup rw,cpu,cpuacct
685 681 0:32 /docker/25ab /sys/fs/cgroup/memory ro,nosuid - cgroup cgroup rw,memory
"""
VERSION_2 = "0::/system.slice/docker-25ab.scope\n"
MOUNTS_2 = "29 22 0:25 / /sys/fs/cgroup rw,nosuid,nodev,noexec - cgroup2 cgroup2 rw,nsdelegate\n"
SYS = Path("/sys/fs/cgroup")


@pytest.mark.parametrize(
    ("cgroup", "mountinfo", "found"),
    [
        pytest.param(
            VERSION_1,
            MOUNTS_1,
            {
                "cpu": SYS / "cpu,cpuacct/docker/25ab",
                "cpuacct": SYS / "cpu,cpuacct/docker/25ab",
                "memory": SYS / "memory/docker/25ab/process",
                "": SYS / "unified/docker/25ab",
            },
            id="version 1, seen from the machine",
        ),
        pytest.param(
            VERSION_1,
            MOUNTS_1_INSIDE,
            {
                "cpu": SYS / "cpu,cpuacct",
                "cpuacct": SYS / "cpu,cpuacct",
                "memory": SYS / "memory/process",
            },
            id="version 1, seen from inside the container",
        ),
        pytest.param(
            VERSION_2,
            MOUNTS_2,
            {"": SYS / "system.slice/docker-25ab.scope"},
            id="version 2, seen from the machine",
        ),
        pytest.param("0::/\n", MOUNTS_2, {"": SYS}, id="version 2, in a namespace of its own"),
        pytest.param("0::/../other\n", MOUNTS_2, {}, id="another container's, out of sight"),
        pytest.param(VERSION_2, "", {}, id="nothing mounted"),
    ],
)
def test_the_folder_of_each_controller_is_found(cgroup: str, mountinfo: str, found: dict[str, Path]) -> None:
    assert folders(cgroup, mountinfo) == found


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        pytest.param(
            "nr_periods 23\nnr_throttled 20\nthrottled_time 1530696694\nnr_bursts 0\nburst_time 0\n",
            Throttling(periods=23, throttled_periods=20, throttled_s=1.530696694),
            id="version 1",
        ),
        pytest.param(
            "usage_usec 457269\nuser_usec 425160\nsystem_usec 32109\nnr_periods 40\nnr_throttled 3\n"
            "throttled_usec 2500000\nnr_bursts 0\nburst_usec 0\n",
            Throttling(periods=40, throttled_periods=3, throttled_s=2.5),
            id="version 2",
        ),
        pytest.param(
            "nr_periods 0\nnr_throttled 0\nthrottled_time 0\n",
            Throttling(periods=0, throttled_periods=0, throttled_s=0.0),
            id="no limit, of version 1",
        ),
        pytest.param("usage_usec 1\nuser_usec 1\nsystem_usec 0\n", None, id="the root, of version 2"),
        pytest.param("", None, id="empty"),
    ],
)
def test_throttling_is_read_in_seconds(text: str, counted: Throttling | None) -> None:
    read = parse_cpu_stat(text)

    assert (read is None) is (counted is None)
    if read is not None and counted is not None:
        assert (read.periods, read.throttled_periods) == (counted.periods, counted.throttled_periods)
        assert read.throttled_s == pytest.approx(counted.throttled_s)


@pytest.mark.parametrize(
    ("files", "read"),
    [
        pytest.param(
            {"cpu.max": "150000 100000\n", "memory.max": "536870912\n"},
            Limits(cpus=1.5, memory_bytes=2**29),
            id="version 2",
        ),
        pytest.param(
            {"cpu.max": "max 100000\n", "memory.max": "max\n"},
            Limits(cpus=None, memory_bytes=None),
            id="version 2, none",
        ),
        pytest.param(
            {"cpu.cfs_quota_us": "20000\n", "cpu.cfs_period_us": "100000\n"},
            Limits(cpus=0.2, memory_bytes=None),
            id="version 1, processors",
        ),
        pytest.param(
            {"cpu.cfs_quota_us": "-1\n", "cpu.cfs_period_us": "100000\n"},
            Limits(cpus=None, memory_bytes=None),
            id="version 1, no quota",
        ),
        pytest.param(
            {"memory.limit_in_bytes": "9223372036854771712\n"},
            Limits(cpus=None, memory_bytes=None),
            id="version 1, no limit of memory",
        ),
        pytest.param({}, Limits(cpus=None, memory_bytes=None), id="no file"),
    ],
)
def test_limits_are_read(files: dict[str, str], read: Limits) -> None:
    assert parse_limits(files) == read


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """Return the ``/proc`` of a machine of version 2 on which process 7 is in a group within a group."""
    outer = tmp_path / "cgroup"
    inner = outer / "slice" / "web"
    inner.mkdir(parents=True)
    for folder in (outer, outer / "slice", inner):
        (folder / "cgroup.procs").touch()
    (inner / "cgroup.type").write_text("domain\n")
    (inner / "cpu.max").write_text("max 100000\n")
    (inner / "memory.max").write_text("1000\n")
    (inner / "cpu.stat").write_text("nr_periods 0\nnr_throttled 0\nthrottled_usec 0\n")
    (inner.parent / "cpu.max").write_text("50000 100000\n")
    (inner.parent / "memory.max").write_text("2000\n")
    (inner.parent / "cpu.stat").write_text("nr_periods 9\nnr_throttled 4\nthrottled_usec 70000\n")
    (outer / "cpu.stat").write_text("usage_usec 5\n")
    proc = tmp_path / "proc"
    for process, name, text in (
        ("7", "cgroup", "0::/slice/web\n"),
        ("self", "mountinfo", f"29 22 0:25 / {outer} rw - cgroup2 cgroup2 rw\n"),
    ):
        (proc / process).mkdir(parents=True)
        (proc / process / name).write_text(dedent(text))
    return proc


def test_a_limit_of_a_group_around_that_of_the_process_counts_too(machine: Path, tmp_path: Path) -> None:
    assert limits(7, machine) == Limits(cpus=0.5, memory_bytes=1000)
    assert throttling(7, machine)[str(tmp_path / "cgroup/slice")] == Throttling(
        periods=9, throttled_periods=4, throttled_s=70000 * MICROSECONDS
    )
    assert unified(7, machine) == tmp_path / "cgroup/slice/web"


def test_of_a_process_that_is_gone_or_out_of_sight_nothing_is_known(machine: Path) -> None:
    for pid in (8, None):
        assert limits(pid, machine) == Limits(cpus=None, memory_bytes=None)
        assert throttling(pid, machine) == {}
        assert unified(pid, machine) is None


def test_the_pressure_of_the_root_is_the_machines_own(machine: Path) -> None:
    (machine / "7" / "cgroup").write_text("0::/\n")

    assert unified(7, machine) is None
