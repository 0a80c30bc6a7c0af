"""Start the real service as a process group, talk to it, look at its log and its store."""

import contextlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

ROOT = Path(__file__).parents[3]
# Generous: the machine may be busy, and a test that waits for something passes as soon as it happens.
DEADLINE_S = 60.0

_STORED = "SELECT id, state, attempt, (SELECT count(*) FROM completions WHERE job_id = id) FROM jobs"

BODY = b'{"kind": "sleep", "params": {"duration_s": 0.01}}'
HALF = len(BODY) // 2

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def until(condition: Callable[[], object], what: str, *, deadline_s: float = DEADLINE_S) -> None:
    """Poll until the condition holds."""
    deadline = time.monotonic() + deadline_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {deadline_s:g} s in vain until {what}")
        time.sleep(0.02)


@dataclass(frozen=True, slots=True)
class Stored:
    """How a job ended up in the store."""

    state: str
    attempt: int
    completions: int


@dataclass(slots=True)
class RunningService:
    """A started service; everything it logs is in ``log``."""

    process: subprocess.Popen[bytes]
    log: Path
    database: Path
    port: int = 0
    client: httpx.Client = field(init=False)
    fresh: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.client = httpx.Client(timeout=DEADLINE_S, trust_env=False)
        # Each request on a new connection, which may reach another worker, or none.
        self.fresh = httpx.Client(timeout=DEADLINE_S, headers={"Connection": "close"}, trust_env=False)

    def connect(self, port: int) -> None:
        self.port = port
        self.client.base_url = self.fresh.base_url = httpx.URL(f"http://127.0.0.1:{port}")

    def lines(self) -> list[dict[str, Any]]:
        """Every line of the log up to the last that is complete; each must be JSON."""
        complete, _, _ = self.log.read_bytes().rpartition(b"\n")
        return [json.loads(line) for line in complete.splitlines()]

    def events(self, name: str) -> list[dict[str, Any]]:
        return [line for line in self.lines() if line["event"] == name]

    def wait_for(self, event: str, count: int = 1) -> dict[str, Any]:
        def happened() -> bool:
            if len(self.events(event)) >= count:
                return True
            if self.process.poll() is not None and len(self.events(event)) < count:
                raise AssertionError(f"ended with {self.process.returncode} before {event!r} was logged")
            return False

        until(happened, f"{event!r} is logged {count} times")
        return self.events(event)[count - 1]

    def worker_pids(self) -> list[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in children.split()]

    def submit(self, kind: str = "sleep", headers: Mapping[str, str] | None = None, **params: object) -> str:
        """Submit a job and return its ID."""
        answer = self.client.post("/jobs", json={"kind": kind, "params": params}, headers=headers)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def job(self, job_id: str) -> dict[str, Any]:
        answer = self.client.get(f"/jobs/{job_id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def wait_for_state(self, job_ids: Sequence[str], *states: str) -> None:
        until(
            lambda: all(self.job(job_id)["state"] in states for job_id in job_ids),
            f"{len(job_ids)} jobs are {' or '.join(states)}",
        )

    def metrics(self) -> Samples:
        text = self.client.get("/metrics").text
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def wait(self) -> int:
        """Wait for the end and return the exit status."""
        return self.process.wait(DEADLINE_S)

    def stop(self) -> int:
        self.terminate()
        return self.wait()

    def stored(self) -> dict[str, Stored]:
        """All jobs, read from the file itself."""
        with contextlib.closing(sqlite3.connect(self.database)) as connection:
            return {row[0]: Stored(*row[1:]) for row in connection.execute(_STORED)}


def sample(samples: Samples, name: str, **labels: str) -> float:
    return samples[name, frozenset(labels.items())]


def half_sent(port: int) -> socket.socket:
    """A request of which the server has the headers and half of the body."""
    connection = socket.create_connection(("127.0.0.1", port))
    connection.settimeout(60)
    head = "POST /jobs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    head += f"Content-Length: {len(BODY)}\r\n\r\n"
    connection.sendall(head.encode() + BODY[:HALF])
    return connection


def environment(**settings: object) -> dict[str, str]:
    """The environment of a service with these settings only, whose spans take no proxy to our collector."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SERVICE_", "OTEL_"))}
    kept.pop("PROMETHEUS_MULTIPROC_DIR", None)
    kept["no_proxy"] = "127.0.0.1"
    return {**kept, **{f"SERVICE_{name.upper()}": str(value) for name, value in settings.items()}}


def free_port() -> int:
    """A port that is free now, for the servers that cannot be told to take any."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(
    folder: Path, *, server: str = "uvicorn", workers: int = 1, wait: bool = True, **settings: object
) -> Iterator[RunningService]:
    """Run the service in a process group of its own; whatever is left of it is killed at the end."""
    database = folder / "jobs.db"
    log = folder / f"service-{time.monotonic_ns()}.log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "service", "--server", server, "--workers", str(workers)),
                *("--port", "0", "--database", str(database)),
            ],
            cwd=ROOT,
            env=environment(**settings),
            stderr=stderr,
            stdout=stderr,
            start_new_session=True,
        )
    service = RunningService(process, log, database)
    try:
        if wait:
            service.connect(service.wait_for("listening")["port"])
            service.wait_for("worker_ready", workers)
        yield service
    except BaseException:
        sys.stderr.write(f"--- {log}\n{log.read_text()[-20000:]}\n")
        raise
    finally:
        service.client.close()
        service.fresh.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
