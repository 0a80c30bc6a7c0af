from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.integration.dashboards.harness import RunningPrometheus, observed
from tests.unit.compile.dashboards.reading import jobs

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPrometheus]:
    """A Prometheus filled by a short load; without the program, skip, or fail where it is required."""
    if shutil.which("prometheus") is None:
        if os.environ.get("REQUIRE_PROMETHEUS") == "1":
            pytest.fail("REQUIRE_PROMETHEUS=1, and no prometheus is on PATH")
        pytest.skip("no prometheus is on PATH")
    with observed(tmp_path_factory.mktemp("observed"), jobs()) as observer:
        yield observer
