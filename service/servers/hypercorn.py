"""hypercorn, with h11."""

import asyncio
import logging
import socket
import sys

import hypercorn.asyncio
import hypercorn.config
from starlette.types import ASGIApp, Receive, Scope, Send

from service.listener import BACKLOG


class HypercornServer:
    """hypercorn on our socket, without its signal handlers, lifespan and access log."""

    def __init__(self, app: ASGIApp, listener: socket.socket, *, grace_s: float) -> None:
        self._app = _WithoutLifespan(app)
        self._stopped = asyncio.Event()
        self._config = _OnSocket(listener)
        self._config.backlog = BACKLOG
        self._config.graceful_timeout = grace_s
        self._config.errorlog = logging.getLogger("hypercorn.error")
        self._config.keep_alive_max_requests = sys.maxsize  # as uvicorn, for comparisons

    async def serve(self) -> None:
        """Serve until stopped."""
        await hypercorn.asyncio.serve(
            self._app,  # type: ignore[arg-type]  # it takes any ASGI application, its types only its own events
            self._config,
            shutdown_trigger=self._stopped.wait,
            mode="asgi",
        )

    def stop(self) -> None:
        """Stop within the grace."""
        self._stopped.set()


class _OnSocket(hypercorn.config.Config):
    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener

    def create_sockets(self) -> hypercorn.config.Sockets:
        return hypercorn.config.Sockets([], [self._listener], [])


class _WithoutLifespan:
    """An application whose lifespan somebody else runs; hypercorn cannot be told so."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return
        for event in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{event}.complete"})
