"""Small runs on disk made of invented facts, for tests of whatever reads runs."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sloproof.analysis.samples import Phase, Samples
from sloproof.experiment.plan import configurations
from sloproof.experiment.record import BackendName, Part, Stop, TrialRecord
from sloproof.experiment.runfolder import RunFacts, RunFolder
from sloproof.experiment.summary import summarise
from sloproof.load.files import write_jobs, write_samples
from sloproof.load.ledger import Accepted, Reading
from sloproof.load.protocol import PhaseFacts
from sloproof.report.histograms import Histograms

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sloproof.analysis.results import Results
    from sloproof.observe.pressure import Pressure

ROOT = Path(__file__).parents[1]
REQUESTS = "http_server_request_duration_seconds"
ENDPOINTS = ("POST /jobs", "GET /jobs/{id}")
BOUNDS = ("0.1", "0.25", "2.0", "+Inf")
ENVIRONMENT = {
    "machine": "x86_64",
    "cpu": "a processor",
    "cpus": 2,
    "memory_bytes": 2**34,
    "load_average": [0.1, 0.1, 0.1],
    "kernel": "Linux 6",
    "python": "3.13.0",
    "packages": {"locust": "2.47.0"},
    "commit": None,
    "changed": False,
}
CONTAINERS = {"engine": {"version": "20.10"}, "images": {"service": "sha256:0123"}}
PORT_PROXY = {
    "direct_median_s": 0.0005,
    "published_median_s": 0.0006,
    "added_median_s": 0.0001,
    "added_p99_s": 0.0002,
    "requests": 200,
}


def facts(**changes: float | None) -> PhaseFacts:
    """Return the facts of a generator that kept to its schedule."""
    kept = {
        "scheduled": 2000,
        "sent": 2000,
        "completed": 2000,
        "bad": 0,
        "queued": 0,
        "backlog_at_start": 0,
        "backlog_max": 0,
        "unfinished": 0,
        "elapsed_s": 7.0,
        "dispatch_lag_p50_s": 0.0005,
        "dispatch_lag_p99_s": 0.002,
        "dispatch_lag_max_s": 0.004,
        "start_lag_p99_s": 0.003,
        "cpu_ratio": 0.2,
        "wait_ratio": 0.01,
    }
    return PhaseFacts(phase=Phase.LOAD, **{**kept, **changes})  # type: ignore[arg-type]


@dataclass(frozen=True, kw_only=True)
class InventedTrial:
    """A trial of `requests` an endpoint and as many jobs, all of them `latency_s` long and all well."""

    configuration: str
    block: int = 1
    requests: int = 1000
    latency_s: float = 0.02
    server_latency_s: float | None = None
    slow: int = 0
    statuses: dict[int, int] = field(default_factory=dict)
    drain_outcomes: Sequence[str] = ("answered", "refused")
    readings: dict[int, Reading] = field(default_factory=dict)
    stop: Stop = field(default_factory=lambda: Stop(died_before=False, exit_status=0))
    generator: PhaseFacts = field(default_factory=facts)
    miscounted: int = 0
    pressure: Pressure | None = None

    def write(self, run: RunFolder) -> TrialRecord:
        """Write the trial's files, and return its record."""
        record = TrialRecord(
            folder=f"b{self.block:02}-{self.configuration}",
            block=self.block,
            configuration=self.configuration,
            repeat=0,
            seed=7,
            started_at=1.7e9 + self.block,
            seconds={Part.START: 1.0, Part.WARMUP: 1.5, Part.LOAD: 7.0, Part.STOP: 0.5},
            generator=self.generator,
            stop=self.stop,
            pressure=self.pressure,
        )
        folder = run.trial(record.folder)
        folder.state.mkdir(parents=True)
        write_samples(folder.path, self._samples(), epoch_unix_s=1.7e9)
        ended = Reading(found=True, state="succeeded", attempt=1, completions=1, finished_at_s=1.7e9 + 0.1)
        jobs = [
            Accepted(location=f"/jobs/{n}", phase=Phase.LOAD, intended_at_s=1.7e9)
            for n in range(self.requests)
        ]
        write_jobs(folder.path, jobs, [self.readings.get(n, ended) for n in range(self.requests)])
        folder.metrics_before.write_text(self._metrics(0, 0.0))
        folder.metrics_after.write_text(
            self._metrics(self.requests + self.miscounted, self.server_latency_s or self.latency_s)
        )
        return record

    def _samples(self) -> Samples:
        load, drain = 2 * self.requests, len(self.drain_outcomes)
        n = load + drain
        intended = np.arange(n) / 300
        latency = np.full(n, self.latency_s)
        latency[: 2 * self.slow] = 1.0
        status = np.array([202, 200] * (n // 2) + [202] * (n % 2), dtype=np.int16)
        for at, value in self.statuses.items():
            status[at] = value
        outcome = np.array(["answered"] * load + list(self.drain_outcomes))
        start = np.where(outcome == "unsent", nan, intended + 0.0002)
        outcome = np.where(outcome == "unsent", "unfinished", outcome)
        unanswered = outcome != "answered"
        status[unanswered] = 0
        end = np.where(unanswered, nan, intended + latency)
        return Samples(
            phase=np.array(["load"] * load + ["drain"] * drain),
            endpoint=np.array([ENDPOINTS[i % 2] for i in range(n)]),
            intended_s=intended,
            dispatched_s=intended + 0.0001,
            start_s=start,
            end_s=end,
            status=status,
            outcome=outcome,
        )

    def _metrics(self, count: int, latency_s: float) -> str:
        lines = []
        for endpoint, status in zip(ENDPOINTS, ("202", "200"), strict=True):
            method, _, route = endpoint.partition(" ")
            labels = (
                f'http_request_method="{method}",http_route="{route}",http_response_status_code="{status}"'
            )
            lines += [
                f"{REQUESTS}_count{{{labels}}} {count}",
                f"{REQUESTS}_sum{{{labels}}} {count * latency_s}",
            ]
            for bound in BOUNDS:
                below = count if latency_s <= float(bound) else 0
                lines.append(f'{REQUESTS}_bucket{{{labels},le="{bound}"}} {below}')
        lines += [f'job_end_to_end_seconds_bucket{{kind="sleep",le="2.0"}} {count}']
        lines += [f'job_end_to_end_seconds_count{{kind="sleep"}} {count}']
        lines += [f'service_worker_requests{{pid="{pid}"}} {count}' for pid in (11, 12)]
        lines += [f'process_cpu_seconds_total{{pid="{pid}"}} {count / 1000}' for pid in (11, 12)]
        lines += ['service_build_info{server="uvicorn",loop="uvloop"} 1', ""]
        return "\n".join(lines)


HOSTILE = (
    "</script><script>alert('x')</script>",
    """<img src=x onerror="alert('y')"> & `quotes` "double" @everyone #1 | _*~$[x](http://x.invalid)""",
    "=HYPERLINK(1) \N{PILE OF POO}\N{FAMILY} \N{RIGHT-TO-LEFT OVERRIDE}\N{HEBREW LETTER ALEF} {{ 7 }} <!--",
    "y" * 200,
)


def renamed(results: Results) -> Results:
    """Return results in which whatever a person or a program can name is hostile."""
    wicked = " ".join(HOSTILE)
    names = {each.name: f"{HOSTILE[n % 4]} {n}" for n, each in enumerate(results.objectives)}
    configurations = {each.id: f"{HOSTILE[n % 4]} {n}" for n, each in enumerate(results.configurations)}
    return replace(
        results,
        experiment=wicked,
        description=wicked,
        service=wicked,
        objectives=tuple(
            replace(each, name=names[each.name], description=wicked) for each in results.objectives
        ),
        configurations=tuple(
            replace(
                each,
                id=configurations[each.id],
                factors={wicked: wicked},
                objectives=tuple(
                    replace(one, name=names[one.name], reason=wicked, finding=wicked)
                    for one in each.objectives
                ),
            )
            for each in results.configurations
        ),
        comparisons=tuple(
            replace(
                each,
                baseline=configurations[each.baseline],
                current=configurations[each.current],
                metric=replace(each.metric, name=wicked),
                reason=wicked,
            )
            for each in results.comparisons
        ),
        trials=tuple(
            replace(
                each,
                configuration=configurations[each.configuration],
                valid=each.valid and each.block > 1,
                problems=(wicked, "\x00\x1b[31m control \x0b"),
                integrity=replace(each.integrity, violations=(wicked,)),
                observations={names[name]: seen for name, seen in each.observations.items()},
                subject_build={wicked: wicked},
                requests_by_worker={wicked: 1},
            )
            for each in results.trials
        ),
    )


def reported(run: RunFolder) -> tuple[Results, Histograms]:
    """Return what every report of a run is made of."""
    histograms = Histograms()
    return summarise(run, seen=lambda trial: histograms.add(trial.result, trial.scored)), histograms


class Invention:
    """A run whose trials are invented; everything that reads it is real."""

    def __init__(
        self,
        root: Path,
        *,
        backend: BackendName = BackendName.PROCESS,
        calibration: Mapping[str, Any] | None = None,
        environment: Mapping[str, Any] = ENVIRONMENT,
    ) -> None:
        measured = {} if backend is BackendName.PROCESS else {"port_proxy": PORT_PROXY}
        self.folder = RunFolder.create(root, name="quick", now=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
        self.configurations = configurations({"server": ["uvicorn", "hypercorn"], "workers": ["1", "4"]})
        shutil.copyfile(ROOT / "experiments" / "quick.yaml", self.folder.experiment)
        shutil.copyfile(ROOT / "slo" / "jobs.yaml", self.folder.definition)
        self.folder.write_facts(
            RunFacts(
                started_at="2026-01-02T03:04:05+00:00",
                source="../../experiments/quick.yaml",
                inputs={"experiment": "0e", "slo": "05", "locustfile": "10c"},
                blocks=6,
                seed=1,
                backend=backend,
                backend_reason="asked for",
                subject={} if backend is BackendName.PROCESS else CONTAINERS,
                calibration={**measured, **(calibration or {})},
                environment=environment,
            )
        )

    def add(self, trial: InventedTrial) -> TrialRecord:
        """Add a finished trial."""
        record = trial.write(self.folder)
        self.folder.append(record)
        return record

    def fill(self, **trials: InventedTrial) -> None:
        """Add six blocks in which every configuration is well, or as given under its name with _ for -."""
        for block in range(1, 7):
            for each in self.configurations:
                given = trials.get(each.id.replace("-", "_"), InventedTrial(configuration=each.id))
                self.add(replace(given, configuration=each.id, block=block))
