"""The text that Prometheus scrapes: all processes' instruments and vital signs, the store's gauges."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    ProcessCollector,
    generate_latest,
    multiprocess,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from service.domain.job import JobState
from service.ports import Census

CONTENT_TYPE = CONTENT_TYPE_LATEST


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """What is running; the labels of ``service_build_info``."""

    version: str
    python: str
    fastapi: str
    server: str
    server_version: str
    loop: str
    loop_version: str
    workers: str
    sqlite: str


class Exposition:
    """Renders everything at a scrape.

    ``shared`` is the folder of multiprocess mode, which prometheus_client enters when it is imported while
    PROMETHEUS_MULTIPROC_DIR is set. None: this process speaks for itself only.
    """

    def __init__(
        self, registry: CollectorRegistry, *, shared: Path | None, kinds: Iterable[str], build: Build
    ) -> None:
        self._registry = registry
        self._shared = shared
        self._kinds = tuple(kinds)
        self._build = build

    def render(self, census: Census | None, *, now: float) -> bytes:
        """Return the exposition; blocking, for a thread. Without a census the store's gauges are absent."""
        text = self._instruments()
        vitals = CollectorRegistry()
        vitals.register(_Vitals(self._live_pids()))
        vitals.register(_Families(self._gauges(census, now)))
        return text + generate_latest(vitals)

    def _instruments(self) -> bytes:
        if self._shared is None:
            return generate_latest(self._registry)
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry, path=str(self._shared))  # type: ignore[no-untyped-call]
        return generate_latest(registry)

    def _live_pids(self) -> list[int]:
        if self._shared is None:
            return [os.getpid()]
        # The supervisor removes the files of live gauges when a worker dies.
        return sorted(int(file.stem.rpartition("_")[2]) for file in self._shared.glob("gauge_livesum_*.db"))

    def _gauges(self, census: Census | None, now: float) -> Iterator[Metric]:
        labels = asdict(self._build)
        build = GaugeMetricFamily("service_build_info", "What is running.", labels=list(labels))
        build.add_metric(list(labels.values()), 1)
        yield build
        if census is None:
            return
        jobs = GaugeMetricFamily("jobs_in_state", "Jobs in the store.", labels=["state", "kind"])
        for state in JobState:
            for kind in self._kinds:
                jobs.add_metric([state, kind], census.jobs.get((state, kind), 0))
        yield jobs
        oldest = census.oldest_queued_at
        age_s = 0.0 if oldest is None else max(0.0, now - oldest)
        yield GaugeMetricFamily(
            "jobs_queue_oldest_age_seconds", "Age of the oldest queued job, 0 without one.", value=age_s
        )


class _Families(Collector):
    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = list(families)

    def collect(self) -> Iterable[Metric]:
        return self._families


class _Vitals(Collector):
    """The process collector's metrics of several processes, told apart by their IDs."""

    def __init__(self, pids: Iterable[int]) -> None:
        self._pids = tuple(pids)

    def collect(self) -> Iterable[Metric]:
        merged: dict[str, Metric] = {}
        for pid in self._pids:
            for family in ProcessCollector(pid=lambda pid=pid: pid, registry=None).collect():  # type: ignore[misc]
                target = merged.setdefault(
                    family.name, Metric(family.name, family.documentation, family.type)
                )
                for sample in family.samples:
                    target.add_sample(sample.name, {**sample.labels, "pid": str(pid)}, sample.value)
        return merged.values()
