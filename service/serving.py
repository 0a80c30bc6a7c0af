"""One worker process: ``python -m service.serving`` with the descriptors that the supervisor passes.

It ends by SIGTERM, or when the supervisor's end of the life pipe closes because the supervisor died.
"""

import asyncio
import signal
import socket
import sys
from collections.abc import Coroutine
from typing import cast

import structlog
from fastapi import FastAPI

from service.adapters import logs
from service.channel import CLOSED, PREPARED, READY, Descriptors
from service.drain import Drain
from service.main import create_app
from service.ports import StoreUnavailableError
from service.servers import make_server
from service.servers.loop import ListenerLoop, loop_factory
from service.settings import Settings, SettingsError

log = structlog.get_logger()

# After the listener is closed, connections just accepted get this long to send their request.
_LINGER_S = 0.2


async def serve(settings: Settings, shared: Descriptors) -> None:
    """Serve until told to drain, then leave in order; needs a ``ListenerLoop``.

    Raise if the server ends by itself or the worker crashed.
    """
    loop = cast("ListenerLoop", asyncio.get_running_loop())
    drain = Drain()
    loop.add_signal_handler(signal.SIGTERM, drain.begin)
    _drain_at_eof(loop, shared.life, drain)
    app = create_app(settings, drain=drain, server=settings.server)
    async with app.router.lifespan_context(app):
        shared.report(PREPARED)
        await _gate_or_drain(loop, shared.gate, drain)
        if not drain.begun:
            await _serve_until_drained(app, settings, shared, drain)
    log.info("worker_stopped")


async def _serve_until_drained(app: FastAPI, settings: Settings, shared: Descriptors, drain: Drain) -> None:
    loop = cast("ListenerLoop", asyncio.get_running_loop())
    listener = socket.socket(fileno=shared.listener)
    server = make_server(settings.server, app, listener, grace_s=settings.drain_grace_s)
    serving = asyncio.create_task(server.serve(), name="server")
    await _unless_ended(serving, loop.listening.wait())
    log.info("worker_ready", server=settings.server, loop=settings.loop)
    shared.report(READY)
    await _unless_ended(serving, drain.wait())
    log.info("worker_draining")
    # Still listening: whoever routes traffic is to see /readyz turn before anything is refused.
    await _unless_ended(serving, asyncio.sleep(settings.pre_stop_delay_s))
    loop.stop_listening()
    shared.report(CLOSED)
    await asyncio.sleep(_LINGER_S)
    server.stop()
    await serving


async def _gate_or_drain(loop: asyncio.AbstractEventLoop, gate: int, drain: Drain) -> None:
    """Wait until all workers are ready, or until there is no longer any reason to serve."""
    opened = asyncio.Event()
    loop.add_reader(gate, opened.set)
    waits = {asyncio.ensure_future(opened.wait()), asyncio.ensure_future(drain.wait())}
    _, pending = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in pending:
        wait.cancel()
    loop.remove_reader(gate)


def _drain_at_eof(loop: asyncio.AbstractEventLoop, life: int, drain: Drain) -> None:
    def ended() -> None:
        loop.remove_reader(life)
        log.warning("supervisor_gone")
        drain.begin()

    loop.add_reader(life, ended)


async def _unless_ended(serving: asyncio.Task[None], other: Coroutine[None, None, object]) -> None:
    """Wait for the other, and raise if the server ends before it."""
    task = asyncio.ensure_future(other)
    await asyncio.wait({serving, task}, return_when=asyncio.FIRST_COMPLETED)
    if serving.done():
        task.cancel()
        serving.result()
        raise RuntimeError("the server stopped by itself")


def main(arguments: list[str]) -> None:
    """Run one worker process with the descriptors of the listener, the life pipe and the report pipe."""
    try:
        settings = Settings.load()
    except SettingsError as exc:
        sys.exit(str(exc))
    logs.configure(settings.log_level)
    try:
        with asyncio.Runner(loop_factory=loop_factory(settings.loop)) as runner:
            runner.run(serve(settings, Descriptors.parse(arguments)))
    except StoreUnavailableError as exc:
        log.critical("worker_failed", error=str(exc))
        sys.exit(1)
    except Exception:
        log.critical("worker_failed", exc_info=True)
        sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
