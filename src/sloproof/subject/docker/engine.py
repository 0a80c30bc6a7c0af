"""The Docker engine of this machine: whether one answers, and what we left in it; it starts nothing."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from docker.errors import DockerException
from requests.exceptions import RequestException
from testcontainers.core.config import testcontainers_config
from testcontainers.core.docker_client import DockerClient, get_docker_host

from sloproof.subject.docker import image
from sloproof.subject.docker.errors import EngineError, cause, refusals_told
from sloproof.subject.docker.leftovers import is_orphan, remove
from sloproof.subject.owner import LABEL, Owner

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import docker
    from docker.models.containers import Container
    from docker.models.volumes import Volume

LOCAL_SCHEMES = {"unix", "http+unix"}
CONNECT_WITHIN_S = 3
ANSWER_WITHIN_S = 60


@dataclass(frozen=True, slots=True)
class Engine:
    """A Docker engine that has answered."""

    client: docker.DockerClient

    @classmethod
    def connect(cls) -> Self:
        """Return the engine that the environment names, as the command `docker` finds it; else the machine's.

        Raises:
            EngineError: none answers, or it is another machine's: load goes to this one only.

        """
        # Its clean-up container, an image of its own, does what our owner's label does.
        testcontainers_config.ryuk_disabled = True
        address = get_docker_host() or "unix:///var/run/docker.sock"
        if not _is_here(address):
            raise EngineError(
                f"the Docker engine at {address} is on another machine, and load stays on this one: "
                "unset DOCKER_HOST, or name an engine of this machine"
            )
        try:
            _knock(address)
            client = DockerClient(timeout=CONNECT_WITHIN_S).client
            client.ping()
        except (DockerException, RequestException, OSError, ValueError) as error:
            raise EngineError(f"no Docker engine answers at {address}: {cause(error)}") from error
        client.api.timeout = ANSWER_WITHIN_S
        return cls(client)

    def close(self) -> None:
        """Close the connections to the engine."""
        self.client.close()

    @property
    def description(self) -> str:
        """Return the engine's name and version."""
        return f"Docker {self.facts()['version']}"

    def facts(self) -> Mapping[str, str]:
        """Return what of the engine may change a measurement."""
        with refusals_told("ask the engine about itself"):
            info = self.client.info()
        return {
            "version": info["ServerVersion"],
            "cgroup": info.get("CgroupVersion", "1"),
            "storage": info["Driver"],
            "os": info["OperatingSystem"],
        }

    def build(self, context: Path, *, dockerfile: str | None, args: Mapping[str, str]) -> str:
        """Build the image of a folder, from the engine's cache where nothing has changed; return its ID.

        Raises:
            SubjectError: it cannot be built; with the command that shows the same, and the end of its output.

        """
        command = image.build_command(context, dockerfile=dockerfile, args=args)
        with refusals_told(f"build an image with `{command}`"):
            return image.build(self.client, context, dockerfile=dockerfile, args=args)

    def find(self, name: str) -> str:
        """Return the ID of an image that is on the machine.

        Raises:
            SubjectError: it is not; nothing is ever pulled.

        """
        with refusals_told(f"find the image {name}"):
            return image.find(self.client, name)

    def digest(self, image_id: str) -> str | None:
        """Return the name and digest under which a registry has the image; ``None`` for one of none."""
        with refusals_told(f"look into the image {image_id}"):
            digests: list[str] = self.client.images.get(image_id).attrs.get("RepoDigests") or []
        return digests[0] if digests else None

    def sweep(self) -> list[str]:
        """Remove the containers and volumes whose owner is dead; return what was removed, for people to read.

        Raises:
            SubjectError: the engine refuses.

        """
        containers, volumes = self._labelled(LABEL)
        return remove(
            [
                each
                for each in containers
                if is_orphan(each.labels[LABEL], running=each.status in {"running", "paused"})
            ],
            [each for each in volumes if is_orphan(each.attrs["Labels"][LABEL], running=False)],
        )

    def remove_own(self) -> list[str]:
        """Remove every container and volume of this process; return what was removed, for people to read.

        Raises:
            SubjectError: the engine refuses.

        """
        return remove(*self._labelled(f"{LABEL}={Owner.present().mark}"))

    def _labelled(self, label: str) -> tuple[list[Container], list[Volume]]:
        with refusals_told("look for what was left behind"):
            # One that goes while they are listed is none that was left.
            containers = self.client.containers.list(all=True, filters={"label": label}, ignore_removed=True)
            return containers, self.client.volumes.list(filters={"label": label})


def _is_here(address: str) -> bool:
    url = urlsplit(address)
    if url.scheme in LOCAL_SCHEMES:
        return True
    if url.scheme == "ssh":
        return False
    try:
        return url.hostname == "localhost" or ipaddress.ip_address(url.hostname or "").is_loopback
    except ValueError:
        return False


def _knock(address: str) -> None:
    """Connect once, because the library leaves its socket open where that fails. Raises OSError."""
    url = urlsplit(address)
    if url.scheme in LOCAL_SCHEMES:
        with socket.socket(socket.AF_UNIX) as engine:
            engine.settimeout(CONNECT_WITHIN_S)
            engine.connect(url.path)
