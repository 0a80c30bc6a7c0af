"""Which Prometheus would watch a run: a program of this machine, a container, or none, and then why not."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sloproof.experiment.backends import DockerBackend
from sloproof.slo.problems import EnvironmentFailed
from sloproof.subject.port import SubjectError

if TYPE_CHECKING:
    from sloproof.experiment.backends import Backend
    from sloproof.experiment.sections import ObserveSpec
    from sloproof.subject.docker import Engine

PROGRAM = "prometheus"
VERSION_WITHIN_S = 20


class PrometheusRequiredError(EnvironmentFailed):
    """The experiment asks for a Prometheus, and there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """The `prometheus` on PATH; an unknown version is ``None``."""

    path: str
    version: str | None

    def __str__(self) -> str:
        return f"Prometheus {self.version or 'of unknown version'}, {self.path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image that is on this machine, by its name and ID."""

    engine: Engine
    name: str
    id: str

    def __str__(self) -> str:
        return f"Prometheus in a container of {self.name}"


@dataclass(frozen=True, slots=True)
class Absent:
    """None, for a reason."""

    reason: str

    def __str__(self) -> str:
        return f"none: {self.reason}"


Choice = Program | Image | Absent


def choose(wanted: ObserveSpec, backend: Backend) -> Choice:
    """Return what is to watch a run; a program is preferred, as it needs nothing else.

    Raises:
        PrometheusRequiredError: one is required, and there is none.

    """
    if wanted.prometheus == "off":
        return Absent("observe.prometheus is off")
    if (path := shutil.which(PROGRAM)) is not None:
        return Program(path=path, version=_version(path))
    reason = f"there is no `{PROGRAM}` on PATH"
    if not isinstance(backend, DockerBackend):
        reason += ", and a container is for runs with --backend docker"
    else:
        try:
            return Image(engine=backend.engine, name=wanted.image, id=backend.engine.find(wanted.image))
        except SubjectError as error:
            reason += f", and {error}"
    if wanted.prometheus == "required":
        raise PrometheusRequiredError(
            f"observe.prometheus is required, and {reason}: install one, or write auto"
        )
    return Absent(reason)


def facts(choice: Choice, wanted: ObserveSpec) -> dict[str, Any]:
    """Return what a run keeps of the choice."""
    match choice:
        case Program(version=version):
            how = {"what": str(choice), "version": version}
        case Image(id=id):
            how = {"what": str(choice), "image": id}
        case Absent(reason=reason):
            return {"absent": reason}
    return {**how, "scrape_interval_s": wanted.scrape_interval}


def _version(path: str) -> str | None:
    try:
        said = subprocess.run(
            [path, "--version"], capture_output=True, text=True, check=False, timeout=VERSION_WITHIN_S
        )
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"version (\S+)", said.stdout + said.stderr)
    return found[1] if found else None
