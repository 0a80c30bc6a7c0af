"""How a configuration's container is set up, and the volume of its cell; what runs is the instance's."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from docker.errors import NotFound
from docker.types import LogConfig
from testcontainers.core.container import DockerContainer

from sloproof.subject.docker.errors import refusals_told
from sloproof.subject.docker.instance import DockerInstance
from sloproof.subject.docker.leftovers import remove_container
from sloproof.subject.docker.volume import copy_out
from sloproof.subject.owner import LABEL, Owner
from sloproof.subject.port import HOST, Cell, SubjectError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from sloproof.subject.docker.engine import Engine

NANO = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """What a configuration asks of its container; nothing is left to fill in.

    `image` is an ID, `port` the one on which the subject listens inside, `folder` where its store lives
    inside. ``None`` is what the image says, or no limit.
    """

    image: str
    command: Sequence[str] | None = None
    env: Mapping[str, str]
    port: int
    folder: str | None = None
    cpus: Decimal | float | None = None
    cpuset: str | None = None
    memory_bytes: int | None = None
    read_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerSubject:
    """Start the subject as a container, one a start, with a volume that the starts of a cell share."""

    engine: Engine
    container: Container

    def start(self, cell: Cell) -> DockerInstance:
        """Create and start a container; its port is published on this machine's loopback interface only."""
        is_first = not self._has_volume(cell)
        with refusals_told("start a container"):
            running = self._set_up(cell)
            try:
                running.start()
            except BaseException:
                running.stop()
                if is_first:
                    self._remove_volume(cell)
                raise
        return DockerInstance(
            engine=self.engine,
            container=running,
            asked_memory_bytes=self.container.memory_bytes,
            inner_port=self.container.port,
            outer_port=cell.port,
            log=cell.log,
        )

    def _set_up(self, cell: Cell) -> DockerContainer:
        asked, labels = self.container, {LABEL: Owner.present().mark}
        container = DockerContainer(asked.image).with_envs(**asked.env)
        container.with_kwargs(labels=labels, **_settings(asked))
        # An ID, to which no prefix for the names of a registry belongs.
        container.image = asked.image
        # The library's own method takes no address, and would publish the port to the network.
        container.ports[f"{asked.port}/tcp"] = (HOST, cell.port)  # type: ignore[assignment]
        if asked.command is not None:
            container.with_command(list(asked.command))
        if asked.read_only:
            container.with_tmpfs_mount("/tmp", "mode=1777")  # noqa: S108 - inside the container
        if asked.folder is not None:
            self.engine.client.volumes.create(volume_name(cell), labels=labels)
            container.with_volume_mapping(volume_name(cell), asked.folder, "rw")
        return container

    def keep(self, cell: Cell) -> None:
        """Move what the cell's volume holds into the cell's folder."""
        if self.container.folder is None or not self._has_volume(cell):
            return
        with refusals_told("read what the subject has stored"):
            # A volume is read through a container; this one is never started, so its command is nobody's.
            reader = self.engine.client.containers.create(
                self.container.image,
                command=["true"],
                volumes={volume_name(cell): {"bind": self.container.folder, "mode": "ro"}},
                labels={LABEL: Owner.present().mark},
            )
            try:
                copy_out(reader, self.container.folder, cell.folder)
            finally:
                remove_container(reader)
        self._remove_volume(cell)

    def clear(self, cell: Cell) -> None:
        """Delete the cell's volume and its folder."""
        self._remove_volume(cell)
        try:
            shutil.rmtree(cell.folder)
        except FileNotFoundError:
            return
        except OSError as error:
            raise SubjectError(f"cannot delete {cell.folder}: {error.strerror}") from error

    def _has_volume(self, cell: Cell) -> bool:
        with refusals_told("look for the subject's volume"):
            try:
                self.engine.client.volumes.get(volume_name(cell))
            except NotFound:
                return False
        return True

    def _remove_volume(self, cell: Cell) -> None:
        with refusals_told("delete what the subject has stored"):
            try:
                self.engine.client.volumes.get(volume_name(cell)).remove()
            except NotFound:
                return


def volume_name(cell: Cell) -> str:
    """Return the name of a cell's volume; that of another sloproof for the same folder is another."""
    whose = f"{Owner.present().mark} {cell.folder.resolve()}"
    return f"sloproof-{hashlib.sha256(whose.encode()).hexdigest()[:24]}"


def _settings(asked: Container) -> dict[str, Any]:
    """Return how a container is set up, beyond what the library has methods for."""
    return {
        # Named, lest the library look for a network of its own choice.
        "network": "bridge",
        # Its probes are no part of the load, and would be more of it the longer a trial takes.
        "healthcheck": {"test": ["NONE"]},
        # Whatever the engine's default, the output can be read back, and all of it.
        "log_config": LogConfig(type=LogConfig.types.JSON, config={"max-size": "1000g"}),
        "nano_cpus": None if asked.cpus is None else int(asked.cpus * NANO),
        "cpuset_cpus": asked.cpuset,
        "mem_limit": asked.memory_bytes,
        "memswap_limit": asked.memory_bytes,
        "read_only": asked.read_only,
    }
