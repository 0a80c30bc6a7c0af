from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.invention import Invention

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def invention(tmp_path: Path) -> Invention:
    """Return an empty run in a folder of the test's own."""
    return Invention(tmp_path / "reports")
