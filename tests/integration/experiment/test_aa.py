"""The machinery of an A/A experiment on real servers; what its figures say is for `make bench-aa`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import yaml

from sloproof.cli import main
from tests.integration.experiment.harness import ROOT, run, the_run

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

BLOCKS = 2


def short_twins() -> str:
    """Return experiments/aa.yaml with two short blocks, for another folder."""
    experiment = yaml.safe_load((ROOT / "experiments" / "aa.yaml").read_text())
    folder = ROOT / "experiments"
    for section, key in (("subject", "directory"), ("subject", "settings"), ("load", "locustfile")):
        experiment[section][key] = str(folder / experiment[section][key])
    experiment.update(slo=str(folder / experiment["slo"]), blocks=BLOCKS, repeats=0)
    experiment["load"].update(rate="60/s", duration="2s", users=16)
    return yaml.safe_dump(experiment)


def test_one_configuration_under_two_names_is_compared_within_its_blocks(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _, error = run(folder, short_twins())

    assert status in {3, 4}, error  # two blocks cannot decide; on a busy machine they may even be invalid
    reports = the_run(folder)
    results = json.loads((reports / "results.json").read_text())
    assert [each["id"] for each in results["configurations"]] == ["one", "other"]
    compared = {each["metric"]["name"]: each for each in results["comparisons"]}
    assert len(compared) == len(results["comparisons"])
    assert {(each["baseline"], each["current"]) for each in compared.values()} == {("one", "other")}
    assert {"read p50", "submit p50", "completion p50", "integrity"} <= compared.keys()
    assert "submit p99" not in compared  # 60 requests have none
    assert compared["integrity"]["relation"] == "equivalent"
    valid = {(each["configuration"], each["block"]) for each in results["trials"] if each["valid"]}
    in_both = sum({("one", block), ("other", block)} <= valid for block in range(1, BLOCKS + 1))
    assert compared["submit p50"]["trials"] == in_both <= BLOCKS
    assert compared["submit p50"]["reason"].endswith("hold both, an interval takes 6")

    assert main(["compare", str(reports), str(reports / "results.json"), "--json"]) in {0, 4}
    itself = json.loads(capsys.readouterr().out)
    assert itself["differences"] == []
    assert {each["current"] for each in itself["comparisons"]} == {"one", "other"}
