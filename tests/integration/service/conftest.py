"""The configurations that the promises of the service are held to."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import pytest

from tests.integration.service.harness import RunningService, running

Start = Callable[..., AbstractContextManager[RunningService]]


@pytest.fixture(
    params=[(server, workers) for server in ("uvicorn", "hypercorn") for workers in (1, 4)],
    ids=lambda value: f"{value[0]}-{value[1]}",
)
def start(request: pytest.FixtureRequest, tmp_path: Path) -> Start:
    """Start the service in each of the four configurations; all starts of a test share one store."""
    server, workers = request.param
    return partial(running, tmp_path, server=server, workers=workers)


@pytest.fixture(params=["uvicorn", "hypercorn"])
def start_single(request: pytest.FixtureRequest, tmp_path: Path) -> Start:
    """Start the service with each server and, unless told otherwise, one worker."""
    return partial(running, tmp_path, server=request.param)


@pytest.fixture
def start_any(tmp_path: Path) -> Start:
    """Start the service where the server makes no difference, since the supervisor does the work."""
    return partial(running, tmp_path)
