"""Images: built from a folder or found on the machine, known by their ID; none is ever pulled."""

from __future__ import annotations

import hashlib
import re
import shlex
from typing import TYPE_CHECKING

from docker.errors import BuildError, ImageNotFound

from sloproof.subject.port import SubjectError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import docker

OUTPUT_LINES = 20


def find(client: docker.DockerClient, name: str) -> str:
    """Return the ID of an image; raise SubjectError where the machine has none of that name."""
    try:
        return str(client.images.get(name).id)
    except ImageNotFound as error:
        raise SubjectError(
            f"the image {name} is not on this machine, and none is pulled by itself: docker pull {name}"
        ) from error


def build(
    client: docker.DockerClient, context: Path, *, dockerfile: str | None, args: Mapping[str, str]
) -> str:
    """Build the image of a folder and return its ID; raise SubjectError with the end of what was said.

    The tag is the same each time the same is built, so that a later build leaves no nameless image behind.
    """
    if not (context / (dockerfile or "Dockerfile")).is_file():
        raise SubjectError(f"cannot build {context}: it has no {dockerfile or 'Dockerfile'}")
    try:
        image, _ = client.images.build(
            path=str(context),
            dockerfile=dockerfile,
            buildargs=dict(args),
            tag=_tag(context, dockerfile, args),
            rm=True,
            forcerm=True,
        )
    except BuildError as error:
        output = "".join(str(each.get("stream") or each.get("error") or "") for each in error.build_log)
        tail = "\n".join(output.strip().splitlines()[-OUTPUT_LINES:])
        command = build_command(context, dockerfile=dockerfile, args=args)
        raise SubjectError(f"cannot build an image with `{command}`:\n{tail}") from error
    return str(image.id)


def build_command(context: Path, *, dockerfile: str | None, args: Mapping[str, str]) -> str:
    """Return the command by which a person builds the same."""
    file = ["-f", str(context / dockerfile)] if dockerfile else []
    each_arg = [part for key, value in sorted(args.items()) for part in ("--build-arg", f"{key}={value}")]
    return shlex.join(["docker", "build", *file, *each_arg, str(context)])


def _tag(context: Path, dockerfile: str | None, args: Mapping[str, str]) -> str:
    command = build_command(context.resolve(), dockerfile=dockerfile, args=args)
    slug = re.sub(r"[^a-z0-9]+", "-", context.resolve().name.lower()).strip("-") or "subject"
    return f"sloproof/{slug}:{hashlib.sha256(command.encode()).hexdigest()[:12]}"
