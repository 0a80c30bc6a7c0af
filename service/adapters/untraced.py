"""What stands in for tracing where no endpoint is set; free of the OpenTelemetry SDK."""

from collections.abc import Collection
from contextlib import AbstractContextManager, nullcontext

from fastapi.telemetry import TelemetryConfig

from service.domain.job import LeasedJob


class Untraced:
    """No spans."""

    def start(self) -> None:
        """Do nothing."""

    async def close(self) -> None:
        """Do nothing."""

    def of_requests(self, *, without: Collection[str]) -> TelemetryConfig:  # noqa: ARG002  # as Tracing's
        """Keep FastAPI from looking for providers of its own."""
        return {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}

    def job_span(self, _job: LeasedJob) -> AbstractContextManager[None]:
        """Surround nothing."""
        return nullcontext()

    def current_traceparent(self) -> str | None:
        """Return None."""
        return None
