"""A small experiment on the real service, and the command that runs it as users type it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[3]
WITHIN_S = 120
EXPERIMENT = """
kind: matrix
name: small
slo: {root}/slo/jobs.yaml
subject:
  directory: {root}
  command: ["{{python}}", -m, service]
  env:
    SERVICE_SERVER: "{{server}}"
    SERVICE_WORKERS: "2"
    SERVICE_PORT: "{{port}}"
    SERVICE_DATABASE: "{{folder}}/jobs.db"
    SERVICE_PRE_STOP_DELAY_S: "0.2"
  container: {{build: {root}/service, read_only: true, memory: 512m}}
factors: {{server: [uvicorn, hypercorn]}}
blocks: {blocks}
repeats: {repeats}
calibrate: false
load: {{locustfile: {locustfile}, rate: 60/s, warmup: 1s, duration: 2s, users: 16}}
"""


def processes_of(folder: Path) -> list[str]:
    """Return the commands of processes that name a folder in their arguments or environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            texts = [(process / name).read_bytes() for name in ("cmdline", "environ")]
        except OSError:
            continue
        if texts[0] and any(str(folder).encode() in text for text in texts):
            found.append(texts[0].replace(b"\0", b" ").decode())
    return found


def sloproof(*arguments: object, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "sloproof", *map(str, arguments)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **(env or {})}
    )


def start(folder: Path, experiment: str, *, backend: str = "process") -> subprocess.Popen[str]:
    path = folder / "small.yaml"
    path.write_text(experiment)
    return sloproof("run", path, "--reports", folder / "reports", "--backend", backend)


def ended(process: subprocess.Popen[str], *, within_s: float = WITHIN_S) -> tuple[int, str, str]:
    with process:
        out, error = process.communicate(timeout=within_s)
        return process.returncode, out, error


def run(
    folder: Path, experiment: str, *, backend: str = "process", within_s: float = WITHIN_S
) -> tuple[int, str, str]:
    return ended(start(folder, experiment, backend=backend), within_s=within_s)


def small(**changes: Any) -> str:  # noqa: ANN401 - formatted into text
    values = {"root": ROOT, "blocks": 1, "repeats": 3, "locustfile": ROOT / "loadtest" / "locustfile.py"}
    return EXPERIMENT.format_map({**values, **changes})


def the_run(folder: Path) -> Path:
    """Return the only run under the reports of a folder."""
    (found,) = (folder / "reports").iterdir()
    return found


def results(folder: Path) -> dict[str, Any]:
    """Return the results of that run."""
    answer: dict[str, Any] = json.loads((the_run(folder) / "results.json").read_text())
    return answer
