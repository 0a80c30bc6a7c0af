"""The servers' own commands, which supervise in their own way; docs/service.md says what they keep."""

import math
import os
import sys
from pathlib import Path
from typing import NoReturn, assert_never

from service.settings import Settings, inherited

_APP = "service.main:app"


def become(settings: Settings, *, metrics_dir: Path) -> NoReturn:
    """Replace this process by the command of the server, with the same settings."""
    os.execve(sys.executable, command(settings), inherited(settings, metrics_dir))  # noqa: S606  # no shell


def command(settings: Settings) -> list[str]:
    """Return the command, with this interpreter."""
    grace_s = str(math.ceil(settings.drain_grace_s))
    workers = str(settings.workers)
    match settings.server:
        case "uvicorn":
            address = ["--host", settings.host, "--port", str(settings.port)]
            own = ["--workers", workers, "--loop", settings.loop, "--timeout-graceful-shutdown", grace_s]
        case "hypercorn":
            host = f"[{settings.host}]" if ":" in settings.host else settings.host
            address = ["--bind", f"{host}:{settings.port}"]
            own = ["--workers", workers, "--worker-class", settings.loop, "--graceful-timeout", grace_s]
        case _:
            assert_never(settings.server)
    return [sys.executable, "-m", settings.server, _APP, *address, *own]
