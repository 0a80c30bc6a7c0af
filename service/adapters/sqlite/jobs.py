"""The job store in SQL: claims, leases, fenced settlement; knows nothing of HTTP, metrics or schedules."""

import sqlite3
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import assert_never

import orjson

from service.adapters.sqlite import schema
from service.adapters.sqlite.database import Database, Synchronous
from service.domain.job import (
    Failed,
    Job,
    JobState,
    JsonObject,
    Lease,
    LeasedJob,
    Origin,
    Outcome,
    Retry,
    Succeeded,
)
from service.ports import Census, Recovered, StoreUnavailableError

_ADD = """
INSERT INTO jobs (id, kind, params, request_id, user_id, traceparent, submitted_at, available_at,
                  state, attempt)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'queued', 0)
"""
_GET = """
SELECT jobs.*, (SELECT count(*) FROM completions WHERE job_id = jobs.id) AS completions
FROM jobs WHERE id = ?
"""
_CLAIM = """
UPDATE jobs SET state = 'running', attempt = attempt + 1, owner = ?, lease_until = ?, started_at = ?
WHERE seq IN (SELECT seq FROM jobs WHERE state = 'queued' AND available_at <= ? ORDER BY seq LIMIT ?)
RETURNING *
"""
_EXTEND = "UPDATE jobs SET lease_until = ? WHERE id = ? AND owner = ? AND attempt = ? AND state = 'running'"
_END = """
UPDATE jobs SET state = ?, finished_at = ?, result = ?, error = ?, owner = NULL, lease_until = NULL
WHERE id = ? AND owner = ? AND attempt = ? AND state = 'running'
"""
_COMPLETE = "INSERT INTO completions (job_id, owner, attempt, state, finished_at) VALUES (?, ?, ?, ?, ?)"
_RETRY = """
UPDATE jobs SET state = 'queued', available_at = ?, error = ?, owner = NULL, lease_until = NULL
WHERE id = ? AND owner = ? AND attempt = ? AND state = 'running'
"""
_RELEASE = """
UPDATE jobs SET state = 'queued', available_at = ?, attempt = attempt - 1, owner = NULL, lease_until = NULL,
                started_at = NULL
WHERE id = ? AND owner = ? AND attempt = ? AND state = 'running'
"""
_EXPIRED = """
SELECT id, kind, owner, attempt, submitted_at FROM jobs WHERE state = 'running' AND lease_until < ?
"""
_COUNT = "SELECT state, kind, count(*) FROM jobs GROUP BY state, kind"
_OLDEST = "SELECT submitted_at FROM jobs WHERE state = 'queued' ORDER BY seq LIMIT 1"


