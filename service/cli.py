"""The command line of the service: options and settings in, exit status out."""

import argparse
import asyncio
import json
import socket
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from service import native
from service.adapters import logs
from service.listener import open_listener
from service.settings import Settings, SettingsError, settings_schema
from service.supervisor import Supervisor

_FAILED = 1
_WRONG_USAGE = 2
_METRICS = "jobs-metrics-"


def run(arguments: list[str]) -> int:
    """Run the service until it is stopped."""
    try:
        settings = Settings.load(_options(arguments))
    except SettingsError as exc:
        print(exc, file=sys.stderr)  # noqa: T201  # for the person who typed it, not for the log
        return _WRONG_USAGE
    if settings.supervision == "native":
        # A folder of its own stays behind: there will be nobody left to remove it.
        shared = settings.metrics_dir or Path(tempfile.mkdtemp(prefix=_METRICS))
        native.become(settings, metrics_dir=_emptied(shared))
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
            parts.enter_context(tempfile.TemporaryDirectory(prefix=_METRICS))
        )
        return asyncio.run(Supervisor(settings, listener, metrics_dir=_emptied(shared)).run())


def _emptied(metrics_dir: Path) -> Path:
    """Return the folder without what earlier processes have left in it."""
    metrics_dir.mkdir(parents=True, exist_ok=True)
    for left_over in metrics_dir.glob("*.db"):
        left_over.unlink()
    return metrics_dir


class _PrintSchema(argparse.Action):
    def __init__(self, **named: Any) -> None:  # noqa: ANN401  # argparse's own
        super().__init__(nargs=0, **named)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        print(json.dumps(settings_schema(), indent=2))  # noqa: T201  # for the person who typed it
        parser.exit()


def _options(arguments: list[str]) -> dict[str, str]:
    parser = argparse.ArgumentParser(
        prog="python -m service",
        description="Run the jobs service.",
        epilog="Every option and more can be set by SERVICE_* variables, see docs/service.md.",
    )
    parser.add_argument("--settings-schema", action=_PrintSchema, help="print a JSON Schema of the variables")
    for name in ("server", "workers", "host", "port", "database"):
        field = Settings.model_fields[name]
        parser.add_argument(
            f"--{name}", metavar=name.upper(), help=f"{field.description} (default: {field.default})"
        )
    given = vars(parser.parse_args(arguments))
    return {name: value for name, value in given.items() if value is not None}
