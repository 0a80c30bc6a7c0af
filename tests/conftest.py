from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.invention import Invention

if TYPE_CHECKING:
    from pathlib import Path

# Machines are shared and slow now and then; how long an example takes says nothing about the code.
settings.register_profile("sloproof", deadline=None)
settings.load_profile("sloproof")


@pytest.fixture
def invention(tmp_path: Path) -> Invention:
    """Return an empty run in a folder of the test's own."""
    return Invention(tmp_path / "reports")
