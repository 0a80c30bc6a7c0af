from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloproof.load.clocks import ClockOffset, Exchange, Zero, machine

if TYPE_CHECKING:
    from pathlib import Path

ways_s = st.floats(0, 2)
exchanges = st.lists(st.tuples(ways_s, ways_s, st.floats(0, 1_000)), min_size=1, max_size=20)


@given(st.floats(-1e6, 1e6), exchanges)
def test_an_offset_is_wrong_by_no_more_than_it_says_however_uneven_the_ways(
    ahead_s: float, messages: list[tuple[float, float, float]]
) -> None:
    offset = ClockOffset.of(
        Exchange(asked_s=at_s, answered_s=at_s + there_s + ahead_s, heard_s=at_s + there_s + back_s)
        for there_s, back_s, at_s in messages
    )
    rounding_s = 1e-9
    assert abs(offset.ahead_s - ahead_s) <= offset.error_s + rounding_s
    assert offset.error_s <= min(there_s + back_s for there_s, back_s, _ in messages) / 2 + rounding_s


def test_a_zero_is_the_same_moment_on_both_clocks() -> None:
    first, second = Zero.now(), Zero.now()
    assert second.clock_s - first.clock_s == pytest.approx(second.unix_s - first.unix_s, abs=0.5)


def test_a_machine_is_known_by_its_boot_and_not_by_guessing(tmp_path: Path) -> None:
    (tmp_path / "boot_id").write_text("0c1d\n")
    assert machine(tmp_path / "boot_id") == "0c1d"
    assert machine(tmp_path / "none") == ""
    assert machine() == machine() != ""
