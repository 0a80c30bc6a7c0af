"""The composition root: makes all parts, joins them, takes them down in order; nothing happens at import.

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
from dataclasses import dataclass
from functools import partial
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
from service.ports import AttemptScope, Clock, JobHandler, StoreUnavailableError
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Every part of one process, made but not opened. ``server`` is who serves it, for the build info."""

    settings: Settings
    handlers: Sequence[JobHandler]
    drain: Drain
    server: str
    clock: Clock
    instruments: Instruments
    store: SqliteJobs
    tracing: "Tracing | None"
    worker: Worker

    @property
    def kinds(self) -> list[str]:
        """The kinds of job there are."""
        return [handler.kind for handler in self.handlers]


def create_app(
    settings: Settings,
    *,
    handlers: Sequence[JobHandler] = HANDLERS,
    drain: Drain | None = None,
    server: str = "native",
) -> FastAPI:
    """Make the application; nothing is opened before its lifespan. ``drain`` is begun by whoever stops it."""
    parts = _assemble(settings, handlers, drain or Drain(), server)
    app = FastAPI(
        title="Jobs service",
        version=__version__,
        lifespan=lambda _: _lifespan(parts),
        max_body_size=_MAX_BODY_BYTES,
    )
    app.state.jobs = Jobs(
        store=parts.store,
        clock=parts.clock,
        observer=parts.instruments,
        new_id=_new_id,
        wake=parts.worker.wake,
    )
    app.state.readiness = Readiness(store=parts.store, worker=parts.worker, drain=parts.drain)
    add_routes(app, handlers)
    add_probes(app, scrape=partial(_scrape, parts), content_type=CONTENT_TYPE)
    app.add_middleware(
        RequestMiddleware,
        observer=parts.instruments,
        draining=lambda: parts.drain.begun,
        new_request_id=_new_id,
    )
    if parts.tracing is not None:
        app.add_middleware(parts.tracing.middleware)
    return app


def _assemble(settings: Settings, handlers: Sequence[JobHandler], drain: Drain, server: str) -> Parts:
    clock = SystemClock()
    instruments = Instruments(settings.latency_buckets_s)
    instruments.exist_at_zero(
        ((endpoint.method, endpoint.route, status) for endpoint in API for status in endpoint.statuses),
        (handler.kind for handler in handlers),
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
    return Parts(
        settings=settings,
        handlers=handlers,
        drain=drain,
        server=server,
        clock=clock,
        instruments=instruments,
        store=store,
        tracing=tracing,
        worker=worker,
    )


@asynccontextmanager
async def _lifespan(parts: Parts) -> AsyncIterator[None]:
    """Open the parts; at the end drain the jobs, flush the telemetry and close the store, in this order."""
    async with AsyncExitStack() as opened:
        await parts.store.open()
        opened.push_async_callback(parts.store.close)
        if parts.tracing is not None:
            parts.tracing.start()
            opened.push_async_callback(parts.tracing.close)
        await opened.enter_async_context(_watching_the_loop(parts.instruments))
        await opened.enter_async_context(_working(parts))
        yield


async def _scrape(parts: Parts) -> bytes:
    try:
        census = await parts.store.census()
    except StoreUnavailableError as exc:
        log.warning("census_failed", error=str(exc))
        census = None
    exposition = Exposition(
        parts.instruments.registry,
        shared=parts.settings.multiproc_dir,
        kinds=parts.kinds,
        build=_build(parts),
    )
    # Merging the files of many processes takes tens of milliseconds, which are not the event loop's.
    return await run_in_threadpool(exposition.render, census, now=parts.clock.now())


@asynccontextmanager
async def _working(parts: Parts) -> AsyncIterator[None]:
    """Run the worker, and drain it at the end. One that crashed ends the process, which is then replaced."""

    def crashed(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()):
            log.critical("worker_crashed", exc_info=error)
            parts.drain.begin()

    task = asyncio.create_task(parts.worker.run(), name="worker")
    task.add_done_callback(crashed)
    try:
        yield
    finally:
        parts.worker.drain(within_s=parts.settings.drain_grace_s)
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


def _build(parts: Parts) -> Build:
    loop = type(asyncio.get_running_loop())
    return Build(
        version=__version__,
        python=platform.python_version(),
        server=parts.server,
        loop="uvloop" if any(base.__module__.startswith("uvloop") for base in loop.__mro__) else "asyncio",
        workers=str(parts.settings.workers),
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
