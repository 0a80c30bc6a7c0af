"""Recorded times are read as they are meant, or refused line by line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sloproof.load import recording
from sloproof.load.recording import read_recording
from sloproof.slo.problems import InvalidFile

if TYPE_CHECKING:
    from pathlib import Path

ACCEPTED = "write seconds, e.g. 12.5, or a date and time, e.g. 2026-01-02T03:04:05.678Z, one a line"


def written(folder: Path, text: str) -> Path:
    path = folder / "arrivals.txt"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("0\n1.5\n1.75\n", id="seconds from zero"),
        pytest.param("1700000000\n1700000001.5\n1700000001.75\n", id="Unix time"),
        pytest.param("7.75\n6\n7.5\n", id="in another order"),
        pytest.param("# begin\n\n 10 # the first\n11.5\n11.75", id="with comments"),
        pytest.param("\ufeff0\r\n1.5\r\n1.75\r\n", id="as Windows writes it"),
        pytest.param(
            "2026-01-02T03:04:05Z\n2026-01-02T04:04:06.5+01:00\n2026-01-02 03:04:06.750Z\n", id="dates"
        ),
    ],
)
def test_times_count_from_the_earliest_however_they_are_written(tmp_path: Path, text: str) -> None:
    assert read_recording(written(tmp_path, text)).offsets_s.tolist() == [0, 1.5, 1.75]


def test_arrivals_at_the_same_time_are_all_kept(tmp_path: Path) -> None:
    assert read_recording(written(tmp_path, "3\n3\n4\n")).offsets_s.tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        pytest.param("0\n1\n  soon\n", [f":3:3: 'soon' is no time: {ACCEPTED}"], id="a word"),
        pytest.param("time\n0\n1\n", [f":1:1: 'time' is no time: {ACCEPTED}"], id="a heading"),
        pytest.param("0,GET\n1\n", [f":1:1: '0,GET' is no time: {ACCEPTED}"], id="two columns"),
        pytest.param("-1\n1\n", [f":1:1: '-1' is no time: {ACCEPTED}"], id="less than zero"),
        pytest.param(
            "0\nnan\ninf\n",
            [f":2:1: 'nan' is no time: {ACCEPTED}", f":3:1: 'inf' is no time: {ACCEPTED}"],
            id="numbers that are none",
        ),
        pytest.param(
            "1764000000000\n",
            [":1:1: '1764000000000' is in milliseconds or less: write seconds"],
            id="milliseconds",
        ),
        pytest.param(
            "2026-01-02T03:04:05\n",
            [":1:1: '2026-01-02T03:04:05' has no time zone: write it with Z or +01:00 at its end"],
            id="a date of nowhere",
        ),
        pytest.param(
            "5\n2026-01-02T03:04:05Z\n",
            [":2:1: '2026-01-02T03:04:05Z' is in dates, and the lines before are in seconds: take one"],
            id="two notations",
        ),
        pytest.param(
            "# nothing\n", [": has no two arrivals at different times: a replay needs them"], id="empty"
        ),
        pytest.param(
            "7\n7\n7\n", [": has no two arrivals at different times: a replay needs them"], id="one moment"
        ),
    ],
)
def test_a_wrong_recording_is_refused_where_it_is_wrong(
    tmp_path: Path, text: str, messages: list[str]
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(InvalidFile) as error:
        read_recording(path)
    assert str(error.value).splitlines() == [f"{path}{message}" for message in messages]


def test_of_many_mistakes_the_first_ten_are_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile) as error:
        read_recording(written(tmp_path, "x\n" * 50))
    assert [problem.line for problem in error.value.problems] == list(range(1, 11))


def test_a_recording_that_is_too_long_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, "1\n2\n3\n4\n")
    monkeypatch.setattr(recording, "MAX_ARRIVALS", 3)
    with pytest.raises(InvalidFile, match="holds more than 3 arrivals: cut it"):
        read_recording(path)
    monkeypatch.setattr(recording, "MAX_BYTES", 4)
    with pytest.raises(InvalidFile, match="is larger than 0 MiB: cut it"):
        read_recording(path)


def test_a_recording_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match=r"arrivals\.txt: cannot be read \(No such file or directory\)"):
        read_recording(tmp_path / "arrivals.txt")
