from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.integration.experiment.harness import processes_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    deadline = time.monotonic() + 20
    while left := processes_of(tmp_path):
        assert time.monotonic() < deadline, f"left running: {left}"
        time.sleep(0.05)
