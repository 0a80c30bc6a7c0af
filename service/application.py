"""The use cases, submit a job and look at it, told in ports; knows neither HTTP nor SQL."""

from collections.abc import Callable
from dataclasses import dataclass

from service.domain.job import Job, JsonObject, Origin
from service.ports import Clock, JobObserver, JobStore


class JobNotFoundError(LookupError):
    """There is no job with this ID."""

    def __init__(self, job_id: str) -> None:
        super().__init__(f"there is no job {job_id!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Jobs:
    """What a client can do with jobs. ``wake`` tells the worker of this process that there is one more."""

    store: JobStore
    clock: Clock
    observer: JobObserver
    new_id: Callable[[], str]
    wake: Callable[[], None]

    async def submit(self, kind: str, params: JsonObject, origin: Origin) -> Job:
        """Accept a job; when this returns it is durable. Raise ``StoreUnavailableError`` if it is not."""
        job = Job(id=self.new_id(), kind=kind, params=params, origin=origin, submitted_at=self.clock.now())
        await self.store.add(job)
        self.observer.submitted(kind)
        self.wake()
        return job

    async def get(self, job_id: str) -> Job:
        """Return the job as it stands. Raise ``JobNotFoundError`` or ``StoreUnavailableError``."""
        job = await self.store.get(job_id)
        if job is None:
            raise JobNotFoundError(job_id)
        return job
