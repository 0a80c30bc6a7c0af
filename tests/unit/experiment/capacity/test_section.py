"""A wrong search in an experiment file: the whole message, as its user reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sloproof.experiment import spec
from sloproof.slo.problems import InvalidFile

ROOT = Path(__file__).parents[4]
CAPACITY = (ROOT / "experiments" / "capacity.yaml").read_text()
SEARCH = CAPACITY[CAPACITY.index("search:") : CAPACITY.index("load:")]


def line(text: str, of: str) -> int:
    return text[: text.index(of)].count("\n") + 1


@pytest.mark.parametrize(
    ("old", "new", "at", "message"),
    [
        pytest.param(
            "  from: 100/s",
            "  from: 1600/s",
            "  from: 1600/s",
            ":3: search: from 1600/s to 1600/s leaves nothing to search: from is the lower of the two",
            id="no rates between the two",
        ),
        pytest.param(
            "# at_least: 200/s",
            "  at_least: 50/s",
            "  from: 100/s",
            ":3: search: at_least 50/s is not searched: write a rate from 100/s to 1600/s",
            id="a demand that is not searched",
        ),
        pytest.param(
            "  trials: 3  ",
            "  trials: 2  ",
            "  trials: 2",
            ":11: trials: must be greater than or equal to 3, not '2'",
            id="too few trials for a bound",
        ),
        pytest.param(
            "  to: 1600/s",
            "  to: 1600",
            "  to: 1600",
            ":7: to: '1600' has no unit of time: write 1600/s or 1600/m",
            id="a bare rate",
        ),
        pytest.param(
            "seed: 1",
            "blocks: 6",
            "blocks: 6",
            ":1: blocks: a search decides how many trials it needs: leave it out",
            id="blocks",
        ),
        pytest.param(
            "seed: 1",
            "repeats: 6",
            "repeats: 6",
            ":1: repeats: a search repeats what is invalid by itself: leave it out",
            id="repeats",
        ),
        pytest.param(
            "  arrival: poisson",
            "  rate: 150/s",
            "  rate: 150/s",
            ":3: rate: the search chooses the rates: write search.from and search.to instead",
            id="a rate of its own",
        ),
        pytest.param(
            "seed: 1",
            "profiles: {heavy: {rate: 9/s}}",
            "profiles:",
            ":20: rate: the search chooses the rates: write search.from and search.to instead",
            id="a profile with a rate",
        ),
        pytest.param(
            "  arrival: poisson",
            "  shape: {constant: {}}",
            "  shape:",
            ":3: shape: a search runs at constant rates: leave it out",
            id="a shape of its own",
        ),
        pytest.param(
            "seed: 1",
            "profiles: {heavy: {shape: {constant: {}}}}",
            "profiles:",
            ":20: shape: a search runs at constant rates: leave it out",
            id="a profile with a shape",
        ),
        pytest.param(
            "  budget: 24m",
            "  budget: 24",
            "  budget: 24",
            ":11: budget: '24' has no unit: write 24ms or 24s",
            id="a budget without a unit",
        ),
        pytest.param(
            SEARCH,
            "",
            "kind: capacity",
            ":1: missing key 'search': write e.g. search: {from: 50/s, to: 2000/s, budget: 20m}",
            id="no search",
        ),
        pytest.param(
            "kind: capacity",
            "blocks: 6\nkind: matrix",
            "blocks: 6",
            ":1: search: a matrix runs at one rate: write kind: capacity, or leave the section out",
            id="a matrix with a search",
        ),
    ],
)
def test_a_wrong_search_is_refused_where_it_is_wrong(
    old: str, new: str, at: str, message: str, tmp_path: Path
) -> None:
    for folder in ("slo", "loadtest", "experiments", "service"):
        (tmp_path / folder).mkdir()
    for file in ("service/settings.schema.json", "slo/jobs.yaml", "loadtest/locustfile.py"):
        (tmp_path / file).write_bytes((ROOT / file).read_bytes())
    assert old in CAPACITY
    text = CAPACITY.replace(old, new, 1)
    if "a matrix" in message:
        text = text.replace("  arrival: poisson", "  rate: 10/s")
    path = tmp_path / "experiments" / "capacity.yaml"
    path.write_text(text)

    with pytest.raises(InvalidFile) as refused:
        spec.load(path)
    assert str(refused.value) == f"{path}:{line(text, at)}{message}"


def test_the_bounds_of_a_phase_hold_for_the_highest_and_the_lowest_rate(tmp_path: Path) -> None:
    for old, new in (("to: 1600/s", "to: 900000/s"), ("from: 100/s", "from: 1/h")):
        path = tmp_path / "wrong.yaml"
        path.write_text(CAPACITY.replace(old, new, 1))
        with pytest.raises(InvalidFile, match="a phase has 1 to 2,000,000"):
            spec.load(path)
