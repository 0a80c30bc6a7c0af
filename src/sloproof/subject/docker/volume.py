"""Copying a folder out of a container; it knows nothing of whose the folder is."""

from __future__ import annotations

import shutil
import tarfile
import tempfile
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from docker.models.containers import Container


def copy_out(container: Container, source: str, target: Path) -> None:
    """Copy the files and folders in `source` of a container, running or not, into the folder `target`.

    Symbolic links and devices are left out: they may point at what is the container's alone. Owners and
    permissions are not copied.
    """
    with tempfile.TemporaryFile() as spool:
        chunks, _ = container.get_archive(source)
        spool.writelines(chunks)
        spool.seek(0)
        with tarfile.open(fileobj=spool) as archive:
            for member in archive:
                # The archive's names begin with that of the folder itself.
                inner = PurePosixPath(member.name).parts[1:]
                if ".." in inner:
                    continue
                path = target.joinpath(*inner)
                if member.isdir():
                    path.mkdir(parents=True, exist_ok=True)
                elif (member.isfile() or member.islnk()) and (content := archive.extractfile(member)):
                    with path.open("wb") as file:
                        shutil.copyfileobj(content, file)
