from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from sloproof.report.documents import documents
from tests.invention import InventedTrial, facts, reported

if TYPE_CHECKING:
    from tests.invention import Invention


def made(invention: Invention) -> dict[str, str]:
    return dict(documents(*reported(invention.folder)))


def test_a_run_makes_a_file_for_each_reader(invention: Invention) -> None:
    invention.fill()

    files = made(invention)

    assert {name.rpartition("/")[0] for name in files} == {
        "",
        "assets",
        "histograms",
        *(f"trials/b{block:02}-{each.id}" for block in range(1, 7) for each in invention.configurations),
    }
    assert [name for name in files if "/" not in name] == [
        "results.json",
        "report.html",
        "report.md",
        "junit.xml",
        "summary.csv",
    ]
    assert [name for name in files if name.startswith("histograms")] == [
        f"histograms/{each.id}.hlog" for each in invention.configurations
    ]


def test_a_list_of_numbers_takes_one_line_in_the_results(invention: Invention) -> None:
    invention.fill()

    results = made(invention)["results.json"]

    assert re.search(r'^ +"intended": \[ ?\d+(, \d+)+ ?\],?$', results, re.MULTILINE)
    assert not re.search(r"^ +[\d.]+,?$", results, re.MULTILINE)


def test_histograms_hold_valid_trials_alone(invention: Invention) -> None:
    invention.fill(uvicorn_1=InventedTrial(configuration="", generator=facts(wait_ratio=1.0)))

    files = made(invention)

    assert files["histograms/uvicorn-1.hlog"].count("Tag=") == 0
    assert files["histograms/uvicorn-4.hlog"].count("Tag=POST_/jobs") == 6 * 7


@pytest.mark.parametrize("trials", [0, 1], ids=["no trial", "one trial"])
def test_an_unfinished_run_makes_every_file(invention: Invention, trials: int) -> None:
    for _ in range(trials):
        invention.add(InventedTrial(configuration="uvicorn-1"))

    files = made(invention)

    assert len(files) == 5 + 4 + trials + 4
    assert all(files.values())
