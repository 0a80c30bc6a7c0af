"""The parts of one process, made from settings and joined, but not opened."""

import random
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from service import __version__
from service.adapters import logs
from service.adapters.http.endpoints import API
from service.adapters.metrics import Instruments
from service.adapters.sqlite import SqliteJobs
from service.adapters.untraced import Untraced
from service.application import Jobs
from service.domain.job import LeasedJob
from service.domain.rules import RetryRule
from service.drain import Drain
from service.health import Readiness
from service.ports import AttemptScope, Clock, JobHandler
from service.settings import Settings
from service.worker import Worker, WorkerLimits

if TYPE_CHECKING:
    from service.adapters.tracing import Tracing

AnyTracing: TypeAlias = "Tracing | Untraced"


class SystemClock:
    """The time of day of this machine."""

    def now(self) -> float:
        """Return Unix seconds."""
        return time.time()


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Every part of one process. ``server`` names who serves it."""

    settings: Settings
    server: str
    kinds: Sequence[str]
    drain: Drain
    clock: Clock
    instruments: Instruments
    store: SqliteJobs
    tracing: AnyTracing
    worker: Worker
    jobs: Jobs
    readiness: Readiness


def assemble(settings: Settings, handlers: Sequence[JobHandler], *, drain: Drain, server: str) -> Parts:
    """Make and join the parts. The drain makes the worker claim no more."""
    clock = SystemClock()
    instruments = _instruments(settings, handlers)
    store = SqliteJobs(settings.database, synchronous=settings.synchronous)
    tracing = _tracing(settings)
    worker = Worker(
        owner=new_id(),
        store=store,
        handlers={handler.kind: handler for handler in handlers},
        clock=clock,
        observer=instruments,
        scope=_attempt_scope(tracing),
        limits=WorkerLimits(
            concurrency=settings.concurrency, lease_s=settings.lease_s, poll_s=settings.poll_s
        ),
        retry_rule=RetryRule(max_attempts=settings.max_attempts),
        rng=random.Random(),  # noqa: S311  # spreads polls, keeps no secret
    )
    drain.on_begin(lambda: worker.drain(within_s=settings.pre_stop_delay_s + settings.drain_grace_s))
    return Parts(
        settings=settings,
        server=server,
        kinds=[handler.kind for handler in handlers],
        drain=drain,
        clock=clock,
        instruments=instruments,
        store=store,
        tracing=tracing,
        worker=worker,
        jobs=Jobs(store=store, clock=clock, observer=instruments, new_id=new_id, wake=worker.wake),
        readiness=Readiness(store=store, worker=worker, drain=drain),
    )


def new_id() -> str:
    """Return an ID that no other process makes."""
    return uuid.uuid4().hex


def _instruments(settings: Settings, handlers: Sequence[JobHandler]) -> Instruments:
    instruments = Instruments(settings.latency_buckets_s)
    instruments.exist_at_zero(
        ((endpoint.method, endpoint.route, status) for endpoint in API for status in endpoint.statuses),
        (handler.kind for handler in handlers),
    )
    return instruments


def _tracing(settings: Settings) -> AnyTracing:
    if settings.otlp_endpoint is None:
        return Untraced()
    # Imported here, since without an endpoint the OpenTelemetry SDK is to cost nothing.
    from service.adapters.tracing import Tracing  # noqa: PLC0415

    return Tracing(
        str(settings.otlp_endpoint),
        headers=settings.header_pairs(),
        timeout_s=settings.otlp_timeout_s,
        version=__version__,
    )


def _attempt_scope(tracing: AnyTracing) -> AttemptScope:
    @contextmanager
    def scope(job: LeasedJob) -> Iterator[None]:
        with logs.job_context(job), tracing.job_span(job):
            yield

    return scope
