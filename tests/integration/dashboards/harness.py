"""A real Prometheus with our rules, which scrapes the real service under a short load."""

from __future__ import annotations

import contextlib
import math
import shutil
import subprocess
import threading
import time
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import httpx
import yaml

from sloproof.compile.rules import Alert, compile_rules
from sloproof.slo.definition import Prometheus
from tests.integration.service.harness import free_port, running, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sloproof.compile.rules import Recording
    from sloproof.slo.definition import Definition
    from tests.integration.service.harness import RunningService

SCRAPE_S, EVALUATION_S = 1, 2
LABELS = {"run": "first", "trial": "t1", "configuration": "uvicorn-2"}
FAULT = b'# TYPE sloproof_fault_active gauge\nsloproof_fault_active{fault="slow-store"} 1\n'
SLOW_S = 2.5  # longer than the objective 'completion' allows
SLOW_JOBS, QUICK_JOBS = 40, 31


@dataclass(frozen=True, slots=True)
class RunningPrometheus:
    """Asks over the HTTP API."""

    client: httpx.Client
    began_at: float

    def ask(self, path: str, **parameters: str | float) -> Any:  # noqa: ANN401 - JSON of any shape
        answer = self.client.get(f"/api/v1/{path}", params=parameters)
        assert answer.status_code == 200, f"{parameters}: {answer.text}"
        return answer.json()["data"]

    def instant(self, expr: str) -> list[float]:
        """The values that a table or a bar shows, without those that show as nothing."""
        result = self.ask("query", query=expr)["result"]
        return [value for series in result if math.isfinite(value := float(series["value"][1]))]

    def over_time(self, expr: str) -> list[float]:
        """The values that a panel over time shows, without gaps."""
        found = self.ask("query_range", query=expr, start=self.began_at, end=time.time(), step=SCRAPE_S)
        values = (float(text) for series in found["result"] for _, text in series["values"])
        return [value for value in values if math.isfinite(value)]

    def label_values(self, selector: str, label: str) -> list[str]:
        found = self.ask(f"label/{label}/values", **{"match[]": selector})
        return [str(value) for value in found]


def hurried(definition: Definition) -> Definition:
    """The same objectives with rules that are evaluated often, and alerts that a short load can cause."""
    return replace(
        definition,
        prometheus=Prometheus(scrape_interval_s=SCRAPE_S, evaluation_interval_s=EVALUATION_S),
        objectives=tuple(
            replace(each, alerting=replace(each.alerting, minimum_failures=1))
            for each in definition.objectives
        ),
    )


def rules_file(definition: Definition) -> str:
    def written(rule: Recording | Alert) -> dict[str, Any]:
        labels = {name: str(value) for name, value in rule.labels.items()}
        if isinstance(rule, Alert):
            return {"alert": rule.alert, "expr": rule.expr, "for": f"{rule.for_s}s", "labels": labels}
        return {"record": rule.record, "expr": rule.expr, "labels": labels}

    groups = [
        {
            "name": group.name,
            "interval": f"{group.interval_s}s",
            "rules": [written(rule) for rule in group.rules],
        }
        for group in compile_rules(definition)
    ]
    return yaml.safe_dump({"groups": groups})


@contextlib.contextmanager
def prometheus(
    folder: Path, definition: Definition, *, service: int, faults: int
) -> Iterator[RunningPrometheus]:
    """Run Prometheus with the definition's rules, scraping a service and what tells of faults."""
    (folder / "rules.yaml").write_text(rules_file(definition))
    targets = [("jobs", service), ("faults", faults)]
    config = {
        "global": {"scrape_interval": f"{SCRAPE_S}s", "evaluation_interval": f"{EVALUATION_S}s"},
        "rule_files": ["rules.yaml"],
        "scrape_configs": [
            {"job_name": job, "static_configs": [{"targets": [f"127.0.0.1:{port}"], "labels": LABELS}]}
            for job, port in targets
        ],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    executable = shutil.which("prometheus")
    assert executable
    port = free_port()
    log = folder / "prometheus.log"
    began_at = time.time()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                executable,
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'tsdb'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=output,
            stderr=output,
        )
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False)
    try:
        until(lambda: _ready(client, process, log), "Prometheus is ready")
        yield RunningPrometheus(client, began_at)
    finally:
        client.close()
        process.terminate()
        process.wait(30)


def _ready(client: httpx.Client, process: subprocess.Popen[bytes], log: Path) -> bool:
    assert process.poll() is None, log.read_text()[-5000:]
    with contextlib.suppress(httpx.TransportError):
        return client.get("/-/ready").status_code == 200
    return False


@contextlib.contextmanager
def faults_told() -> Iterator[int]:
    """Serve the metric that an injector of faults would have; yields its port."""

    class Faults(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(FAULT)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Faults) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield int(server.server_address[1])
        server.shutdown()
        thread.join()


@contextlib.contextmanager
def observed(folder: Path, definition: Definition) -> Iterator[RunningPrometheus]:
    """Run all of it, with a load that misses an objective; yields when the alert on that fires."""
    with (
        running(folder, workers=2) as service,
        faults_told() as faults,
        prometheus(folder, hurried(definition), service=service.port, faults=faults) as observer,
    ):
        until(lambda: observer.instant('up{job="jobs"} == 1'), "the service is scraped")
        load(service)
        fires = 'ALERTS{alertname="SLOErrorBudgetBurn",sloth_slo="completion",alertstate="firing"}'
        until(lambda: observer.instant(fires), "an alert fires")
        yield observer


def load(service: RunningService) -> None:
    """Submit jobs, read them, make the mistakes that clients make; then submit jobs that take too long."""
    quick = [service.submit("digest", rounds=1000)]
    for _ in range(QUICK_JOBS - 1):
        quick.append(service.submit(duration_s=0.01))
        service.fresh.get(f"/jobs/{quick[-1]}")
        service.client.get("/jobs/none")
        service.client.post("/jobs", json={"kind": "dance", "params": {}})
    service.wait_for_state(quick, "succeeded")
    slow = [service.submit(duration_s=SLOW_S) for _ in range(SLOW_JOBS)]
    service.wait_for_state(slow, "succeeded")
