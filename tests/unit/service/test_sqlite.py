"""What is SQLite's own: locks, schema versions, files that go away, what is synced."""

import asyncio
import os
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from service.adapters.sqlite import SqliteJobs
from service.adapters.sqlite.database import Database
from service.domain.job import Job, Origin
from service.ports import StoreUnavailableError
from tests.unit.service.conftest import opened

JOB = Job(id="a", kind="sleep", params={}, origin=Origin(), submitted_at=1)


def locked(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("BEGIN IMMEDIATE")
    return connection


def test_a_write_waits_for_a_lock_that_is_released_soon(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with opened(tmp_path / "jobs.db") as store:
            with closing(locked(tmp_path / "jobs.db")) as other:
                threading.Timer(0.05, other.rollback).start()
                await store.add(JOB)
            assert await store.get("a") is not None

    asyncio.run(scenario())


def test_a_write_gives_up_on_a_lock_that_is_kept_and_reads_go_on(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with opened(tmp_path / "jobs.db") as store:
            with closing(locked(tmp_path / "jobs.db")):
                with pytest.raises(StoreUnavailableError, match="database is locked"):
                    await store.add(JOB)
                with pytest.raises(StoreUnavailableError, match="database is locked"):
                    await store.check()
                assert await store.get("a") is None
            await store.add(JOB)

    asyncio.run(scenario())


def test_a_read_does_not_queue_behind_a_write(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with opened(tmp_path / "jobs.db") as store:
            with closing(locked(tmp_path / "jobs.db")) as other:
                write = asyncio.create_task(store.add(JOB))
                await asyncio.sleep(0)
                assert await store.get("a") is None
                assert not write.done()
                other.rollback()
                await write

    asyncio.run(scenario())


def test_many_processes_may_create_the_store_at_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        stores = [SqliteJobs(tmp_path / "jobs.db") for _ in range(8)]
        await asyncio.gather(*(store.open() for store in stores))
        await stores[0].add(JOB)
        assert await stores[7].get("a") == JOB
        await asyncio.gather(*(store.close() for store in stores))

    asyncio.run(scenario())


def test_a_store_of_another_version_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "jobs.db")) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreUnavailableError, match="has schema version 99, this service needs 1"):
        asyncio.run(SqliteJobs(tmp_path / "jobs.db").open())
    assert not [fd for fd in Path("/proc/self/fd").iterdir() if str(tmp_path) in os.path.realpath(fd)]


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "jobs.db").write_bytes(b"PK\x03\x04" * 1000)
    with pytest.raises(StoreUnavailableError, match=r"jobs\.db: file is not a database"):
        asyncio.run(SqliteJobs(tmp_path / "jobs.db").open())


def test_a_check_notices_that_the_file_was_removed_or_replaced(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"

    async def scenario() -> None:
        async with opened(path) as store:
            path.rename(tmp_path / "moved.db")
            with pytest.raises(StoreUnavailableError, match="No such file"):
                await store.check()
            path.touch()
            with pytest.raises(StoreUnavailableError, match="replaced by another file"):
                await store.check()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("configured", "durable", "expected"),
    [("full", True, 2), ("full", False, 1), ("normal", True, 1), ("normal", False, 1)],
    ids=["a durable commit is synced", "another is not", "nothing is, when so configured", "as before"],
)
def test_what_is_synced(tmp_path: Path, configured: str, *, durable: bool, expected: int) -> None:
    def synchronous(database: Database) -> tuple[int, int]:
        with database.transaction(durable=durable) as connection:
            (during,) = connection.execute("PRAGMA synchronous").fetchone()
        (after,) = database.connection.execute("PRAGMA synchronous").fetchone()
        return during, after

    async def scenario() -> tuple[int, int]:
        database = Database(
            tmp_path / "x.db",
            name="test",
            busy_s=1,
            synchronous="full" if configured == "full" else "normal",
        )
        try:
            return await database.run(synchronous)
        finally:
            await database.close()

    assert asyncio.run(scenario()) == (expected, 2 if configured == "full" else 1)


def test_a_transaction_that_raises_leaves_nothing_behind(tmp_path: Path) -> None:
    def fail(database: Database) -> None:
        with database.transaction() as connection:
            connection.execute("CREATE TABLE t (x)")
            raise sqlite3.IntegrityError("as a constraint would")

    async def scenario() -> list[sqlite3.Row]:
        database = Database(tmp_path / "x.db", name="test", busy_s=1, synchronous="full")
        try:
            with pytest.raises(StoreUnavailableError, match="as a constraint would"):
                await database.run(fail)
            return await database.run(lambda db: db.query("SELECT * FROM sqlite_master"))
        finally:
            await database.close()

    assert asyncio.run(scenario()) == []
