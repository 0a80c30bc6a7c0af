"""The parent of the worker processes: starts them, replaces the dead, and takes all down in order.

It holds the listening socket but serves nobody; what a worker does inside it knows from two words on a pipe.
"""

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import Collection, Coroutine, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import structlog
from prometheus_client.multiprocess import mark_process_dead

from service.channel import CLOSED, READY, Descriptors
from service.listener import close_listener
from service.settings import Settings, inherited

log = structlog.get_logger()

_BACKOFF_FIRST_S = 0.2
_BACKOFF_MAX_S = 5.0
_STABLE_S = 10.0
# How much longer than its own limits a worker may take to leave before it is killed.
_CLOSE_MARGIN_S = 2.0
_EXIT_MARGIN_S = 5.0


@dataclass(slots=True, eq=False)
class Child:
    """A worker process; ``closed`` is set once it accepts no more connections, at the latest by its death."""

    process: Process
    reports: asyncio.StreamReader
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    closed: asyncio.Event = field(default_factory=asyncio.Event)


class Supervisor:
    """Keeps the workers running until SIGTERM or SIGINT; takes over the listener and closes it."""

    def __init__(self, settings: Settings, listener: socket.socket, *, metrics_dir: Path) -> None:
        self._settings = settings
        self._listener = listener
        self._metrics_dir = metrics_dir
        # Nothing is ever written: its end tells the workers that this process is gone, however it went.
        self._life, self._life_held = os.pipe()
        self._children: set[Child] = set()
        self._stopping = asyncio.Event()
        self._started = False
        self._failed = False

    async def run(self) -> int:
        """Return 0 when stopped as told, 1 when a worker could not start or had to be killed."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        host, port = self._listener.getsockname()[:2]
        log.info(
            "listening", host=host, port=port, server=self._settings.server, workers=self._settings.workers
        )
        async with asyncio.TaskGroup() as tasks:
            keepers = [tasks.create_task(self._keep_one()) for _ in range(self._settings.workers)]
            await self._stopping.wait()
            await self._stop(keepers)
        log.info("stopped", failed=self._failed)
        return int(self._failed)

    async def _keep_one(self) -> None:
        """Run one worker after the other until the service stops."""
        loop = asyncio.get_running_loop()
        early_deaths = 0
        while not self._stopping.is_set():
            child = await self._spawn()
            born = loop.time()
            status = await self._follow(child)
            if await self._is_stopping(child, status):
                self._failed |= child.ready.is_set() and status != 0
                return
            early_deaths = early_deaths + 1 if loop.time() - born < _STABLE_S else 0
            await self._pause(early_deaths)

    async def _is_stopping(self, child: Child, status: int) -> bool:
        if status == -signal.SIGTERM and not self._stopping.is_set():
            await asyncio.sleep(_BACKOFF_FIRST_S)  # the same signal may be on its way to this process
        if not self._stopping.is_set():
            log.error("worker_died", pid=child.process.pid, status=status)
            if not self._started and not child.ready.is_set():
                log.critical("start_failed", hint="the worker's own lines say why")
                self._failed = True
                self._stopping.set()
        return self._stopping.is_set()

    async def _pause(self, early_deaths: int) -> None:
        """Replace a worker at once, but not over and over."""
        if early_deaths <= 1:
            return
        pause_s = min(_BACKOFF_MAX_S, _BACKOFF_FIRST_S * 2.0 ** (early_deaths - 2))
        try:
            await asyncio.wait_for(self._stopping.wait(), pause_s)
        except TimeoutError:
            pass

    async def _spawn(self) -> Child:
        theirs, write_end = os.pipe()
        shared = Descriptors(listener=self._listener.fileno(), life=self._life, reports=write_end)
        try:
            with _sigint_blocked():
                process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "service.serving", *shared.arguments()),
                    stdin=asyncio.subprocess.DEVNULL,
                    pass_fds=(shared.listener, shared.life, shared.reports),
                    env=inherited(self._settings, self._metrics_dir),
                )
        finally:
            os.close(write_end)
        child = Child(process, await _reader(theirs))
        self._children.add(child)
        if self._stopping.is_set():
            process.terminate()
        return child

    async def _follow(self, child: Child) -> int:
        """Note what the worker reports until it has ended, and return its status."""
        async for word in child.reports:
            if word == READY:
                child.ready.set()
                self._note_start()
            elif word == CLOSED:
                child.closed.set()
        status = await child.process.wait()
        child.closed.set()
        self._children.discard(child)
        mark_process_dead(child.process.pid, path=str(self._metrics_dir))
        return status

    def _note_start(self) -> None:
        ready = sum(child.ready.is_set() for child in self._children)
        if not self._started and ready == self._settings.workers:
            self._started = True
            log.info("started", workers=ready)

    async def _stop(self, keepers: Collection[asyncio.Task[None]]) -> None:
        """Have every worker drain, close the listener after the last of them, kill who does not leave."""
        settings = self._settings
        log.info("stopping")
        for child in self._children:
            child.process.terminate()
        await _within(
            settings.pre_stop_delay_s + _CLOSE_MARGIN_S, [child.closed.wait() for child in self._children]
        )
        refused = await close_listener(self._listener)
        log.info("listener_closed", refused=refused)
        await asyncio.wait(keepers, timeout=settings.drain_grace_s + settings.otlp_timeout_s + _EXIT_MARGIN_S)
        for child in self._children:
            log.error("worker_killed", pid=child.process.pid)
            self._failed = True
            child.process.kill()


async def _within(limit_s: float, waits: Iterable[Coroutine[None, None, object]]) -> None:
    """Wait for all, but not longer than the limit."""
    with suppress(TimeoutError):
        async with asyncio.timeout(limit_s):
            await asyncio.gather(*waits)


async def _reader(descriptor: int) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb", buffering=0)
    )
    return reader


@contextmanager
def _sigint_blocked() -> Iterator[None]:
    """Have processes started inside never see SIGINT: Ctrl-C reaches the whole group, and they obey SIGTERM."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
