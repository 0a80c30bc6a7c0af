"""The stack as a project of docker compose: up, asked about, and gone again; it proves nothing."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from docker.errors import APIError, DockerException, NotFound

from deploy.stack_check.proof import until
from sloproof.subject.docker.leftovers import is_orphan
from sloproof.subject.owner import LABEL, Owner

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import docker
    from docker.models.containers import Container

    from deploy.stack_check.images import Json

PROJECT = "com.docker.compose.project"
PART = "com.docker.compose.service"
TAIL = 20
UP_WITHIN_S = 180
ANSWERED_WITHIN_S = 30
DOWN_WITHIN_S = 120
STOPPED_WITHIN_S = 30


class CompositionError(Exception):
    """Compose refused; the message has what was attempted and the end of what it said."""


def version() -> str | None:
    """Return the version of docker compose, ``None`` where there is none."""
    try:
        done = subprocess.run(
            ["docker", "compose", "version", "--short"],  # noqa: S607 - as a person would start it
            capture_output=True,
            text=True,
            check=False,
            timeout=ANSWERED_WITHIN_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition:
    """One project of the compose file in `folder`, told from all others by its name.

    `variables` are for the compose file; `override` is a file on top of it, if it exists.
    """

    folder: Path
    project: str
    variables: Mapping[str, str]
    override: Path

    def configuration(self) -> Json:
        """Return the compose file as compose understands it.

        Raises:
            CompositionError: it is wrong.

        """
        return json.loads(self._compose("config", "--format", "json", within_s=ANSWERED_WITHIN_S))

    def mark(self, configuration: Json) -> None:
        """Write the override by which all that is started is known as ours, and does not outlive a reboot."""
        label = {"labels": {LABEL: Owner.present().mark}}
        marked = {
            "services": {name: {**label, "restart": "no"} for name in configuration["services"]},
            "volumes": dict.fromkeys(configuration.get("volumes", {}), label),
            "networks": {"default": label},
        }
        self.override.write_text(json.dumps(marked))

    def up(self, parts: Sequence[str]) -> None:
        """Start these parts and those they depend on, from images on this machine."""
        self._compose("up", "--detach", "--no-build", "--pull", "never", *parts, within_s=UP_WITHIN_S)

    def address(self, part: str, port: int) -> str:
        """Return the base URL at which a port of a part is published."""
        published = self._compose("port", part, str(port), within_s=ANSWERED_WITHIN_S).strip()
        return f"http://{published}"

    def log(self, part: str) -> Iterator[str]:
        """Yield what a part wrote, line by line."""
        written = self._compose(
            "logs", "--no-log-prefix", "--no-color", "--tail", "all", part, within_s=ANSWERED_WITHIN_S
        )
        yield from written.splitlines()

    def down(self) -> None:
        """Stop and remove everything of this project, as far as compose does it."""
        self._compose(
            *("down", "--volumes", "--remove-orphans", "--timeout", str(STOPPED_WITHIN_S)),
            within_s=DOWN_WITHIN_S,
        )

    def _compose(self, *arguments: str, within_s: float) -> str:
        files = ["docker-compose.yml", *([str(self.override)] if self.override.exists() else [])]
        command = [
            *("docker", "compose", "--project-name", self.project, "--progress", "quiet"),
            *(part for file in files for part in ("--file", file)),
            *arguments,
        ]
        try:
            done = subprocess.run(
                command,
                cwd=self.folder,
                env={**os.environ, **self.variables},
                capture_output=True,
                text=True,
                check=False,
                timeout=within_s,
                # Ctrl-C is for us: whoever removes what was started must not be interrupted by it.
                start_new_session=True,
            )
        except subprocess.TimeoutExpired as error:
            raise CompositionError(
                f"docker compose {arguments[0]}: not done within {within_s:g} s"
            ) from error
        if done.returncode != 0:
            said = "\n".join((done.stderr or done.stdout).strip().splitlines()[-TAIL:])
            raise CompositionError(f"docker compose {arguments[0]} ended with {done.returncode}:\n{said}")
        return done.stdout


def containers(client: docker.DockerClient, project: str) -> dict[str, Container]:
    """Return the containers of a project by the part that each is."""
    found = client.containers.list(all=True, filters={"label": f"{PROJECT}={project}"}, ignore_removed=True)
    return {each.labels[PART]: each for each in found}


def remove(composition: Composition, client: docker.DockerClient) -> list[str]:
    """Take a project down and return what is left of it: nothing, unless the engine refuses.

    What an interrupted `up` had asked for may come into being after `down` has looked, so it is looked for
    by label until there is nothing.
    """
    with suppress(CompositionError, OSError):
        composition.down()
    return until(lambda: _forced(client, composition.project), good=lambda left: not left, within_s=30)


def _forced(client: docker.DockerClient, project: str) -> list[str]:
    """Return what there is of a project, having asked for the removal of each."""
    of_project: dict[str, str | list[str] | bool] = {"label": f"{PROJECT}={project}"}
    left = []
    for container in client.containers.list(all=True, filters=of_project, ignore_removed=True):
        left.append(f"container {container.name}")
        with suppress(NotFound, APIError):
            container.remove(force=True, v=True)
    for volume in client.volumes.list(filters=of_project):
        left.append(f"volume {volume.name}")
        with suppress(NotFound, APIError):
            volume.remove(force=True)
    for network in client.networks.list(filters=of_project):
        left.append(f"network {network.name}")
        with suppress(NotFound, APIError):
            network.remove()
    return left


def sweep_networks(client: docker.DockerClient) -> list[str]:
    """Remove the networks of checks that were killed; their containers and volumes must be gone before."""
    removed = []
    for network in client.networks.list(filters={"label": LABEL}):
        mark = (network.attrs.get("Labels") or {}).get(LABEL, "")
        if is_orphan(mark, running=False):
            with suppress(DockerException):
                network.remove()
                removed.append(f"network {network.name}")
    return removed
