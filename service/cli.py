"""The command line of the service: options and settings in, exit status out."""

import argparse
import asyncio
import socket
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from service.adapters import logs
from service.listener import open_listener
from service.settings import Settings, SettingsError
from service.supervisor import Supervisor

_FAILED = 1
_WRONG_USAGE = 2


def run(arguments: list[str]) -> int:
    """Run the service until it is stopped."""
    try:
        settings = Settings.load(_options(arguments))
    except SettingsError as exc:
        print(exc, file=sys.stderr)  # noqa: T201  # for the person who typed it, not for the log
        return _WRONG_USAGE
    try:
        listener = open_listener(settings.host, settings.port)
    except OSError as exc:
        reason = f"cannot listen on {settings.host}:{settings.port}: {exc.strerror or exc}"
        print(f"{reason}; choose another --host or --port", file=sys.stderr)  # noqa: T201  # as above
        return _FAILED
    logs.configure(settings.log_level)
    return _supervise(settings, listener)


def _supervise(settings: Settings, listener: socket.socket) -> int:
    with ExitStack() as parts:
        shared = settings.metrics_dir or Path(
            parts.enter_context(tempfile.TemporaryDirectory(prefix="jobs-metrics-"))
        )
        shared.mkdir(parents=True, exist_ok=True)
        for left_over in shared.glob("*.db"):
            left_over.unlink()
        return asyncio.run(Supervisor(settings, listener, metrics_dir=shared).run())


def _options(arguments: list[str]) -> dict[str, str]:
    parser = argparse.ArgumentParser(
        prog="python -m service",
        description="Run the jobs service.",
        epilog="Every option and more can be set by SERVICE_* variables, see docs/service.md.",
    )
    for name in ("server", "workers", "host", "port", "database"):
        field = Settings.model_fields[name]
        parser.add_argument(
            f"--{name}", metavar=name.upper(), help=f"{field.description} (default: {field.default})"
        )
    return {name: value for name, value in vars(parser.parse_args(arguments)).items() if value is not None}
