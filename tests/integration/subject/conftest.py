from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sloproof.subject.docker import Container, DockerSubject, Engine
from sloproof.subject.port import Cell
from sloproof.subject.process import free_port
from tests.integration.subject.houses import ROOT, SETTINGS, DockerHouse, House, ProcessHouse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import docker

INSIDE = 8000


@pytest.fixture
def cell(tmp_path: Path) -> Cell:
    (tmp_path / "state").mkdir()
    return Cell(
        factors={"workers": "4"}, folder=tmp_path / "state", log=tmp_path / "subject.log", port=free_port()
    )


@pytest.fixture(scope="session")
def engine(docker_engine: docker.DockerClient) -> Iterator[Engine]:  # noqa: ARG001 - without one, skip or fail
    engine = Engine.connect()
    try:
        yield engine
        assert engine.remove_own() == [], "a test left something in the engine"
    finally:
        engine.close()


@pytest.fixture(scope="session")
def service_image(engine: Engine) -> str:
    """Return the ID of the jobs service's image; it stays, as the engine's cache for the next time."""
    return engine.build(ROOT / "service", dockerfile=None, args={})


@pytest.fixture(scope="session")
def bare_image(engine: Engine, service_image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the ID of an image with a Python and no command of its own."""
    folder = tmp_path_factory.mktemp("bare")
    (folder / "Dockerfile").write_text(f"FROM {service_image}\nENTRYPOINT []\nCMD []\n")
    image = engine.build(folder, dockerfile=None, args={})
    yield image
    engine.client.images.remove(image, force=True)


@pytest.fixture
def jobs_container(engine: Engine, service_image: str) -> DockerSubject:
    """Return the jobs service in a container, with a limit of every kind."""
    return DockerSubject(
        engine=engine,
        container=Container(
            image=service_image,
            env={**SETTINGS, "SERVICE_PORT": str(INSIDE)},
            port=INSIDE,
            folder="/data",
            cpus=1.5,
            cpuset="0",
            memory_bytes=512 * 2**20,
            read_only=True,
        ),
    )


@pytest.fixture(params=["process", "docker"])
def house(request: pytest.FixtureRequest, cell: Cell) -> Iterator[House]:
    """Return the jobs service as a subject of each kind, and a way to see what is left of it."""
    if request.param == "process":
        house: House = ProcessHouse(cell)
    else:
        house = DockerHouse(cell, request.getfixturevalue("jobs_container"))
    yield house
    house.subject.clear(cell)
