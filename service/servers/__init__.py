"""Each server behind one face: serve an application on a socket that is there already, stop when told.

The application's lifespan and the process's signals are not theirs: ``serving`` owns both, the same for all.
"""

import socket
from typing import Literal, Protocol, TypeAlias, assert_never

from starlette.types import ASGIApp

ServerName: TypeAlias = Literal["uvicorn", "hypercorn"]


class Server(Protocol):
    """A web server in this process."""

    async def serve(self) -> None:
        """Serve until stopped, then until the requests in flight are answered or the grace is over."""

    def stop(self) -> None:
        """Answer the requests in flight and no more."""


def make_server(name: ServerName, app: ASGIApp, listener: socket.socket, *, grace_s: float) -> Server:
    """Make the server of this name; requests in flight get ``grace_s`` seconds when it stops.

    Only the one asked for is imported, so that no server's start and memory are charged with another's.
    """
    match name:
        case "uvicorn":
            from service.servers.uvicorn import UvicornServer  # noqa: PLC0415

            return UvicornServer(app, listener, grace_s=grace_s)
        case "hypercorn":
            from service.servers.hypercorn import HypercornServer  # noqa: PLC0415

            return HypercornServer(app, listener, grace_s=grace_s)
        case _:
            assert_never(name)
