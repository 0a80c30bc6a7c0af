"""Real parts for tests: a service that exports metrics, history as blocks, a Prometheus that has both."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from shutil import which
from typing import TYPE_CHECKING, TypeVar

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

T = TypeVar("T")
DEADLINE_S = 60
STEP_S = 15
REQUESTS = "http_server_request_duration_seconds"
PROMETHEUS, PROMTOOL = (which(name) or name for name in ("prometheus", "promtool"))
EXPORTER = """
import sys
from prometheus_client import CollectorRegistry, Counter, Histogram, start_http_server

registry = CollectorRegistry()
labels = ["http_request_method", "http_route", "http_response_status_code"]
requests = Histogram(
    "http_server_request_duration_seconds", "x", labels, registry=registry, buckets=(0.1, 0.25, 0.5, 1)
)
Histogram("never_seconds", "Nothing has happened yet.", ["kind"], registry=registry)
server, _ = start_http_server(0, addr="127.0.0.1", registry=registry)
requests.labels("POST", "/jobs", "202").observe(0.2)
print(server.server_port, flush=True)
for line in sys.stdin:
    status, count, seconds = line.split()
    for _ in range(int(count)):
        requests.labels("POST", "/jobs", status).observe(float(seconds))
    print("done", flush=True)
"""


@dataclass(frozen=True, slots=True)
class Exporter:
    """A service that has served what it was told to."""

    process: subprocess.Popen[str]
    port: int

    def serve(self, status: int, count: int, seconds: float = 0.2) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{status} {count} {seconds}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/metrics"


@contextlib.contextmanager
def exporter() -> Iterator[Exporter]:
    with subprocess.Popen(
        [sys.executable, "-c", EXPORTER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield Exporter(process, int(process.stdout.readline()))
        process.kill()


@dataclass(frozen=True, slots=True)
class Stand:
    """A Prometheus by its address, the service that it scrapes, and when its history began."""

    url: str
    jobs: Exporter
    began_s: int


@contextlib.contextmanager
def prometheus(folder: Path, jobs: Exporter) -> Iterator[str]:
    """Run a Prometheus on the data in a folder that scrapes a service, and give its address."""
    target = {"targets": [f"127.0.0.1:{jobs.port}"]}
    config = {
        "global": {"scrape_interval": "30s"},
        "scrape_configs": [{"job_name": "jobs", "scrape_interval": "2s", "static_configs": [target]}],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    log = folder / "log"
    with (
        log.open("w") as file,
        subprocess.Popen(
            [
                PROMETHEUS,
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                "--storage.tsdb.retention.time=15d",
                "--web.listen-address=127.0.0.1:0",
            ],
            stderr=file,
        ) as process,
    ):
        try:
            yield _address(process, log)
        finally:
            process.terminate()
            process.wait(DEADLINE_S)


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    def ready() -> str | None:
        text = log.read_text()
        assert process.poll() is None, text
        listening = re.search(r'msg="Listening on".* address=(\S+)', text)
        return f"http://{listening[1]}" if listening and "Server is ready" in text else None

    found = eventually(ready)
    assert found, log.read_text()
    return found


def eventually(probe: Callable[[], T | None]) -> T | None:
    """Return the first thing that a probe gives, or ``None`` once the deadline has passed."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        if found := probe():
            return found
        time.sleep(0.1)
    return None


def backfill(folder: Path, samples: Callable[[int, int], Iterator[str]], *, hours: int, now_s: int) -> int:
    """Turn samples up to now, as text, into blocks of a Prometheus to come; give when they begin."""
    until_s = now_s // STEP_S * STEP_S
    began_s = until_s - hours * 3600
    text = folder / "history.txt"
    text.write_text("\n".join([*samples(began_s, until_s), "# EOF\n"]))
    subprocess.run(
        [PROMTOOL, "tsdb", "create-blocks-from", "openmetrics", text, folder / "data"],
        check=True,
        capture_output=True,
    )
    return began_s


def history(began_s: int, until_s: int) -> Iterator[str]:
    """Yield what a shop exported: ten requests a second of which one in a hundred is slow, and 100 failures.

    The failures come at once an hour before the end, as the first of their kind: their counter begins at 100.
    """
    moments = range(began_s, until_s + 1, STEP_S)
    shop = 'job="shop",instance="shop:1"'
    yield "# TYPE up gauge"
    yield from (f"up{{{shop}}} 1 {t}" for t in moments)
    yield f"# TYPE {REQUESTS} histogram"
    request = f'{shop},http_request_method="GET",http_route="/items"'
    served, failed = (f'{request},http_response_status_code="{status}"' for status in (200, 500))
    for bound, share in (("0.1", 0.99), ("0.25", 1), ("+Inf", 1)):
        labels = f'{served},le="{bound}"'
        yield from (f"{REQUESTS}_bucket{{{labels}}} {(t - began_s) * 10 * share:.2f} {t}" for t in moments)
        late = [t for t in moments if t > until_s - 3600]
        yield from (f'{REQUESTS}_bucket{{{failed},le="{bound}"}} 100 {t}' for t in late)
    yield from (f"{REQUESTS}_count{{{served}}} {(t - began_s) * 10} {t}" for t in moments)
    yield from (f"{REQUESTS}_count{{{failed}}} 100 {t}" for t in moments if t > until_s - 3600)
