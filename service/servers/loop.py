"""The event loop of a worker process; knows its listeners, no server."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, assert_never

import uvloop

LoopName: TypeAlias = Literal["uvloop", "asyncio"]

if TYPE_CHECKING:
    _Loop = asyncio.SelectorEventLoop
else:
    _Loop = object


class ListenerLoop(_Loop):
    """An event loop that can stop listening while the connections it has stay; mixed into a real one.

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


class _OnUvloop(ListenerLoop, uvloop.Loop):  # type: ignore[misc]  # two libraries name the same parameters apart
    pass


class _OnAsyncio(ListenerLoop, asyncio.SelectorEventLoop):
    pass


def loop_factory(name: LoopName) -> Callable[[], ListenerLoop]:
    """Return what makes an event loop of this name."""
    match name:
        case "uvloop":
            return _OnUvloop
        case "asyncio":
            return _OnAsyncio
        case _:
            assert_never(name)
