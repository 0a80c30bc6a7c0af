"""The composition root: makes every part, joins them, and takes them down in order; nothing happens at import.

``uvicorn service.main:app`` and ``hypercorn service.main:app`` work too; docs/service.md says what they keep.
"""

import asyncio
import platform
import random
import sqlite3
import sys
import time
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

import structlog
from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from service import __version__
from service.adapters import logs
from service.adapters.http.endpoints import API
from service.adapters.http.middleware import RequestMiddleware
from service.adapters.http.probes import add_probes
from service.adapters.http.routes import add_routes
from service.adapters.metrics import CONTENT_TYPE, Build, Exposition, Instruments, looplag
from service.adapters.sqlite import SqliteJobs
from service.application import Jobs
from service.domain.job import LeasedJob
from service.domain.rules import RetryRule
from service.drain import Drain
from service.handlers import HANDLERS
from service.health import Readiness
from service.ports import AttemptScope, JobHandler, StoreUnavailableError
from service.settings import Settings, SettingsError
from service.worker import Worker, WorkerLimits

if TYPE_CHECKING:
    from service.adapters.tracing import Tracing

log = structlog.get_logger()

_MAX_BODY_BYTES = 64 * 1024


class SystemClock:
    """The time of day of this machine."""

    def now(self) -> float:
        """Return Unix seconds."""
        return time.time()


def create_app(
    settings: Settings,
    *,
    handlers: Sequence[JobHandler] = HANDLERS,
    drain: Drain | None = None,
    server: str = "native",
) -> FastAPI:
    """Make the application; nothing is opened before its lifespan. ``drain`` is begun by whoever stops it."""
    drain = drain or Drain()
    clock = SystemClock()
    kinds = [handler.kind for handler in handlers]
    instruments = Instruments(settings.latency_buckets_s)
    instruments.exist_at_zero(
        ((endpoint.method, endpoint.route, status) for endpoint in API for status in endpoint.statuses), kinds
    )
    store = SqliteJobs(settings.database, synchronous=settings.synchronous)
    tracing = _tracing(settings)
    worker = Worker(
        owner=_new_id(),
        store=store,
        handlers={handler.kind: handler for handler in handlers},
        clock=clock,
        observer=instruments,
        scope=_attempt_scope(tracing),
        limits=WorkerLimits(
            concurrency=settings.concurrency, lease_s=settings.lease_s, poll_s=settings.poll_s
        ),
        retry_rule=RetryRule(max_attempts=settings.max_attempts),
        rng=random.Random(),  # noqa: S311  # spreads polls, keeps no secret
    )
    drain.on_begin(lambda: worker.drain(within_s=settings.pre_stop_delay_s + settings.drain_grace_s))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.exposition = Exposition(
            instruments.registry, shared=settings.multiproc_dir, kinds=kinds, build=_build(settings, server)
        )
        async with AsyncExitStack() as parts:
            await store.open()
            parts.push_async_callback(store.close)
            if tracing is not None:
                tracing.start()
                parts.push_async_callback(tracing.close)
            await parts.enter_async_context(_watching_the_loop(instruments))
            await parts.enter_async_context(_working(worker, drain, grace_s=settings.drain_grace_s))
            yield

    async def scrape() -> bytes:
        try:
            census = await store.census()
        except StoreUnavailableError as exc:
            log.warning("census_failed", error=str(exc))
            census = None
        return await run_in_threadpool(app.state.exposition.render, census, now=clock.now())

    app = FastAPI(title="Jobs service", version=__version__, lifespan=lifespan, max_body_size=_MAX_BODY_BYTES)
    app.state.jobs = Jobs(store=store, clock=clock, observer=instruments, new_id=_new_id, wake=worker.wake)
    app.state.readiness = Readiness(
        store=store, worker_runs=lambda: worker.running, draining=lambda: drain.begun
    )
    add_routes(app, handlers)
    add_probes(app, scrape=scrape, content_type=CONTENT_TYPE)
    app.add_middleware(
        RequestMiddleware, observer=instruments, draining=lambda: drain.begun, new_request_id=_new_id
    )
    if tracing is not None:
        from service.adapters.tracing import TracingMiddleware  # noqa: PLC0415  # as in _tracing

        app.add_middleware(TracingMiddleware, tracing=tracing)
    return app


@asynccontextmanager
async def _working(worker: Worker, drain: Drain, *, grace_s: float) -> AsyncIterator[None]:
    """Run the worker; at the end drain it. A worker that crashed ends the process, to be replaced by a new one."""

    def crashed(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()):
            log.critical("worker_crashed", exc_info=error)
            drain.begin()

    task = asyncio.create_task(worker.run(), name="worker")
    task.add_done_callback(crashed)
    try:
        yield
    finally:
        worker.drain(within_s=grace_s)
        await task


@asynccontextmanager
async def _watching_the_loop(instruments: Instruments) -> AsyncIterator[None]:
    task = asyncio.create_task(looplag.watch(instruments), name="event-loop-lag")
    try:
        yield
    finally:
        task.cancel()


def _tracing(settings: Settings) -> "Tracing | None":
    if settings.otlp_endpoint is None:
        return None
    # Imported here, since without an endpoint OpenTelemetry is to cost nothing: 0.2 s and 20 MiB a process.
    from service.adapters.tracing import Tracing  # noqa: PLC0415

    return Tracing(
        str(settings.otlp_endpoint),
        headers=settings.header_pairs(),
        timeout_s=settings.otlp_timeout_s,
        version=__version__,
    )


def _attempt_scope(tracing: "Tracing | None") -> AttemptScope:
    if tracing is None:
        return logs.job_context

    @contextmanager
    def scope(job: LeasedJob) -> Iterator[None]:
        with ExitStack() as scopes:
            scopes.enter_context(logs.job_context(job))
            scopes.enter_context(tracing.job_span(job))
            yield

    return scope


def _build(settings: Settings, server: str) -> Build:
    loop = type(asyncio.get_running_loop())
    return Build(
        version=__version__,
        python=platform.python_version(),
        server=server,
        loop="uvloop" if any(base.__module__.startswith("uvloop") for base in loop.__mro__) else "asyncio",
        workers=str(settings.workers),
        sqlite=sqlite3.sqlite_version,
    )


def _new_id() -> str:
    return uuid.uuid4().hex


def __getattr__(name: str) -> FastAPI:
    """Make ``app`` when a server started by hand asks for it."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        settings = Settings.load()
    except SettingsError as exc:
        sys.exit(str(exc))
    logs.configure(settings.log_level)
    return create_app(settings)
