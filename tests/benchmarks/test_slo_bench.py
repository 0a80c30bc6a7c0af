"""How long it takes to load and to refuse an SLO file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sloproof.slo.definition import load
from sloproof.slo.yamlfile import InvalidFile, Problem

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

JOBS = Path(__file__).parents[2] / "slo" / "jobs.yaml"


def test_load_a_definition(benchmark: BenchmarkFixture) -> None:
    assert len(benchmark(load, JOBS).objectives) == 4


def test_refuse_a_definition_with_twenty_mistakes(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    path = tmp_path / "slo.yaml"
    objectives = "".join(f"  - {{name: o{n}, target: 120, indicator: {{}}}}\n" for n in range(10))
    path.write_text(f"service: jobs\nwindow: 30d\nobjectives:\n{objectives}", encoding="utf-8")

    def refuse() -> tuple[Problem, ...]:
        with pytest.raises(InvalidFile) as caught:
            load(path)
        return caught.value.problems

    assert len(benchmark(refuse)) == 20
