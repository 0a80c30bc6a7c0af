"""One generator's samples and facts from those of its workers, without loss; it knows no processes."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from sloproof.analysis.columns import Words
from sloproof.analysis.samples import COLUMNS, Phase, Samples
from sloproof.load.ledger import Accepted
from sloproof.load.protocol import PhaseFacts
from sloproof.load.selfcheck import quantile
from sloproof.load.workers import WorkerFacts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

PLANNED = "planned"


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Samples, and which of them are the first request of an arrival."""

    samples: Samples
    planned: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    """What one worker did in a phase."""

    worker: int
    machine: str
    pid: int
    clock_error_s: float
    facts: PhaseFacts
    rows: Rows


def encode_rows(rows: Rows) -> bytes:
    """Return rows as an Arrow stream; every bit of them comes back."""
    table = rows.samples.to_table().append_column(PLANNED, pa.array(rows.planned))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as stream:
        stream.write_table(table)
    return bytes(sink.getvalue())


def decode_rows(stream: bytes) -> Rows:
    """Read rows. Raises ValueError."""
    table = pa.ipc.open_stream(stream).read_all()
    return Rows(Samples.from_table(table), np.asarray(table[PLANNED].to_numpy()))


def encode_jobs(jobs: Sequence[Accepted]) -> bytes:
    """Return accepted jobs as bytes."""
    return json.dumps([(job.location, job.phase, job.intended_at_s) for job in jobs]).encode()


def decode_jobs(text: bytes) -> list[Accepted]:
    """Read accepted jobs; no bytes are no jobs."""
    return [
        Accepted(location=location, phase=Phase(phase), intended_at_s=intended_at_s)
        for location, phase, intended_at_s in json.loads(text or b"[]")
    ]


def merge_rows(parts: Sequence[Rows]) -> Rows:
    """Return all rows, in the order of their intended starts."""
    samples = joined([part.samples for part in parts])
    planned = np.concatenate([part.planned for part in parts])
    order = np.argsort(samples.intended_s, kind="stable")
    return Rows(Samples(**{name: getattr(samples, name)[order] for name in COLUMNS}), planned[order])


def joined(parts: Sequence[Samples]) -> Samples:
    """Return the rows of all parts, one part after the other."""
    return Samples(**{name: _joined([getattr(part, name) for part in parts]) for name in COLUMNS})


def _joined(columns: Sequence[Any]) -> Any:  # noqa: ANN401 - each column as its own kind
    words = [column for column in columns if isinstance(column, Words)]
    return Words.joined(words) if words else np.concatenate(columns)


def named(samples: Samples, endpoints: Mapping[str, str]) -> Samples:
    """Return samples in which no request has its task's name where ``endpoints`` knows what it was for.

    A worker that has begun none of a task's requests does not know; another may.
    """
    known = tuple(endpoints.get(str(name), str(name)) for name in samples.endpoint.vocabulary)
    return replace(samples, endpoint=Words(samples.endpoint.codes, known))


def merge_facts(parts: Sequence[Part], rows: Rows) -> PhaseFacts:
    """Return what holds of all workers together; ``rows`` are all of theirs.

    Counts are sums. Quantiles are those of all arrivals, never a mean of the workers' quantiles.
    """
    facts = [part.facts for part in parts]
    dispatch_lag_s = rows.samples.dispatch_lag_s[rows.planned]
    return PhaseFacts(
        phase=facts[0].phase,
        scheduled=sum(each.scheduled for each in facts),
        sent=sum(each.sent for each in facts),
        completed=sum(each.completed for each in facts),
        bad=sum(each.bad for each in facts),
        queued=sum(each.queued for each in facts),
        backlog_at_start=sum(each.backlog_at_start for each in facts),
        backlog_max=sum(each.backlog_max for each in facts),
        unfinished=sum(each.unfinished for each in facts),
        elapsed_s=max(each.elapsed_s for each in facts),
        dispatch_lag_p50_s=quantile(dispatch_lag_s, 0.5),
        dispatch_lag_p99_s=quantile(dispatch_lag_s, 0.99),
        dispatch_lag_max_s=quantile(dispatch_lag_s, 1),
        start_lag_p99_s=quantile(rows.samples.start_lag_s[rows.planned], 0.99),
        cpu_ratio=_worst([each.cpu_ratio for each in facts]),
        wait_ratio=_worst([each.wait_ratio for each in facts]),
        workers=tuple(_worker_facts(part) for part in parts),
    )


def _worker_facts(part: Part) -> WorkerFacts:
    facts = part.facts
    return WorkerFacts(
        worker=part.worker,
        machine=part.machine,
        pid=part.pid,
        scheduled=facts.scheduled,
        sent=facts.sent,
        completed=facts.completed,
        queued=facts.queued,
        dispatch_lag_p99_s=facts.dispatch_lag_p99_s,
        cpu_ratio=facts.cpu_ratio,
        wait_ratio=facts.wait_ratio,
        clock_error_s=part.clock_error_s,
    )


def _worst(ratios: Sequence[float | None]) -> float | None:
    """Return the greatest that is known."""
    return max((ratio for ratio in ratios if ratio is not None), default=None)
