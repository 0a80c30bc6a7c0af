"""One worker process as its parent sees it: started, heard, ended; knows no policy about when."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from service.channel import CLOSED, READY, Descriptors


class WorkerProcess:
    """A worker; ``closed`` is set once it accepts no more connections, at the latest by its death."""

    def __init__(self, process: Process, reports: asyncio.StreamReader) -> None:
        self._process = process
        self._reports = reports
        self.pid = process.pid
        self.ready = asyncio.Event()
        self.closed = asyncio.Event()

    @classmethod
    async def start(cls, *, listener: int, life: int, environment: Mapping[str, str]) -> "WorkerProcess":
        """Start a worker that shares these descriptors, and no other."""
        read_end, write_end = os.pipe()
        shared = Descriptors(listener=listener, life=life, reports=write_end)
        try:
            with _sigint_blocked():
                process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "service.serving", *shared.arguments()),
                    stdin=DEVNULL,
                    pass_fds=(listener, life, write_end),
                    env=environment,
                )
        finally:
            os.close(write_end)
        reports = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reports), os.fdopen(read_end, "rb", buffering=0)
        )
        return cls(process, reports)

    async def follow(self, on_ready: Callable[[], None]) -> int:
        """Hear its reports until it has ended; return its status, negative for a signal."""
        async for word in self._reports:
            if word == READY:
                self.ready.set()
                on_ready()
            elif word == CLOSED:
                self.closed.set()
        status = await self._process.wait()
        self.closed.set()
        return status

    def terminate(self) -> None:
        """Tell it to drain; nothing happens if it has ended."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self._process.returncode is None:
            self._process.send_signal(number)


@contextmanager
def _sigint_blocked() -> Iterator[None]:
    """Keep SIGINT from processes started inside: Ctrl-C reaches the whole group, but they obey SIGTERM."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
