from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sloproof.experiment.summary import summarise
from tests.invention import InventedTrial, Invention

if TYPE_CHECKING:
    from sloproof.analysis.results import Results


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Return a run in which one of four configurations is too slow; nothing can change it."""
    invention = Invention(tmp_path_factory.mktemp("run"))
    invention.fill(uvicorn_1=InventedTrial(configuration="", slow=30))
    return summarise(invention.folder)
