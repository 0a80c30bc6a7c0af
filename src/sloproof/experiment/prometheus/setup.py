"""How the Prometheus of a run is set up, as texts: flags, configuration, targets; it starts nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import yaml

from sloproof.compile.conventions import JOB
from sloproof.compile.dashboards.experiments import CONFIGURATION, RUN, TRIAL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sloproof.slo.definition import Definition

BLOCK = "block"
CONFIG, DATA, TARGETS = "prometheus.yml", "data", "targets"
"""What lies in its folder, which is the run's folder `prometheus`."""
TARGET_FILE = "trial.json"
# It has nothing to look for but a file that is told to it when it changes, and would wait 5 s each time.
DISCOVERY_RELOAD = "100ms"
DISCOVERED_WITHIN_S = 5.5
"""Prometheus hands on what it discovers once in 5 s at most, and no flag changes that."""


def flags(folder: str, *, port: int | str) -> list[str]:
    """Return its command line, but for its name; `folder` is where its files are, as it sees them.

    They are understood from Prometheus 2.42 to 3. Series are kept for good: the run's folder is.
    """
    return [
        f"--config.file={folder}/{CONFIG}",
        f"--storage.tsdb.path={folder}/{DATA}",
        "--storage.tsdb.retention.time=100y",
        f"--scrape.discovery-reload-interval={DISCOVERY_RELOAD}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]


def configuration(*, scrape_interval_s: float, metrics_path: str) -> str:
    """Return its configuration: one job, whose targets come and go in files.

    A scrape may take as long as the next is away, which is the most that Prometheus allows.
    """
    every = f"{round(scrape_interval_s * 1000)}ms"
    return yaml.safe_dump(
        {
            "global": {"scrape_interval": every, "scrape_timeout": every},
            "scrape_configs": [
                {
                    "job_name": "subject",
                    "metrics_path": metrics_path,
                    "file_sd_configs": [{"files": [f"{TARGETS}/*.json"]}],
                }
            ],
        },
        sort_keys=False,
    )


def labels(definition: Definition, *, run: str, trial: str, configuration: str, block: int) -> dict[str, str]:
    """Return the labels of a trial's target: its own, as the Experiments dashboard names them, and the job.

    What the definition selects its metrics by goes onto every series, so that its queries find them.
    """
    return {
        JOB: definition.service,
        **definition.metrics.matchers,
        RUN: run,
        TRIAL: trial,
        CONFIGURATION: configuration,
        BLOCK: str(block),
    }


def target_group(address: str, labels: Mapping[str, str]) -> str:
    """Return the file by which it finds one target."""
    return json.dumps([{"targets": [address], "labels": dict(labels)}], ensure_ascii=False)


NO_TARGET = "[]"
