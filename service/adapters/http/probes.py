"""The probes: is the process up, is it ready, what do its metrics say; not part of the API they watch."""

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeAlias, cast

from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse, Response

from service.health import Readiness

Scrape: TypeAlias = Callable[[], Awaitable[bytes]]


async def readiness(request: Request) -> Readiness:
    """Return what the composition root made; tests replace it in ``app.dependency_overrides``."""
    return cast("Readiness", request.app.state.readiness)


def add_probes(app: FastAPI, *, scrape: Scrape, content_type: str) -> None:
    """Give the application /healthz, /readyz and /metrics."""

    async def healthz() -> JSONResponse:
        """Say that the process answers; it asks nothing else, so a restart is the cure when it fails."""
        return JSONResponse({"status": "up"})

    async def readyz(ready: Annotated[Readiness, Depends(readiness)]) -> JSONResponse:
        """Say whether to send traffic here, and if not which check failed and why."""
        failed = await ready.failures()
        if failed:
            return JSONResponse({"status": "not ready", "failed": failed}, status_code=503)
        return JSONResponse({"status": "ready"})

    async def metrics() -> Response:
        """Return the metrics of all worker processes in Prometheus' text format."""
        return Response(await scrape(), media_type=content_type)

    for endpoint in (healthz, readyz, metrics):
        app.add_api_route(f"/{endpoint.__name__}", endpoint, methods=["GET"], response_model=None)
