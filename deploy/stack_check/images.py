"""Which image each part of the stack gets, of those that are on the machine; it starts and pulls nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

Json: TypeAlias = Any  # what a compose file holds is checked by compose, and asked here key by key

SUBJECT = "service"
NEEDED = (SUBJECT, "prometheus", "jaeger")
"""Without one of these there is nothing to prove."""
PYTHON = "PYTHON_IMAGE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The parts that can be started, with the variables that name their images, and what is missing."""

    parts: tuple[str, ...]
    variables: Mapping[str, str]
    missing: Mapping[str, str]
    """By part, the image that the machine does not have, nor any other version of it."""
    instead: Mapping[str, str]
    """The images that serve, each with the one that is missing and whose place it takes."""

    @property
    def sufficient(self) -> bool:
        """Return whether all that the proofs need is there."""
        return not self.missing.keys() & set(NEEDED)


def select(configuration: Json, present: Collection[str]) -> Selection:
    """Choose an image for each part of a composition: the one it names, else another version of the same.

    For the part that is built, the base image is chosen.
    """
    variables, missing, instead = {}, {}, {}
    for part, each in configuration["services"].items():
        if "build" in each:
            variable, wanted = PYTHON, each["build"]["args"][PYTHON]
        else:
            variable, wanted = f"{part.upper()}_IMAGE", each["image"]
        if (found := _best(wanted, present)) is None:
            missing[part] = wanted
        else:
            variables[variable] = found
            if found != wanted:
                instead[found] = wanted
    parts = tuple(part for part in configuration["services"] if part not in missing)
    return Selection(parts=parts, variables=variables, missing=missing, instead=instead)


def _best(wanted: str, present: Collection[str]) -> str | None:
    if wanted in present:
        return wanted
    others = sorted(each for each in present if repository(each) == repository(wanted))
    latest = f"{repository(wanted)}:latest"
    return latest if latest in others else next(reversed(others), None)


def repository(image: str) -> str:
    """Return the name of an image without its tag and digest.

    >>> repository("registry.test:5000/prom/prometheus:v3@sha256:0123")
    'registry.test:5000/prom/prometheus'
    """
    return re.sub(r":[^/:]*$", "", image.partition("@")[0])
