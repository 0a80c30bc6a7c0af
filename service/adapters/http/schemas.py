"""What requests and answers look like on the wire; the requests are made from the handlers."""

from collections.abc import Iterable
from dataclasses import asdict, is_dataclass
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from service.domain.job import Job, JobState
from service.ports import JobHandler


class JobRequest(BaseModel):
    """A job to be done; each kind has a model of its own with its kind and parameters."""

    model_config = ConfigDict(extra="forbid")

    kind: str
    params: Any

    def plain_params(self) -> dict[str, object]:
        """Return the parameters as they are stored."""
        if not is_dataclass(self.params) or isinstance(self.params, type):
            raise TypeError(f"the parameters of kind {self.kind!r} are no dataclass")
        return asdict(self.params)


def request_type(handlers: Iterable[JobHandler]) -> Any:  # noqa: ANN401  # a type made at run time
    """Return the union of all kinds' requests, told apart by ``kind``, so that OpenAPI shows each."""
    models = [
        create_model(
            f"{handler.kind.title()}Job",
            __base__=JobRequest,
            __doc__=handler.__class__.__doc__,
            kind=(Literal[handler.kind], ...),  # type: ignore[arg-type]  # known at run time only
            params=(handler.params, ...),
        )
        for handler in handlers
    ]
    return Annotated[reduce(or_, models), Field(discriminator="kind")]


class JobView(BaseModel):
    """A job as it stands. Times are Unix seconds; ``completions`` is 1 when it has ended exactly once."""

    id: str
    kind: str
    params: dict[str, Any]
    state: JobState
    attempt: int
    completions: int
    submitted_at: float
    started_at: float | None
    finished_at: float | None
    result: dict[str, Any] | None
    error: str | None

    @classmethod
    def of(cls, job: Job) -> "JobView":
        """Show the job, without whose request it came from."""
        return cls(
            id=job.id,
            kind=job.kind,
            params=dict(job.params),
            state=job.state,
            attempt=job.attempt,
            completions=job.completions,
            submitted_at=job.submitted_at,
            started_at=job.started_at,
            finished_at=job.finished_at,
            result=None if job.result is None else dict(job.result),
            error=job.error,
        )


class Problem(BaseModel):
    """Why a request was not fulfilled."""

    detail: str
