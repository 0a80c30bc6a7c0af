"""The event loop of a worker process; knows its listeners, no server."""

import asyncio
from typing import Any

import uvloop


class ListenerLoop(uvloop.Loop):
    """An event loop that can stop listening while the connections it has stay.

    Left to themselves the servers close their listener and their idle connections together, which resets
    a connection that was accepted but whose request has not arrived yet.
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
