from __future__ import annotations

import os
import shutil

import pytest

from tests.integration.compile.promtool import Promtool


@pytest.fixture(scope="session")
def promtool() -> Promtool:
    """Return the machine's promtool; without one, skip, or fail where one is required."""
    path = shutil.which("promtool")
    if path is None:
        if os.environ.get("REQUIRE_PROMETHEUS") == "1":
            pytest.fail("REQUIRE_PROMETHEUS=1, and no promtool is on the PATH")
        pytest.skip("no promtool is on the PATH")
    return Promtool(path)
