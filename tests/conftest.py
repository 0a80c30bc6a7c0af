from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from sloproof.subject.docker.engine import Engine
from sloproof.subject.docker.errors import EngineError
from tests.invention import Invention

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import docker

# Machines are shared and slow now and then; how long an example takes says nothing about the code.
settings.register_profile("sloproof", deadline=None)
settings.load_profile("sloproof")

# A shell that starts tests in the background has them, and all that they start, ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def invention(tmp_path: Path) -> Invention:
    """Return an empty run in a folder of the test's own."""
    return Invention(tmp_path / "reports")


@pytest.fixture(scope="session")
def docker_engine() -> Iterator[docker.DockerClient]:
    """Return a client of the machine's Docker engine; without one, skip, or fail where one is required."""
    try:
        engine = Engine.connect()
    except EngineError as error:
        if os.environ.get("REQUIRE_DOCKER") == "1":
            pytest.fail(f"REQUIRE_DOCKER=1, and {error}")
        pytest.skip(str(error))
    yield engine.client
    engine.close()
