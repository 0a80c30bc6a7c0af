"""The parent of the worker processes: starts them, replaces the dead, and takes all down in order.

It holds the listening socket but serves nobody; what is known of a worker comes from ``WorkerProcess``.
"""

import asyncio
import os
import signal
import socket
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

import structlog
from prometheus_client.multiprocess import mark_process_dead

from service.listener import close_listener
from service.process import WorkerProcess
from service.settings import Settings, inherited

log = structlog.get_logger()

_FIRST_PAUSE_S = 0.2
_MAX_PAUSE_S = 5.0
_STABLE_S = 10.0
# How much longer than its own limits a worker may take: to close its listener, to end.
_CLOSE_MARGIN_S = 2.0
_EXIT_MARGIN_S = 5.0


class Supervisor:
    """Keeps the workers running until SIGTERM or SIGINT. Takes over the listener and closes it."""

    def __init__(self, settings: Settings, listener: socket.socket, *, metrics_dir: Path) -> None:
        self._settings = settings
        self._listener = listener
        self._metrics_dir = metrics_dir
        # Nothing is ever written: its end tells the workers that this process is gone, however it went.
        self._life, self._life_held = os.pipe()
        # The workers serve when this one ends, which is when all are ready: a service that answers is at full
        # strength, and no connection is kept by the first of them alone.
        self._gate_held: int | None
        self._gate, self._gate_held = os.pipe()
        self._workers: set[WorkerProcess] = set()
        self._stopping = asyncio.Event()
        self._started = False
        self._failed = False

    async def run(self) -> int:
        """Return 0 when stopped as told, 1 when a worker could not start, drain or end."""
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
            born = loop.time()
            worker = self._start_worker()
            status = await worker.follow(self._note_progress)
            self._workers.discard(worker)
            mark_process_dead(worker.pid, path=str(self._metrics_dir))  # type: ignore[no-untyped-call]
            self._judge(worker, status)
            early_deaths = early_deaths + 1 if loop.time() - born < _STABLE_S else 0
            await self._pause(early_deaths)

    def _start_worker(self) -> WorkerProcess:
        worker = WorkerProcess(
            listener=self._listener.fileno(),
            life=self._life,
            gate=self._gate,
            environment=inherited(self._settings, self._metrics_dir),
        )
        self._workers.add(worker)
        return worker

    def _note_progress(self) -> None:
        """Open the gate when all workers are prepared; the service has started when all are ready."""
        if self._started:
            return
        prepared = sum(worker.prepared.is_set() for worker in self._workers)
        if prepared == self._settings.workers and self._gate_held is not None:
            os.close(self._gate_held)
            self._gate_held = None
        ready = sum(worker.ready.is_set() for worker in self._workers)
        if ready == self._settings.workers:
            self._started = True
            log.info("started", workers=ready)

    def _judge(self, worker: WorkerProcess, status: int) -> None:
        """Tell an ordered end from a death, and a death from a service that cannot start."""
        if self._stopping.is_set():
            self._failed |= worker.ready.is_set() and status != 0
            return
        log.error("worker_died", pid=worker.pid, status=status)
        if not self._started and not worker.ready.is_set():
            log.critical("start_failed", hint="the lines of the worker say why")
            self._failed = True
            self._stopping.set()

    async def _pause(self, early_deaths: int) -> None:
        """Replace a worker at once, but one that keeps dying ever more slowly."""
        if early_deaths > 1:
            pause_s = min(_MAX_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** (early_deaths - 2))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause_s)

    async def _stop(self, keepers: Collection[asyncio.Task[None]]) -> None:
        """Have every worker drain, close the listener after the last of them, kill who does not leave."""
        settings = self._settings
        log.info("stopping")
        workers = list(self._workers)
        for worker in workers:
            worker.terminate()
        with suppress(TimeoutError):
            async with asyncio.timeout(settings.pre_stop_delay_s + _CLOSE_MARGIN_S):
                await asyncio.gather(*(worker.closed.wait() for worker in workers))
        log.info("listener_closed", refused=await close_listener(self._listener))
        await asyncio.wait(keepers, timeout=settings.drain_grace_s + settings.otlp_timeout_s + _EXIT_MARGIN_S)
        for worker in self._workers:
            log.error("worker_killed", pid=worker.pid)
            self._failed = True
            worker.kill()
