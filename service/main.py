"""The application: the parts behind HTTP, opened and taken down in order; nothing happens at import.

``uvicorn service.main:app`` and ``hypercorn service.main:app`` work too; docs/service.md says what they keep.
"""

import asyncio
import platform
import sqlite3
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache, partial
from importlib import metadata
from typing import get_args

import structlog
from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from service import __version__
from service.adapters import logs
from service.adapters.http.endpoints import PROBES
from service.adapters.http.middleware import RequestMiddleware
from service.adapters.http.probes import add_probes
from service.adapters.http.routes import add_routes
from service.adapters.metrics import CONTENT_TYPE, Build, Exposition, Instruments, looplag
from service.drain import Drain
from service.handlers import HANDLERS
from service.parts import Parts, assemble, new_id
from service.ports import JobHandler, StoreUnavailableError
from service.servers import ServerName
from service.settings import Settings, SettingsError

log = structlog.get_logger()

_MAX_BODY_BYTES = 64 * 1024
_NATIVE = "native"


def create_app(
    settings: Settings,
    *,
    handlers: Sequence[JobHandler] = HANDLERS,
    drain: Drain | None = None,
    server: str = _NATIVE,
) -> FastAPI:
    """Make the application; nothing is opened before its lifespan. ``drain`` is begun by whoever stops it."""
    parts = assemble(settings, handlers, drain=drain or Drain(), server=server)
    application = FastAPI(
        title="Jobs service",
        version=__version__,
        lifespan=lambda _: _lifespan(parts),
        max_body_size=_MAX_BODY_BYTES,
        telemetry=parts.tracing.of_requests(without=PROBES),
    )
    application.state.jobs = parts.jobs
    application.state.readiness = parts.readiness
    add_routes(application, handlers)
    add_probes(application, scrape=partial(_scrape, parts), content_type=CONTENT_TYPE)
    application.add_middleware(
        RequestMiddleware,
        observer=parts.instruments,
        draining=lambda: parts.drain.begun,
        new_request_id=new_id,
        current_traceparent=parts.tracing.current_traceparent,
    )
    return application


@asynccontextmanager
async def _lifespan(parts: Parts) -> AsyncIterator[None]:
    """Open the parts; at the end drain the jobs, flush the telemetry and close the store, in this order."""
    async with AsyncExitStack() as opened:
        await parts.store.open()
        opened.push_async_callback(parts.store.close)
        parts.tracing.start()
        opened.push_async_callback(parts.tracing.close)
        await opened.enter_async_context(_watching_the_loop(parts.instruments))
        await opened.enter_async_context(_working(parts))
        yield


@asynccontextmanager
async def _watching_the_loop(instruments: Instruments) -> AsyncIterator[None]:
    task = asyncio.create_task(looplag.watch(instruments), name="event-loop-lag")
    try:
        yield
    finally:
        task.cancel()


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


def _build(parts: Parts) -> Build:
    python = platform.python_version()
    loop = type(asyncio.get_running_loop())
    on_uvloop = any(base.__module__.startswith("uvloop") for base in loop.__mro__)
    return Build(
        version=__version__,
        python=python,
        fastapi=_version("fastapi"),
        server=parts.server,
        server_version=_native_server() if parts.server == _NATIVE else _version(parts.server),
        loop="uvloop" if on_uvloop else "asyncio",
        loop_version=_version("uvloop") if on_uvloop else python,
        workers=str(parts.settings.workers),
        sqlite=sqlite3.sqlite_version,
    )


def _native_server() -> str:
    """Return name and version of the server that was started by hand: the one that is imported."""
    return ", ".join(f"{name} {_version(name)}" for name in get_args(ServerName) if name in sys.modules)


# A look into the package's files, which later scrapes are spared.
_version = cache(metadata.version)


class _Native:
    """The application for servers started by hand, made when they start it."""

    def __init__(self) -> None:
        self._app: FastAPI | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._app is None:
            try:
                settings = Settings.load()
            except SettingsError as exc:
                await receive()
                await send({"type": "lifespan.startup.failed", "message": str(exc)})
                return
            logs.configure(settings.log_level)
            self._app = create_app(settings)
        await self._app(scope, receive, send)


app = _Native()
