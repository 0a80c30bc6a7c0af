"""The experiments that come with the project are right, and are what the documents say of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from sloproof.cli import main
from sloproof.experiment import spec
from sloproof.slo import definition

EXPERIMENTS = sorted((Path(__file__).parents[3] / "experiments").glob("*.yaml"))


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.name)
def test_an_experiment_can_be_loaded_with_its_objectives(path: Path) -> None:
    experiment = spec.load(path)

    assert path.stem == experiment.name
    assert definition.load(experiment.slo).objectives
    assert experiment.search or experiment.blocks >= 6  # fewer can decide nothing


def test_a_plan_says_what_runs_where_and_for_how_long(capsys: pytest.CaptureFixture[str]) -> None:
    quick = next(path for path in EXPERIMENTS if path.stem == "quick")

    assert main(["plan", str(quick), "--backend", "process", "--blocks", "2", "--seed", "7"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("quick: 4 configurations × 2 blocks = 8 trials, about 4 min")
    assert "seed 7" in out
    assert "backend process: asked for" in out
    assert "hypercorn-4" in out
    assert "150/s poisson for 22 s after 1 s" in out


def test_what_runs_in_containers_only_is_not_run_as_a_process(capsys: pytest.CaptureFixture[str]) -> None:
    matrix = next(path for path in EXPERIMENTS if path.stem == "matrix")

    assert main(["plan", str(matrix), "--backend", "process"]) == 2
    assert "matrix cannot run with --backend process: it has no subject.command" in capsys.readouterr().err


def test_without_an_engine_auto_takes_processes_or_says_why_it_cannot(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    quick, matrix = (next(path for path in EXPERIMENTS if path.stem == name) for name in ("quick", "matrix"))

    assert main(["plan", str(quick)]) == 0
    assert "backend process: no Docker engine answers at" in capsys.readouterr().out
    assert main(["plan", str(matrix)]) == 5
    error = capsys.readouterr().err
    assert "it has no subject.command, and no Docker engine answers at" in error
