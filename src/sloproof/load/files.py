"""Samples and ledgers on disk, as Parquet; a file appears whole under its name or not at all."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from sloproof.analysis.jobs import Jobs
from sloproof.analysis.samples import Samples

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sloproof.load.ledger import Accepted, Reading

SAMPLES = "samples.parquet"
JOBS = "jobs.parquet"
JOBS_SCHEMA = pa.schema(
    [
        pa.field("location", pa.string(), nullable=False),
        pa.field("phase", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("intended_at_s", pa.float64(), nullable=False),
        pa.field("state", pa.string(), nullable=False),
        pa.field("attempt", pa.int64(), nullable=False),
        pa.field("completions", pa.int64(), nullable=False),
        pa.field("finished_at_s", pa.float64(), nullable=False),
        pa.field("found", pa.bool_()),  # null: the subject did not say, or was not asked
    ]
)


def write_samples(folder: Path, samples: Samples, *, epoch_unix_s: float) -> None:
    """Write ``samples.parquet``, with the generator's epoch in Unix seconds among its metadata."""
    table = samples.to_table().replace_schema_metadata({"epoch_unix_s": repr(epoch_unix_s)})
    _write(folder / SAMPLES, table)


def read_samples(folder: Path) -> Samples:
    """Read ``samples.parquet``."""
    return Samples.from_table(pq.read_table(folder / SAMPLES))


def write_jobs(folder: Path, accepted: Sequence[Accepted], readings: Sequence[Reading]) -> None:
    """Write ``jobs.parquet``, a row for each accepted job with what was last read of it."""
    rows = zip(accepted, readings, strict=True)
    jobs = [
        {
            "location": job.location,
            "phase": job.phase,
            "intended_at_s": job.intended_at_s,
            "state": reading.state,
            "attempt": reading.attempt,
            "completions": reading.completions,
            "finished_at_s": reading.finished_at_s,
            "found": reading.found,
        }
        for job, reading in rows
    ]
    _write(folder / JOBS, pa.Table.from_pylist(jobs, schema=JOBS_SCHEMA))


def read_jobs(folder: Path) -> Jobs:
    """Read ``jobs.parquet``."""
    return Jobs.from_table(pq.read_table(folder / JOBS))


def _write(path: Path, table: pa.Table) -> None:
    scratch = path.with_name(f".{path.name}.tmp")
    with scratch.open("wb") as file:
        pq.write_table(table, file, compression="zstd")
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(path)
