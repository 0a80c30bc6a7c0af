"""What runs of a sloproof that was killed have left behind: found by its owner's mark, and removed."""

from __future__ import annotations

from contextlib import suppress

from sloproof.subject.docker import Engine, EngineError
from sloproof.subject.owner import sweep_processes


def sweep() -> list[str]:
    """Remove what no living sloproof owns, and say what it was."""
    removed = sweep_processes()
    with suppress(EngineError):  # then nobody can ask what is left, nor start any more
        engine = Engine.connect()
        removed += engine.sweep()
        engine.close()
    return removed
