from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sloproof.compile.dashboards import compile_dashboards
from tests.unit.compile.dashboards.reading import Json, jobs, mixed

if TYPE_CHECKING:
    from pathlib import Path

FILES = ("slo-overview.json", "slo-detail.json", "service.json", "experiments.json")


@pytest.fixture(scope="session", params=["jobs", "jobs-and-shop"])
def compiled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Json]:
    """All dashboards, of our own service alone and beside one that has every kind of objective."""
    folder: Path = tmp_path_factory.mktemp("slo")
    definitions = [jobs()] if request.param == "jobs" else [jobs(), mixed(folder)]
    return compile_dashboards(definitions)


@pytest.fixture(params=FILES)
def dashboard(request: pytest.FixtureRequest, compiled: dict[str, Json]) -> Json:
    return compiled[request.param]
