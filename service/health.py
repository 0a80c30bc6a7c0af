"""Whether this process should get traffic; knows no HTTP."""

from dataclasses import dataclass

from service.drain import Drain
from service.ports import JobStore, StoreUnavailableError
from service.worker import Worker


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """The checks behind /readyz, each asked anew every time."""

    store: JobStore
    worker: Worker
    drain: Drain

    async def failures(self) -> dict[str, str]:
        """Return the reason of each check that failed by its name; none: ready."""
        failed: dict[str, str] = {}
        if self.drain.begun:
            failed["draining"] = "this process is shutting down"
        if not self.worker.running:
            failed["worker"] = "the worker loop is not running"
        try:
            await self.store.check()
        except StoreUnavailableError as exc:
            failed["store"] = str(exc)
        return failed
