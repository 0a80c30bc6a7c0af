"""Claim jobs and run them, a bounded number at once, under leases; knows ports only, no server and no SQL."""

import asyncio
import random
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass

import structlog

from service.domain.job import Failed, JobState, Lease, LeasedJob, Outcome, Retry, Succeeded
from service.domain.rules import RetryRule
from service.ports import (
    AttemptScope,
    Clock,
    JobEnded,
    JobHandler,
    JobObserver,
    JobStore,
    StoreUnavailableError,
)

log = structlog.get_logger()

_STORE_RETRY_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerLimits:
    """How many jobs run at once, how long a lease lasts, how often to look for jobs of other processes."""

    concurrency: int
    lease_s: float
    poll_s: float

    @property
    def heartbeat_s(self) -> float:
        """A third of the lease: two heartbeats may fail before it runs out."""
        return self.lease_s / 3


class Worker:
    """The part of a process that runs jobs. Made once, ``run`` once, ended by ``drain``."""

    def __init__(  # noqa: PLR0913  # its ports; each is needed
        self,
        *,
        owner: str,
        store: JobStore,
        handlers: Mapping[str, JobHandler],
        clock: Clock,
        observer: JobObserver,
        scope: AttemptScope,
        limits: WorkerLimits,
        retry_rule: RetryRule,
        rng: random.Random,
    ) -> None:
        self._owner = owner
        self._store = store
        self._handlers = handlers
        self._clock = clock
        self._observer = observer
        self._scope = scope
        self._limits = limits
        self._retry_rule = retry_rule
        self._rng = rng
        self._running: dict[Lease, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()
        self._hungry = False
        self._drain_until: float | None = None
        self._alive = False

    @property
    def running(self) -> bool:
        """Whether ``run`` is at work."""
        return self._alive

    def wake(self) -> None:
        """Look for jobs now; called when one was submitted."""
        self._wake.set()

    def drain(self, *, within_s: float) -> None:
        """Claim no more; give running jobs so many seconds, then release them. Later calls change nothing."""
        if self._drain_until is None:
            self._drain_until = asyncio.get_running_loop().time() + within_s
            self._wake.set()

    async def run(self) -> None:
        """Run jobs until drained; when this returns no lease is held."""
        self._alive = True
        try:
            async with asyncio.TaskGroup() as tasks:
                heart = tasks.create_task(self._keep_leases())
                while self._drain_until is None:
                    await self._claim_and_start(tasks)
                    await self._wait_for_work()
                await self._finish_or_release(self._drain_until)
                heart.cancel()
        finally:
            self._alive = False

    async def _claim_and_start(self, tasks: asyncio.TaskGroup) -> None:
        self._wake.clear()
        free = self._limits.concurrency - len(self._running)
        jobs = await self._claim(free) if free else []
        for job in jobs:
            self._start(job, tasks)
        # As many as asked for: there may be more, for the next slot that is free or already became so.
        self._hungry = len(jobs) == free
        if self._hungry and len(self._running) < self._limits.concurrency:
            self._wake.set()

    async def _claim(self, limit: int) -> list[LeasedJob]:
        try:
            jobs = await self._store.claim(
                owner=self._owner, limit=limit, now=self._clock.now(), lease_s=self._limits.lease_s
            )
        except StoreUnavailableError as exc:
            log.warning("claim_failed", error=str(exc))
            return []
        return list(jobs)

    async def _wait_for_work(self) -> None:
        # Jittered, so that processes which started together do not poll together.
        poll_s = self._limits.poll_s * self._rng.uniform(0.5, 1.5)
        with suppress(TimeoutError):
            async with asyncio.timeout(poll_s):
                await self._wake.wait()

    def _start(self, job: LeasedJob, tasks: asyncio.TaskGroup) -> None:
        task = tasks.create_task(self._attempt(job))
        self._running[job.lease] = task
        task.add_done_callback(lambda _: self._forget(job.lease))

    def _forget(self, lease: Lease) -> None:
        del self._running[lease]
        if self._hungry:
            self._wake.set()

    async def _attempt(self, job: LeasedJob) -> None:
        with self._scope(job):
            log.info("job_started", attempt=job.lease.attempt)
            self._observer.started(job.kind, wait_s=max(0.0, job.started_at - job.available_at))
            outcome = await self._execute(job)
            try:
                ended_at = await self._settle(job.lease, outcome)
            except Exception:
                # Not ours to decide any more: the lease runs out and the job is tried again or given up.
                log.exception("job_not_settled", attempt=job.lease.attempt)
                return
            if ended_at is None:
                log.warning("job_lease_lost", attempt=job.lease.attempt)
            else:
                self._report(job, outcome, ended_at)

    async def _execute(self, job: LeasedJob) -> Outcome:
        try:
            handler = self._handlers[job.kind]
        except KeyError:
            return Failed(f"unknown kind {job.kind!r}, known are {', '.join(sorted(self._handlers))}")
        try:
            return Succeeded(await handler.run(handler.params(**job.params)))
        except Exception as exc:
            log.exception("job_attempt_failed", attempt=job.lease.attempt)
            return self._retry_rule.after_failure(
                attempt=job.lease.attempt, reason=f"{type(exc).__name__}: {exc}", now=self._clock.now()
            )

    async def _settle(self, lease: Lease, outcome: Outcome) -> float | None:
        """Write the outcome and return when it was reached, None if the lease was lost.

        An unavailable store is tried as often as the heartbeat holds the lease; then it cancels this task.
        """
        now = self._clock.now()
        while True:
            try:
                return now if await self._store.settle(lease, outcome, now=now) else None
            except StoreUnavailableError as exc:
                log.warning("job_settle_failed", error=str(exc))
                await asyncio.sleep(_STORE_RETRY_S)

    def _report(self, job: LeasedJob, outcome: Outcome, ended_at: float) -> None:
        run_s = max(0.0, ended_at - job.started_at)
        if isinstance(outcome, Retry):
            log.warning("job_requeued", error=outcome.error, run_s=run_s)
            return
        state = JobState.SUCCEEDED if isinstance(outcome, Succeeded) else JobState.FAILED
        end_to_end_s = max(0.0, ended_at - job.submitted_at)
        log.info("job_finished", outcome=state, run_s=run_s, end_to_end_s=end_to_end_s)
        self._observer.ended(JobEnded(kind=job.kind, state=state, run_s=run_s, end_to_end_s=end_to_end_s))

    async def _keep_leases(self) -> None:
        while True:
            try:
                # Our own first: after a stall they are still ours unless another process was faster.
                await self._extend_leases()
                await self._recover_expired()
            except StoreUnavailableError as exc:
                log.warning("heartbeat_failed", error=str(exc))
            await asyncio.sleep(self._limits.heartbeat_s * self._rng.uniform(0.8, 1.0))

    async def _extend_leases(self) -> None:
        leases = list(self._running)
        if not leases:
            return
        held = await self._store.extend(leases, until=self._clock.now() + self._limits.lease_s)
        for lease in set(leases) - set(held):
            task = self._running.get(lease)
            if task is not None and not task.done():  # else it was settled in the meantime
                log.warning("job_lease_lost", job_id=lease.job_id, attempt=lease.attempt)
                task.cancel()

    async def _recover_expired(self) -> None:
        now = self._clock.now()
        for job in await self._store.recover(
            now=now, decide=lambda attempt: self._retry_rule.after_expiry(attempt=attempt, now=now)
        ):
            log.warning("job_lease_expired", job_id=job.lease.job_id, kind=job.kind, error=job.outcome.error)
            self._wake.set()
            if isinstance(job.outcome, Failed):
                self._observer.ended(
                    JobEnded(
                        kind=job.kind, state=JobState.FAILED, run_s=None, end_to_end_s=now - job.submitted_at
                    )
                )

    async def _finish_or_release(self, deadline: float) -> None:
        if not self._running:
            return
        remaining_s = deadline - asyncio.get_running_loop().time()
        await asyncio.wait(self._running.values(), timeout=max(0.0, remaining_s))
        unfinished = dict(self._running)
        for task in unfinished.values():
            task.cancel()
        if unfinished:
            await asyncio.wait(unfinished.values())
            await self._release(unfinished.keys())

    async def _release(self, leases: Collection[Lease]) -> None:
        try:
            await self._store.release(leases, now=self._clock.now())
        except StoreUnavailableError as exc:
            log.warning("release_failed", error=str(exc), hint="the leases run out instead")
        else:
            log.warning("jobs_released", count=len(leases))
