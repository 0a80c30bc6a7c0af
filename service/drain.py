"""Whether this process is on its way out; knows who has to be told, not how they leave."""

import asyncio
from collections.abc import Callable


class Drain:
    """A one-way switch of a process. ``begin`` may be called any number of times, and counts once."""

    def __init__(self) -> None:
        self._begun = asyncio.Event()
        self._listeners: list[Callable[[], None]] = []

    @property
    def begun(self) -> bool:
        """Whether the process is draining."""
        return self._begun.is_set()

    def on_begin(self, listener: Callable[[], None]) -> None:
        """Call the listener once when the drain begins."""
        self._listeners.append(listener)

    def begin(self) -> None:
        """Start to drain."""
        if not self._begun.is_set():
            self._begun.set()
            for listener in self._listeners:
                listener()

    async def wait(self) -> None:
        """Wait until the drain begins."""
        await self._begun.wait()
