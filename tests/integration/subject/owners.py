"""A sloproof of its own that starts something and then dies of a kill -9."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.integration.subject.houses import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def owner_running(script: str, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run a script that prints one line and waits; yield its process and that line."""
    child = subprocess.Popen(
        [sys.executable, "-c", script, *arguments], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    with child:
        try:
            assert child.stdout is not None
            yield child, child.stdout.readline().strip()
        finally:
            child.kill()


@contextmanager
def left_by_a_dead_owner(script: str, *arguments: str) -> Iterator[str]:
    """Yield the line of a script that was killed since."""
    with owner_running(script, *arguments) as (owner, line):
        owner.kill()
        owner.wait()
        yield line
