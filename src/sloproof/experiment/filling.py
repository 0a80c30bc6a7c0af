"""The container of a configuration: every placeholder filled, every limit a number; it runs nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sloproof.experiment.sections import ContainerSpec, SubjectSpec

UNITS = {"": 1, "b": 1, "k": 2**10, "m": 2**20, "g": 2**30}
LEAST_MEMORY = 6 * 2**20  # a Docker engine takes no less


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSource:
    """Where an image comes from: the folder of a Dockerfile with its build arguments, or a name."""

    build: Path | None
    args: tuple[tuple[str, str], ...]
    name: str | None

    def __str__(self) -> str:
        if self.build is None:
            return self.name or ""
        return " ".join([self.build.name, *(f"{key}={value}" for key, value in self.args)])


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledContainer:
    """A container as one configuration wants it."""

    source: ImageSource
    command: tuple[str, ...] | None
    env: Mapping[str, str]
    cpus: float | None
    cpuset: str | None
    memory_bytes: int | None


V = TypeVar("V")


def variables(factors: Mapping[str, V]) -> dict[str, V]:
    """Return the factors that set the environment variable of their name: those in capitals."""
    return {name: level for name, level in factors.items() if name.isupper()}


def fill(subject: SubjectSpec, container: ContainerSpec, factors: Mapping[str, str]) -> FilledContainer:
    """Return the container of a configuration.

    Raises:
        ValueError: a limit is none.

    """
    names = {**factors, "port": container.port, "folder": container.folder, "python": "python"}

    def filled(template: str | None) -> str | None:
        return None if template is None else template.format_map(names)

    env = {key: value.format_map(names) for key, value in {**subject.env, **container.env}.items()}
    args = {key: value.format_map(names) for key, value in container.args.items()}
    return FilledContainer(
        source=ImageSource(
            build=container.build, args=tuple(sorted(args.items())), name=filled(container.image)
        ),
        command=None
        if container.command is None
        else tuple(part.format_map(names) for part in container.command),
        env=env | variables(factors),
        cpus=_cpus(filled(container.cpus)),
        cpuset=_cpuset(filled(container.cpuset)),
        memory_bytes=_memory_bytes(filled(container.memory)),
    )


def _cpus(text: str | None) -> float | None:
    if text is None:
        return None
    if not re.fullmatch(r"\d+(\.\d+)?", text) or not float(text) > 0:
        raise ValueError(f"cpus: '{text}' is no number of processors: write e.g. 1.5")
    return float(text)


def _cpuset(text: str | None) -> str | None:
    if text is not None and not re.fullmatch(r"\d+(-\d+)?(,\d+(-\d+)?)*", text):
        raise ValueError(f"cpuset: '{text}' names no processors: write e.g. 0-1 or 0,2")
    return text


def _memory_bytes(text: str | None) -> int | None:
    if text is None:
        return None
    match = re.fullmatch(r"(\d+)\s*([bkmg]?)(i?b)?", text.lower())
    if match is None:
        raise ValueError(f"memory: '{text}' is no size: write e.g. 512m")
    size = int(match[1]) * UNITS[match[2]]
    if size < LEAST_MEMORY:
        raise ValueError(f"memory: '{text}' is less than the 6m that an engine takes")
    return size
