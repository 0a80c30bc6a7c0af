"""Each server behind one face: serve an application on a socket that is there already, stop when told.

The application's lifespan and the process's signals are not theirs: ``serving`` owns both, the same for all.
"""

import asyncio
import logging
import math
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, Protocol, TypeAlias

import hypercorn.asyncio
import hypercorn.config
import uvicorn
import uvloop
from starlette.types import ASGIApp, Receive, Scope, Send

from service.listener import BACKLOG

ServerName: TypeAlias = Literal["uvicorn", "hypercorn"]


class Server(Protocol):
    """A web server in this process."""

    async def serve(self) -> None:
        """Serve until stopped, then until the requests in flight are answered or the grace is over."""

    def stop(self) -> None:
        """Answer the requests in flight and no more."""


class ListenerLoop(uvloop.Loop):
    """An event loop that knows its listening servers, so that they can be closed before the connections are.

    Both servers close their listener and their idle connections at once, which resets a connection that was
    accepted but whose request has not arrived yet.
    """

    def __init__(self) -> None:
        super().__init__()
        self._listeners: list[asyncio.AbstractServer] = []
        self.listening = asyncio.Event()

    async def create_server(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  # uvloop's signature
        """Create a server and remember it."""
        listener = await super().create_server(*args, **kwargs)
        self._listeners.append(listener)
        self.listening.set()
        return listener

    def stop_listening(self) -> None:
        """Accept no more connections; those there are stay."""
        for listener in self._listeners:
            listener.close()


class UvicornServer:
    """uvicorn with httptools."""

    def __init__(self, app: ASGIApp, listener: socket.socket, *, grace_s: float) -> None:
        self._listener = listener
        self._server = _UvicornWithoutSignals(
            uvicorn.Config(
                app,
                loop="none",
                http="httptools",
                ws="none",
                lifespan="off",
                interface="asgi3",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                backlog=BACKLOG,
                timeout_graceful_shutdown=math.ceil(grace_s),
            )
        )

    async def serve(self) -> None:
        """Serve until stopped."""
        await self._server.serve([self._listener])

    def stop(self) -> None:
        """Stop within the grace."""
        self._server.should_exit = True


class _UvicornWithoutSignals(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # uvicorn would raise the signal again after its shutdown, which ends the process with a status not 0.
        yield


class HypercornServer:
    """hypercorn with h11."""

    def __init__(self, app: ASGIApp, listener: socket.socket, *, grace_s: float) -> None:
        self._app = _WithoutLifespan(app)
        self._stopped = asyncio.Event()
        config = _HypercornOnSocket(listener)
        config.backlog = BACKLOG
        config.graceful_timeout = grace_s
        config.errorlog = logging.getLogger("hypercorn.error")
        config.keep_alive_max_requests = sys.maxsize  # as uvicorn, for comparisons
        self._config = config

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


class _HypercornOnSocket(hypercorn.config.Config):
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


class MakeServer(Protocol):
    """How a server is made."""

    def __call__(self, app: ASGIApp, listener: socket.socket, *, grace_s: float) -> Server:
        """Make it; requests in flight get ``grace_s`` seconds when it stops."""


SERVERS: dict[ServerName, MakeServer] = {"uvicorn": UvicornServer, "hypercorn": HypercornServer}
