from __future__ import annotations

from dataclasses import replace

import pytest

from sloproof.subject.owner import Life, Owner


def test_the_present_owner_lives_and_its_mark_names_it() -> None:
    present = Owner.present()

    assert present.life() is Life.ALIVE
    assert Owner.parse(present.mark) == present
    assert Owner.present() == present


@pytest.mark.parametrize(
    ("change", "life"),
    [
        pytest.param({"start_ticks": 1}, Life.DEAD, id="another process has its number"),
        pytest.param({"pid": 2**30}, Life.DEAD, id="no process has its number"),
        pytest.param({"boot": "other"}, Life.OF_ANOTHER_BOOT, id="it ran before a reboot"),
        pytest.param({"namespace": "1"}, Life.OUT_OF_SIGHT, id="it is in another container"),
    ],
)
def test_the_life_of_an_owner_that_is_not_present(change: dict[str, str | int], life: Life) -> None:
    assert replace(Owner.present(), **change).life() is life  # type: ignore[arg-type]


@pytest.mark.parametrize("mark", ["", "boot", "boot:1:2", "boot:1:x:3", "boot:1:2:3:4", "a b c d"])
def test_what_is_no_mark_of_ours_names_no_owner(mark: str) -> None:
    assert Owner.parse(mark) is None
