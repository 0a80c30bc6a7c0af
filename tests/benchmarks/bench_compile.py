"""How long 1,000 SLOs take to compile, and how much memory: `make bench-compile`.

A figure of a whole process, start-up included, on one processor. Sloth compiles the same indicators beside
it, turn by turn, where its program is on PATH.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

SERVICES, OBJECTIVES = 20, 50
ROUNDS = 7
MIB_PER_KIB = 1 / 1024

OURS = """service: service-{service}
window: 30d
metrics: {{matchers: {{job: service-{service}}}}}
objectives:
"""
OBJECTIVE = """  - name: objective-{objective}
    description: Requests of route {objective} are served.
    target: 99.9%
    indicator: {{availability: {{method: GET, route: /route/{objective}}}}}
"""
SLOTH = """version: prometheus/v1
service: service-{service}
slos:
"""
SLOTH_OBJECTIVE = """  - name: objective-{objective}
    objective: 99.9
    description: Requests of route {objective} are served.
    sli:
      events:
        error_query: sum(rate(http_server_request_duration_seconds_count{{job="service-{service}",http_request_method="GET",http_route="/route/{objective}",http_response_status_code=~"5..|429"}}[{{{{.window}}}}]))
        total_query: sum(rate(http_server_request_duration_seconds_count{{job="service-{service}",http_request_method="GET",http_route="/route/{objective}"}}[{{{{.window}}}}]))
    alerting:
      name: ErrorBudgetBurn
      page_alert: {{labels: {{severity: page}}}}
      ticket_alert: {{labels: {{severity: ticket}}}}
"""  # noqa: E501 - one query a line, as people write them


def write(folder: Path, head: str, objective: str) -> None:
    """Write an input file for each service."""
    folder.mkdir(parents=True)
    for service in range(SERVICES):
        items = (objective.format(service=service, objective=each) for each in range(OBJECTIVES))
        (folder / f"service-{service}.yaml").write_text(head.format(service=service) + "".join(items))


def measured(command: list[str], folder: Path) -> tuple[float, float, float]:
    """Return the wall and processor time in seconds, and the largest memory in MiB, of a command."""
    # Python's modules are compiled once, as with every installed program, whatever this shell is set to.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(folder / "modules")
    began = perf_counter()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, env=environment)
    _, status, used = os.wait4(process.pid, 0)
    wall_s = perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed with {process.returncode}")
    return wall_s, used.ru_utime + used.ru_stime, used.ru_maxrss * MIB_PER_KIB


def main() -> None:
    """Measure every program turn by turn, and print the medians, and the best, least disturbed ones."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder / "slo", OURS, OBJECTIVE)
        write(folder / "sloth", SLOTH, SLOTH_OBJECTIVE)
        (folder / "out").mkdir()
        commands = {"sloproof": [sys.executable, "-m", "sloproof", "generate", "--only", "rules"]}
        if sloth := shutil.which("sloth"):
            commands["sloth"] = [sloth, "generate", "-i", "sloth", "-o", "out"]
        figures: dict[str, list[tuple[float, float, float]]] = {program: [] for program in commands}
        measured(commands["sloproof"], folder)
        for _ in range(ROUNDS):
            for program, command in commands.items():
                figures[program].append(measured(command, folder))
        made = {"sloproof": folder / "alerts" / "generated", "sloth": folder / "out"}
        for program, rounds in figures.items():
            columns = list(zip(*rounds, strict=True))
            wall_s, processor_s, memory_mib = map(statistics.median, columns)
            best_s = min(columns[0])
            size = sum(path.stat().st_size for path in made[program].rglob("*.yaml"))
            took = f"{wall_s:.2f} s ({best_s:.2f} s at best, {processor_s:.2f} s of processor)"
            made_of = f"{memory_mib:.0f} MiB, {size / 1e6:.1f} MB of YAML (medians of {ROUNDS})"
            print(f"{program}: {SERVICES * OBJECTIVES:,} SLOs in {took}, {made_of}")  # noqa: T201


if __name__ == "__main__":
    main()
