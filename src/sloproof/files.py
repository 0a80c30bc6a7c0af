"""Files that are there whole or not at all, whatever happens; it knows nothing of what is in them."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def write_atomically(path: Path, text: str | Iterable[str], *, durable: bool = True) -> None:
    """Replace a file so that a reader, or a crash, finds the old text or the new, never half of it.

    A text may come in pieces, so that no more than one of them is in memory. What can be made again need not
    be `durable`: it may not outlive a loss of power, and takes no wait for the disk.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("w", encoding="utf-8") as file:
        file.writelines([text] if isinstance(text, str) else text)
        if durable:
            file.flush()
            os.fsync(file.fileno())
    temporary.replace(path)
    if durable:
        sync(path.parent)


def sync(path: Path) -> None:
    """Have a file, or the names in a folder, on the disk, as far as its file system can promise that."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        with suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
