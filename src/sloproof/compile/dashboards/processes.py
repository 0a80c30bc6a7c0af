"""Panels of worker processes and of a queue of jobs, by the metrics of the reference service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sloproof.compile.dashboards.board import GREEN, ORANGE, RED, Column, Lines, Panel, Query, Step, table
from sloproof.compile.dashboards.queries import RATE, TARGETS, Durations, series, summed

if TYPE_CHECKING:
    from collections.abc import Iterator

OF_WORKER = "{{instance}} {{pid}}"
PHASES = (
    ("job_wait_seconds", "waiting"),
    ("job_run_seconds", "running"),
    ("job_end_to_end_seconds", "in all"),
)
NOT_MEASURED, NO_JOBS = "the event loops are not measured", "no job ended"
BUILD = ("version", "server", "server_version", "workers", "loop", "python", "fastapi", "sqlite")


def processes() -> Iterator[Panel]:
    """Yield the panels of worker processes: how busy each is, and how late its event loop."""
    yield _lag()
    yield _lines(
        "CPU of each worker",
        "Cores that each worker process uses. A Python process with one busy thread stays at 1.",
        Query(expr=f"rate({series('process_cpu_seconds_total', *TARGETS)}[{RATE}])", legend=OF_WORKER),
        unit="none",
    )
    yield _lines(
        "Memory of each worker",
        "Resident memory of each worker process.",
        Query(expr=series("process_resident_memory_bytes", *TARGETS), legend=OF_WORKER),
        unit="bytes",
    )
    yield _lines(
        "Requests answered by each worker",
        "Requests a second that each worker process answered: how evenly the kernel spreads connections.",
        Query(expr=f"rate({series('service_worker_requests', *TARGETS)}[{RATE}])", legend=OF_WORKER),
        unit="reqps",
    )
    yield _lines(
        "Open files of each worker",
        "File descriptors in use, as a share of what the process may open. At 1 it accepts no connection.",
        Query(
            expr=f"{series('process_open_fds', *TARGETS)} / {series('process_max_fds', *TARGETS)}",
            legend=OF_WORKER,
        ),
        unit="percentunit",
        steps=(Step(None, GREEN), Step(0.8, ORANGE), Step(1, RED)),
    )
    yield _lines(
        "Garbage collection",
        "Runs of Python's garbage collector a second, by generation. The last stops the process longest.",
        Query(
            expr=summed(f"rate({series('python_gc_collections_total', *TARGETS)}[{RATE}])", ("generation",)),
            legend="generation {{generation}}",
        ),
        unit="ops",
    )
    yield _build()


def jobs() -> Iterator[Panel]:
    """Yield the panels of the queue of jobs."""
    # Each instance tells what is in the store that all of them share.
    waiting = series("jobs_in_state", 'state=~"queued|running"', *TARGETS)
    yield _lines(
        "Queue depth",
        "Jobs in the store that are queued, and that are running.",
        Query(expr=summed(f"max by (job, state, kind) ({waiting})", ("state",)), legend="{{state}}"),
        unit="short",
    )
    yield _lines(
        "Oldest queued job",
        "How long the oldest job has been queued; 0 without one. It rises while workers do not keep up.",
        Query(expr=f"max by (job) ({series('jobs_queue_oldest_age_seconds', *TARGETS)})", legend="{{job}}"),
        unit="s",
    )
    yield Panel(
        title="Jobs submitted and ended",
        description="Jobs a second that were accepted, and that ended, by outcome. The lines lie on each"
        " other while the queue is steady.",
        look=Lines(),
        queries=(
            Query(
                expr=summed(f"rate({series('jobs_submitted_total', *TARGETS)}[{RATE}])"), legend="submitted"
            ),
            Query(
                expr=summed(f"rate({series('jobs_finished_total', *TARGETS)}[{RATE}])", ("outcome",)),
                legend="{{outcome}}",
            ),
        ),
        unit="ops",
        no_value="no series of jobs",
        width=12,
    )
    yield Panel(
        title="Job times, 99 %",
        description="What 99 % of the jobs stay within, read off buckets: waiting for a worker, running,"
        " and from their submission to their end.",
        look=Lines(decimals=3),
        queries=tuple(
            Query(
                expr=Durations(histogram=histogram, matchers=TARGETS, native=False).quantile("0.99"),
                legend=phase,
                may_be_empty=NO_JOBS,
            )
            for histogram, phase in PHASES
        ),
        unit="s",
        no_value=NO_JOBS,
        width=12,
    )


def _lag() -> Panel:
    lag = Durations(histogram="event_loop_lag_seconds", matchers=TARGETS, native=False)
    return Panel(
        title="Event-loop lag",
        description="How much later than asked the event loops resume a task, read off buckets. All"
        " requests of a worker wait that long, and no request's own duration shows it.",
        look=Lines(decimals=4),
        queries=(
            Query(expr=lag.quantile("0.99"), legend="99 %", may_be_empty=NOT_MEASURED),
            Query(expr=lag.quantile("0.5"), legend="50 %", may_be_empty=NOT_MEASURED),
        ),
        unit="s",
        no_value=NOT_MEASURED,
        width=12,
    )


def _lines(title: str, description: str, query: Query, *, unit: str, steps: tuple[Step, ...] = ()) -> Panel:
    return Panel(
        title=title,
        description=description,
        look=Lines(),
        queries=(query,),
        unit=unit,
        no_value="the service has no such series",
        width=12,
        steps=steps,
    )


def _build() -> Panel:
    return table(
        Column(title="instance", label="instance"),
        *(Column(title=label, label=label) for label in BUILD),
        Column(
            title="Up",
            unit="short",
            query=Query(expr=series("service_build_info", *TARGETS), legend="Up"),
        ),
        title="What is running",
        description="The build and the server settings of each instance.",
        no_value="no series service_build_info",
        height=5,
    )
