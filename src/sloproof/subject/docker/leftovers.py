"""Removing containers and volumes, and whether anybody still needs them; it looks for none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docker.errors import APIError, NotFound

from sloproof.subject.docker.errors import refusals_told
from sloproof.subject.owner import Life, Owner

if TYPE_CHECKING:
    from collections.abc import Iterable

    from docker.models.containers import Container
    from docker.models.volumes import Volume

CONFLICT = 409


def remove(containers: Iterable[Container], volumes: Iterable[Volume]) -> list[str]:
    """Remove what can be removed, and return what was, for people to read.

    Raises:
        SubjectError: the engine refuses, and not because somebody else removes or uses it.

    """
    with refusals_told("remove what was left behind"):
        # Containers come first: the volumes of one that still stands cannot be removed.
        return [
            *(f"container {each.name}" for each in containers if remove_container(each)),
            *(f"volume {each.name}" for each in volumes if _remove_volume(each)),
        ]


def remove_container(container: Container) -> bool:
    """Remove a container, running or not, and its nameless volumes; return whether it was still to remove."""
    try:
        container.remove(force=True, v=True)
    except NotFound:
        return False
    except APIError as error:
        if error.status_code != CONFLICT:  # its removal is under way
            raise
        return False
    return True


def _remove_volume(volume: Volume) -> bool:
    try:
        volume.remove()
    except NotFound:
        return False
    except APIError as error:
        if error.status_code != CONFLICT:  # somebody uses it
            raise
        return False
    return True


def is_orphan(mark: str, *, running: bool) -> bool:
    """Return whether nobody will ever end or remove what carries this mark of an owner.

    An engine whose containers went on over a reboot of ours would be another machine's: what runs is spared.
    """
    owner = Owner.parse(mark)
    if owner is None:
        return False
    life = owner.life()
    return life is Life.DEAD or (life is Life.OF_ANOTHER_BOOT and not running)