class SqliteJobs:
    """Jobs in one SQLite file in WAL mode, one writing and one reading connection a process."""

    def __init__(self, path: Path, *, synchronous: Synchronous = "full", busy_s: float = 2.0) -> None:
        self._path = path
        self._writer = Database(path, name="sqlite-writer", busy_s=busy_s, synchronous=synchronous)
        self._reader = Database(path, name="sqlite-reader", busy_s=busy_s, synchronous=synchronous)
        self._inode: int | None = None

    async def open(self) -> None:
        """Make the tables unless they are there. Raise ``StoreUnavailableError``, with nothing left open."""

        def create(database: Database) -> int:
            schema.create(database)
            return self._path.stat().st_ino

        try:
            self._inode = await self._writer.run(create)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Close both connections; the last one of all processes folds the WAL into the file."""
        await self._reader.close()
        await self._writer.close()

    async def add(self, job: Job) -> None:
        """Insert the job, synced to disk before this returns."""
        row = (
            job.id,
            job.kind,
            _dump(job.params),
            job.origin.request_id,
            job.origin.user_id,
            job.origin.traceparent,
            job.submitted_at,
            job.submitted_at,
        )

        def add(database: Database) -> None:
            with database.transaction() as connection:
                connection.execute(_ADD, row)

        await self._writer.run(add)

    async def get(self, job_id: str) -> Job | None:
        """Read the job on the reading connection, so that it does not queue behind writes."""
        rows = await self._reader.run(lambda database: database.query(_GET, (job_id,)))
        return _job(rows[0]) if rows else None

    async def claim(self, *, owner: str, limit: int, now: float, lease_s: float) -> Sequence[LeasedJob]:
        """Take up to ``limit`` jobs in one statement.

        Not synced: a claim lost with the power leaves its job queued, which is what a new start needs.
        """

        def claim(database: Database) -> list[sqlite3.Row]:
            with database.transaction(durable=False) as connection:
                return connection.execute(_CLAIM, (owner, now + lease_s, now, now, limit)).fetchall()

        rows = await self._writer.run(claim)
        return sorted((_leased(row) for row in rows), key=lambda job: job.submitted_at)

    async def extend(self, leases: Collection[Lease], *, until: float) -> Collection[Lease]:
        """Move the end of each lease that is still held; not synced, like claims."""

        def extend(database: Database) -> list[Lease]:
            with database.transaction(durable=False) as connection:
                return [
                    lease for lease in leases if connection.execute(_EXTEND, (until, *_key(lease))).rowcount
                ]

        return await self._writer.run(extend)

    async def settle(self, lease: Lease, outcome: Outcome, *, now: float) -> bool:
        """End the attempt if the lease is still held, and append the completion in the same transaction."""

        def settle(database: Database) -> bool:
            with database.transaction() as connection:
                return _settle(connection, lease, outcome, now)

        return await self._writer.run(settle)

    async def release(self, leases: Collection[Lease], *, now: float) -> None:
        """Queue the jobs again; the attempt is taken back, since neither the job nor its handler failed."""

        def release(database: Database) -> None:
            with database.transaction() as connection:
                for lease in leases:
                    connection.execute(_RELEASE, (now, *_key(lease)))

        await self._writer.run(release)

    async def recover(self, *, now: float, decide: Callable[[int], Retry | Failed]) -> Sequence[Recovered]:
        """Look without the write lock, and take it only where a lease has run out."""

        def recover(database: Database) -> list[Recovered]:
            if not database.query(_EXPIRED + "LIMIT 1", (now,)):
                return []
            with database.transaction() as connection:
                expired = [_recovered(row, decide) for row in connection.execute(_EXPIRED, (now,)).fetchall()]
                for job in expired:
                    _settle(connection, job.lease, job.outcome, now)
                return expired

        return await self._writer.run(recover)

    async def census(self) -> Census:
        """Count the jobs from an index, in milliseconds for a hundred thousand."""

        def census(database: Database) -> Census:
            counts = {(JobState(state), kind): count for state, kind, count in database.query(_COUNT)}
            oldest = database.query(_OLDEST)
            return Census(counts, oldest[0][0] if oldest else None)

        return await self._reader.run(census)

    async def check(self) -> None:
        """Write and roll back; a file that was moved away or replaced does not count as writable."""

        def check(database: Database) -> None:
            if self._path.stat().st_ino != self._inode:
                raise StoreUnavailableError(
                    f"{self._path}: replaced by another file since the service started"
                )
            with database.transaction(durable=False) as connection:
                connection.execute("INSERT INTO completions VALUES (NULL, '', '', 0, '', 0)")
                connection.rollback()

        await self._writer.run(check)


def _settle(connection: sqlite3.Connection, lease: Lease, outcome: Outcome, now: float) -> bool:
    match outcome:
        case Retry(error, available_at):
            return connection.execute(_RETRY, (available_at, error, *_key(lease))).rowcount == 1
        case Succeeded(result):
            return _complete(connection, lease, (JobState.SUCCEEDED, now, _dump(result), None))
        case Failed(error):
            return _complete(connection, lease, (JobState.FAILED, now, None, error))
        case _:
            assert_never(outcome)


def _complete(
    connection: sqlite3.Connection, lease: Lease, ended: tuple[JobState, float, str | None, str | None]
) -> bool:
    if connection.execute(_END, (*ended, *_key(lease))).rowcount == 0:
        return False
    connection.execute(_COMPLETE, (*_key(lease), *ended[:2]))
    return True


def _key(lease: Lease) -> tuple[str, str, int]:
    return lease.job_id, lease.owner, lease.attempt


def _dump(value: JsonObject) -> str:
    return orjson.dumps(value).decode()


def _origin(row: sqlite3.Row) -> Origin:
    return Origin(request_id=row["request_id"], user_id=row["user_id"], traceparent=row["traceparent"])


def _job(row: sqlite3.Row) -> Job:
    return Job(
        id=row["id"],
        kind=row["kind"],
        params=orjson.loads(row["params"]),
        origin=_origin(row),
        submitted_at=row["submitted_at"],
        state=JobState(row["state"]),
        attempt=row["attempt"],
        completions=row["completions"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        result=None if row["result"] is None else orjson.loads(row["result"]),
        error=row["error"],
    )


def _leased(row: sqlite3.Row) -> LeasedJob:
    return LeasedJob(
        lease=Lease(row["id"], row["owner"], row["attempt"]),
        kind=row["kind"],
        params=orjson.loads(row["params"]),
        origin=_origin(row),
        submitted_at=row["submitted_at"],
        available_at=row["available_at"],
        started_at=row["started_at"],
    )


def _recovered(row: sqlite3.Row, decide: Callable[[int], Retry | Failed]) -> Recovered:
    return Recovered(
        lease=Lease(row["id"], row["owner"], row["attempt"]),
        kind=row["kind"],
        submitted_at=row["submitted_at"],
        outcome=decide(row["attempt"]),
    )
