from __future__ import annotations

from pathlib import Path

import pytest

from sloproof.load.protocol import LoadConfig, ProtocolError, encode, parse_config
from sloproof.load.workers import Workers


@pytest.mark.parametrize(
    ("workers", "several"),
    [
        pytest.param(Workers(), False, id="one_process"),
        pytest.param(Workers(local=2), True, id="two_processes"),
        pytest.param(Workers(local=0, remote=1), True, id="one_elsewhere"),
        pytest.param(Workers(local=1, remote=1), True, id="one_here_and_one_elsewhere"),
    ],
)
def test_one_process_of_this_machine_needs_no_master_and_any_other_number_does(
    workers: Workers, several: bool
) -> None:
    assert workers.several is several


@pytest.mark.parametrize(
    ("local", "remote"), [(0, 0), (-1, 3), (2, -1), (60, 5)], ids=["none", "minus_one", "minus_two", "65"]
)
def test_a_generator_has_one_to_64_workers(local: int, remote: int) -> None:
    with pytest.raises(
        ValueError, match=f"{local} local and {remote} other workers; a generator has 1 to 64"
    ):
        Workers(local=local, remote=remote)


def test_workers_survive_the_way_to_the_generator() -> None:
    config = LoadConfig(
        locustfile=Path("x.py"),
        host="http://127.0.0.1",
        output=Path("out"),
        workers=Workers(local=2, remote=3),
    )
    assert parse_config(encode(config)) == config


def test_a_worker_without_a_user_is_refused() -> None:
    with pytest.raises(ProtocolError, match="users is 3 for 4 workers; each takes at least one"):
        LoadConfig(
            locustfile=Path(), host="http://127.0.0.1", output=Path(), users=3, workers=Workers(local=4)
        )
