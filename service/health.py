"""Whether this process should get traffic; knows ports only."""

from collections.abc import Callable
from dataclasses import dataclass

from service.ports import JobStore, StoreUnavailableError


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """The checks behind /readyz, each asked anew every time."""

    store: JobStore
    worker_runs: Callable[[], bool]
    draining: Callable[[], bool]

    async def failures(self) -> dict[str, str]:
        """Return the reason of each check that failed by its name; none: ready."""
        failed: dict[str, str] = {}
        if self.draining():
            failed["draining"] = "this process is shutting down"
        if not self.worker_runs():
            failed["worker"] = "the worker loop is not running"
        try:
            await self.store.check()
        except StoreUnavailableError as exc:
            failed["store"] = str(exc)
        return failed
