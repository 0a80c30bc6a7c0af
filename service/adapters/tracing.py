"""Spans of requests and job runs, sent by OTLP; imported only where an endpoint is set."""

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import structlog
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.adapters.http.context import TRACEPARENT_KEY
from service.adapters.http.endpoints import PROBES, UNMATCHED, method_of, route_of
from service.domain.job import LeasedJob

log = structlog.get_logger()

_SERVER_ERROR = 500
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

    def middleware(self, app: ASGIApp) -> ASGIApp:
        """Surround every request of the application with a span."""
        return TracingMiddleware(app, self)

    def start(self) -> None:
        """Export from now on."""
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))

    async def close(self) -> None:
        """Send what is left, for at most the time-out and a second; what is not sent by then is lost.

        The SDK alone would wait 30 s for an endpoint that is down. Its daemon thread is left behind.
        """
        loop = asyncio.get_running_loop()
        sent = asyncio.Event()

        def flush() -> None:
            self._provider.shutdown()
            loop.call_soon_threadsafe(sent.set)

        threading.Thread(target=flush, name="trace-flush", daemon=True).start()
        try:
            async with asyncio.timeout(self._timeout_s + 1):
                await sent.wait()
        except TimeoutError:
            log.warning("trace_flush_timed_out")

    def start_request(self, scope: Scope) -> Span:
        """Start the span of a request, as part of the trace its headers name, if any."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        route = route_of(scope["path"])
        method = method_of(scope["method"])
        attributes = {
            "http.request.method": method,
            "url.path": scope["path"],
            "url.scheme": scope["scheme"],
            "network.protocol.version": scope["http_version"],
        }
        if route != UNMATCHED:
            attributes["http.route"] = route
        if agent := headers.get("user-agent"):
            attributes["user_agent.original"] = agent
        return self._tracer.start_span(
            method if route == UNMATCHED else f"{method} {route}",
            context=_propagator.extract(headers, context=Context()),
            kind=SpanKind.SERVER,
            attributes=attributes,
        )

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


class TracingMiddleware:
    """One span a request; outside of ``RequestMiddleware``, which joins the logs to it."""

    def __init__(self, app: ASGIApp, tracing: Tracing) -> None:
        self._app = app
        self._tracing = tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; probes and anything but HTTP pass through."""
        if scope["type"] != "http" or scope["path"] in PROBES:
            await self._app(scope, receive, send)
            return
        span = self._tracing.start_request(scope)
        scope[TRACEPARENT_KEY] = _traceparent(span)

        async def observed(message: Message) -> None:
            if message["type"] == "http.response.start":
                span.set_attribute("http.response.status_code", message["status"])
                if message["status"] >= _SERVER_ERROR:
                    span.set_attribute("error.type", str(message["status"]))
                    span.set_status(Status(StatusCode.ERROR))
            await send(message)

        try:
            await self._app(scope, receive, observed)
        finally:
            span.end()


def _traceparent(span: Span) -> str:
    context = span.get_span_context()
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
