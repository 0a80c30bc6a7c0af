"""One worker process as its parent sees it: started, heard, ended; knows no policy about when."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping

from service.channel import CLOSED, PREPARED, READY, Descriptors


class WorkerProcess:
    """A worker, started when this is made. It shares three descriptors with its parent, and no other.

    ``closed`` is set once it accepts no more connections, at the latest by its death.
    """

    def __init__(self, *, listener: int, life: int, gate: int, environment: Mapping[str, str]) -> None:
        self.prepared = asyncio.Event()
        self.ready = asyncio.Event()
        self.closed = asyncio.Event()
        self._reports, write_end = os.pipe()
        shared = Descriptors(listener=listener, life=life, gate=gate, reports=write_end)
        # Ctrl-C reaches the whole process group; a worker obeys SIGTERM alone, and inherits what is blocked.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "service.serving", *shared.arguments()],
                stdin=subprocess.DEVNULL,
                pass_fds=(listener, life, gate, write_end),
                env=environment,
            )
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
            os.close(write_end)
        self.pid = self._process.pid

    async def follow(self, on_progress: Callable[[], None]) -> int:
        """Hear its reports until it has ended; return its status, negative for a signal."""
        reports = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reports), os.fdopen(self._reports, "rb", buffering=0)
        )
        async for word in reports:
            if word == PREPARED:
                self.prepared.set()
                on_progress()
            elif word == READY:
                self.ready.set()
                on_progress()
            elif word == CLOSED:
                self.closed.set()
        # Nobody else holds the other end of the pipe, so it is closed because the worker ends.
        status = await asyncio.to_thread(self._process.wait)
        self.closed.set()
        return status

    def terminate(self) -> None:
        """Tell it to drain; nothing happens if it has ended."""
        self._process.terminate()

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
