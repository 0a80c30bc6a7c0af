"""Spans of requests and job runs, sent by OTLP; imported only where an endpoint is set.

FastAPI makes the spans of requests by OpenTelemetry's conventions; the SDK behind them is set up here.
"""

import asyncio
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress

import structlog
from fastapi.telemetry import TelemetryConfig
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from service.domain.job import LeasedJob

log = structlog.get_logger()

_propagator = TraceContextTextMapPropagator()


class Tracing:
    """The tracer of this process; ``start`` it once the process runs, since exporting owns a thread."""

    def __init__(self, endpoint: str, *, headers: Mapping[str, str], timeout_s: float, version: str) -> None:
        # Left to itself the provider would export at interpreter exit too, without any bound.
        self._provider = TracerProvider(
            resource=Resource.create({"service.name": "jobs", "service.version": version}),
            shutdown_on_exit=False,
        )
        self._exporter = OTLPSpanExporter(
            endpoint=f"{endpoint.rstrip('/')}/v1/traces", headers=dict(headers), timeout=timeout_s
        )
        self._tracer = self._provider.get_tracer("service", version)
        self._timeout_s = timeout_s

    def start(self) -> None:
        """Export from now on."""
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))

    async def close(self) -> None:
        """Send what is left, for at most the time-out and a second; what is not sent by then is lost.

        The SDK has no bound of its own: it waits for each batch. Its daemon thread is left behind.
        """
        loop = asyncio.get_running_loop()
        sent = asyncio.Event()

        def flush() -> None:
            self._provider.shutdown()
            with suppress(RuntimeError):  # the loop did not wait so long
                loop.call_soon_threadsafe(sent.set)

        threading.Thread(target=flush, name="trace-flush", daemon=True).start()
        try:
            async with asyncio.timeout(self._timeout_s + 1):
                await sent.wait()
        except TimeoutError:
            log.warning("trace_flush_timed_out")

    def of_requests(self, *, without: Collection[str]) -> TelemetryConfig:
        """Return what makes FastAPI trace its requests, but not those to the paths ``without``."""
        return {
            "tracer_provider": self._provider,
            "operation_spans": False,
            "metrics": False,
            "logs": False,
            "auto_configure": False,
            "exclude": lambda scope: scope["path"] in without,
        }

    @contextmanager
    def job_span(self, job: LeasedJob) -> Iterator[None]:
        """Surround the running of an attempt with a span, in the trace of the request that submitted it."""
        carrier = {"traceparent": job.origin.traceparent} if job.origin.traceparent else {}
        with self._tracer.start_as_current_span(
            f"run {job.kind}",
            context=_propagator.extract(carrier, context=Context()),
            kind=SpanKind.CONSUMER,
            attributes={"job.id": job.lease.job_id, "job.kind": job.kind, "job.attempt": job.lease.attempt},
        ):
            yield

    def current_traceparent(self) -> str | None:
        """Return the W3C traceparent of the span that surrounds the caller, None without one."""
        carrier: dict[str, str] = {}
        _propagator.inject(carrier)
        return carrier.get("traceparent")
