"""What a run was measured on: machine, kernel, versions; read once, without anything that names a person."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from dataclasses import asdict
from importlib import metadata
from pathlib import Path

from sloproof.observe import machine

PACKAGES = ("sloproof", "locust", "gevent", "geventhttpclient", "numpy", "prometheus-client", "pyarrow")


def environment(directory: Path) -> dict[str, object]:
    """Return the facts that a reader needs to tell whether two runs can be compared.

    `directory` is where the subject runs; its commit is the version of the subject. `limits` are those
    under which sloproof runs, and with it what it starts. ``None``: the machine does not say.
    """
    return {
        "machine": platform.machine(),
        "cpu": _first(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo")) or platform.processor() or "unknown",
        "cpus": len(os.sched_getaffinity(0)),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "load_average": [round(load, 2) for load in os.getloadavg()],
        "kernel": f"{platform.system()} {platform.release()}",
        "governor": machine.governor(),
        "boost": machine.boost(),
        "clock_source": machine.clock_source(),
        "container": machine.in_container(),
        "limits": asdict(machine.own_limits()),
        "uptime_s": machine.uptime_s(),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "commit": _git(directory, "rev-parse", "HEAD"),
        "changed": bool(_git(directory, "status", "--porcelain")),
    }


def _first(pattern: str, path: Path) -> str | None:
    try:
        match = re.search(pattern, path.read_text())
    except OSError:
        return None
    return match[1].strip() if match else None


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _git(directory: Path, *arguments: str) -> str | None:
    try:
        answer = subprocess.run(
            ["git", *arguments],  # noqa: S607 - the user's own git
            cwd=directory,
            capture_output=True,
            text=True,
            check=True,
            timeout=5,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()
