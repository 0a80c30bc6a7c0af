"""The routes of the API: submit a job, look at it; and how the use cases' errors become answers."""

from collections.abc import Iterable
from typing import Annotated, cast

import structlog
from fastapi import Depends, FastAPI, Path, Request, Response
from fastapi.responses import JSONResponse

from service.adapters.http import context
from service.adapters.http.endpoints import READ, SUBMIT
from service.adapters.http.schemas import JobRequest, JobView, Problem, request_type
from service.application import JobNotFoundError, Jobs
from service.domain.job import Origin
from service.ports import JobHandler, StoreUnavailableError

log = structlog.get_logger()

_RETRY_AFTER_S = "1"


# Dependencies are coroutines though they wait for nothing: FastAPI runs a plain function in a thread.
async def use_cases(request: Request) -> Jobs:
    """Return what the composition root made; tests replace it in ``app.dependency_overrides``."""
    return cast("Jobs", request.app.state.jobs)


UseCases = Annotated[Jobs, Depends(use_cases)]
RequestOrigin = Annotated[Origin, Depends(context.current_origin)]


def add_routes(app: FastAPI, handlers: Iterable[JobHandler]) -> None:
    """Give the application its API, with one request model a handler."""
    any_request = request_type(handlers)

    async def submit(
        job_request: any_request,  # type: ignore[valid-type]
        response: Response,
        jobs: UseCases,
        origin: RequestOrigin,
    ) -> JobView:
        """Accept a job: when this is answered it is on disk and will be run."""
        valid = cast("JobRequest", job_request)
        job = await jobs.submit(valid.kind, valid.plain_params(), origin)
        response.headers["Location"] = f"{SUBMIT.route}/{job.id}"
        return JobView.of(job)

    async def read(job_id: Annotated[str, Path(alias="id")], jobs: UseCases) -> JobView:
        """Return a job as it stands."""
        return JobView.of(await jobs.get(job_id))

    app.add_api_route(
        SUBMIT.route,
        submit,
        methods=[SUBMIT.method],
        status_code=202,
        responses={503: {"model": Problem, "description": "The store is unavailable; try again"}},
    )
    app.add_api_route(
        READ.route,
        read,
        methods=[READ.method],
        responses={
            404: {"model": Problem, "description": "There is no such job"},
            503: {"model": Problem, "description": "The store is unavailable; try again"},
        },
    )
    app.add_exception_handler(JobNotFoundError, _not_found)
    app.add_exception_handler(StoreUnavailableError, _unavailable)


async def _not_found(_request: Request, exc: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(exc)}, status_code=404)


async def _unavailable(_request: Request, exc: Exception) -> JSONResponse:
    log.warning("store_unavailable", error=str(exc))
    return JSONResponse(
        {"detail": "the store is unavailable"}, status_code=503, headers={"Retry-After": _RETRY_AFTER_S}
    )
