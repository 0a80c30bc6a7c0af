"""The jobs service as a subject of each kind, and what of it still stands."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import httpx

from sloproof.subject.owner import LABEL, Owner
from sloproof.subject.process import ProcessSubject

if TYPE_CHECKING:
    from collections.abc import Callable

    from sloproof.subject.docker import DockerSubject
    from sloproof.subject.port import Cell, Instance, Subject

ROOT = Path(__file__).parents[3]
# Generous: the machine may be busy, and a test that waits for something passes as soon as it happens.
DEADLINE_S = 60.0
SETTINGS = {"SERVICE_WORKERS": "2", "SERVICE_LEASE_S": "0.5", "SERVICE_PRE_STOP_DELAY_S": "0.1"}


class House(Protocol):
    """A kind of subject to be held to the same behaviour."""

    @property
    def subject(self) -> Subject: ...

    def with_options(self, *options: str) -> Subject:
        """Return the service with options of its command line."""
        ...

    def alive(self) -> list[str]:
        """Return what of the cell runs."""
        ...

    def left(self) -> list[str]:
        """Return what of the cell is still there, running or not."""
        ...


@dataclass(frozen=True, slots=True)
class ProcessHouse:
    cell: Cell

    @property
    def subject(self) -> ProcessSubject:
        return self.with_options()

    def with_options(self, *options: str) -> ProcessSubject:
        return ProcessSubject(
            command=["{python}", "-m", "service", *options],
            directory=ROOT,
            env={**SETTINGS, "SERVICE_PORT": "{port}", "SERVICE_DATABASE": "{folder}/jobs.db"},
        )

    def alive(self) -> list[str]:
        database = f"SERVICE_DATABASE={self.cell.folder}/jobs.db".encode()
        return [folder.name for folder in Path("/proc").glob("[0-9]*") if database in environ(folder)]

    def left(self) -> list[str]:
        return self.alive()


@dataclass(frozen=True, slots=True)
class DockerHouse:
    cell: Cell
    subject: DockerSubject

    def with_options(self, *options: str) -> DockerSubject:
        return replace(self.subject, container=replace(self.subject.container, command=options))

    def alive(self) -> list[str]:
        return self._containers(all=False)

    def left(self) -> list[str]:
        return self._containers(all=True)

    def _containers(self, **which: Any) -> list[str]:  # noqa: ANN401 - passed on
        containers = self.subject.engine.client.containers
        own = f"{LABEL}={Owner.present().mark}"
        return [str(each.name) for each in containers.list(filters={"label": own}, **which)]


def environ(folder: Path) -> list[bytes]:
    """Return the environment of a process; a zombie has none."""
    try:
        return (folder / "environ").read_bytes().split(b"\0")
    except OSError:
        return []


def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited {DEADLINE_S:g} s in vain until {what}"
        time.sleep(0.02)


def client(instance: Instance) -> httpx.Client:
    return httpx.Client(base_url=instance.url, timeout=DEADLINE_S, trust_env=False)


def is_ready(instance: Instance) -> bool:
    assert instance.exit_status() is None, instance.log_tail(20)
    try:
        with client(instance) as http:
            return http.get("/readyz").is_success
    except httpx.TransportError:
        return False


def await_ready(instance: Instance) -> None:
    until(lambda: is_ready(instance), "the subject is ready")
