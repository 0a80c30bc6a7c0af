"""What this process counts and times, under the names that SLOs refer to; knows no HTTP framework.

In multiprocess mode (see ``Exposition``) each value lives in a file that outlives the process.
"""

import gc
from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from service.domain.job import JobState
from service.ports import JobEnded

_REQUEST = ("http_request_method", "http_route")
_LOOP_LAG_BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_ENDED = (JobState.SUCCEEDED, JobState.FAILED)


class Instruments:
    """All instruments, in a registry of their own; told about jobs, requests and the event loop."""

    def __init__(self, bounds_s: Sequence[float]) -> None:
        self.registry = CollectorRegistry()
        registry = self.registry
        self._requests = Histogram(
            "http_server_request_duration_seconds",
            "Time from the request's arrival to the last byte of its answer.",
            (*_REQUEST, "http_response_status_code"),
            buckets=bounds_s,
            registry=registry,
        )
        self._active = Gauge(
            "http_server_active_requests",
            "Requests being answered.",
            _REQUEST,
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._answered = Gauge(
            "service_worker_requests",
            "Requests to the API answered by each worker process, the dead ones too.",
            registry=registry,
            multiprocess_mode="all",
        )
        self._submitted = Counter("jobs_submitted", "Jobs accepted.", ("kind",), registry=registry)
        self._finished = Counter("jobs_finished", "Jobs ended.", ("kind", "outcome"), registry=registry)
        self._wait = Histogram(
            "job_wait_seconds",
            "Time an attempt could have been started before it was.",
            ("kind",),
            buckets=bounds_s,
            registry=registry,
        )
        self._run = Histogram(
            "job_run_seconds",
            "Time of the attempt that ended the job.",
            ("kind",),
            buckets=bounds_s,
            registry=registry,
        )
        self._end_to_end = Histogram(
            "job_end_to_end_seconds",
            "Time from the job's submission to its end.",
            ("kind",),
            buckets=bounds_s,
            registry=registry,
        )
        self._loop_lag = Histogram(
            "event_loop_lag_seconds",
            "How much later than asked the event loop resumed a task.",
            buckets=_LOOP_LAG_BOUNDS_S,
            registry=registry,
        )
        self._collections = Counter(
            "python_gc_collections", "Runs of the garbage collector.", ("generation",), registry=registry
        )
        self._collected = Counter(
            "python_gc_objects_collected",
            "Objects freed by the garbage collector.",
            ("generation",),
            registry=registry,
        )
        self._gc_before = [{"collections": 0, "collected": 0} for _ in gc.get_stats()]

    def exist_at_zero(self, requests: Iterable[tuple[str, str, int]], kinds: Iterable[str]) -> None:
        """Make the label sets (method, route, status) and kinds before the first event.

        Prometheus sees no increase in a series that begins at its first event: the first error would be lost.
        """
        for method, route, status in requests:
            self._requests.labels(method, route, str(status))
            self._active.labels(method, route)
        for kind in kinds:
            self._submitted.labels(kind)
            for histogram in (self._wait, self._run, self._end_to_end):
                histogram.labels(kind)
            for outcome in _ENDED:
                self._finished.labels(kind, outcome)

    def request_started(self, method: str, route: str) -> None:
        """Note that a request arrived."""
        self._active.labels(method, route).inc()

    def request_finished(self, method: str, route: str, status: int, duration_s: float) -> None:
        """Note that a request was answered or given up."""
        self._active.labels(method, route).dec()
        self._requests.labels(method, route, str(status)).observe(duration_s)
        self._answered.inc()

    def submitted(self, kind: str) -> None:
        """Note that a job was accepted."""
        self._submitted.labels(kind).inc()

    def started(self, kind: str, *, wait_s: float) -> None:
        """Note that an attempt began."""
        self._wait.labels(kind).observe(wait_s)

    def ended(self, facts: JobEnded) -> None:
        """Note that a job ended."""
        self._finished.labels(facts.kind, facts.state).inc()
        self._end_to_end.labels(facts.kind).observe(facts.end_to_end_s)
        if facts.run_s is not None:
            self._run.labels(facts.kind).observe(facts.run_s)

    def loop_lagged(self, lag_s: float) -> None:
        """Note how late the event loop was."""
        self._loop_lag.observe(lag_s)

    def collect_garbage_statistics(self) -> None:
        """Count the collector's runs since the last call.

        Called now and then, not from ``gc.callbacks``: a collection can begin while a metric's lock is held.
        """
        stats = gc.get_stats()
        for generation, (before, after) in enumerate(zip(self._gc_before, stats, strict=True)):
            self._collections.labels(str(generation)).inc(after["collections"] - before["collections"])
            self._collected.labels(str(generation)).inc(after["collected"] - before["collected"])
        self._gc_before = stats
