"""uvicorn, with httptools."""

import math
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from service.listener import BACKLOG


class UvicornServer:
    """uvicorn on our socket, without its signal handlers, lifespan and access log."""

    def __init__(self, app: ASGIApp, listener: socket.socket, *, grace_s: float) -> None:
        self._listener = listener
        self._server = _WithoutSignals(
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


class _WithoutSignals(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # uvicorn would raise the signal again after its shutdown, which ends the process with a status not 0.
        yield
