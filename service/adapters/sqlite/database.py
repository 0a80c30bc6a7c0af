"""One SQLite connection in a thread of its own, its transactions and its patience; knows no tables."""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TypeAlias, TypeVar

from service.ports import StoreUnavailableError

T = TypeVar("T")
Synchronous: TypeAlias = Literal["full", "normal"]

_RETRY_S = 0.001
_PRIMARY_RESULT_CODE = 0xFF


class Database:
    """A connection whose every use runs in its own thread, in the order of the calls.

    SQLite's own ``busy_timeout`` backs off up to 100 ms, which makes the unlucky of several processes wait
    long; a constant pause of 1 ms keeps the tail short. It gives up after ``busy_s`` seconds.
    """

    def __init__(self, path: Path, *, name: str, busy_s: float, synchronous: Synchronous) -> None:
        self._path = path
        self._busy_s = busy_s
        self._synchronous = synchronous
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._connection: sqlite3.Connection | None = None

    async def run(self, work: Callable[["Database"], T]) -> T:
        """Do the work in the thread; a failure of SQLite becomes a ``StoreUnavailableError``."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._translated, work)

    async def close(self) -> None:
        """Close the connection after all work handed in before."""

        def close(database: Database) -> None:
            if database._connection is not None:
                database._connection.close()
                database._connection = None

        await self.run(close)
        self._thread.shutdown()

    def _translated(self, work: Callable[["Database"], T]) -> T:
        try:
            return work(self)
        except (sqlite3.Error, OSError) as exc:
            raise StoreUnavailableError(f"{self._path}: {exc}") from exc

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection, opened on first use; for the work in the thread only."""
        if self._connection is None:
            connection = sqlite3.connect(self._path, isolation_level=None, timeout=0, check_same_thread=True)
            connection.row_factory = sqlite3.Row
            try:
                self.patiently(lambda: connection.execute("PRAGMA journal_mode=WAL").fetchall())
                connection.execute(f"PRAGMA synchronous={self._synchronous}")
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def patiently(self, step: Callable[[], T]) -> T:
        """Take a step again while another connection holds the lock it needs."""
        deadline = time.monotonic() + self._busy_s
        while True:
            try:
                return step()
            except sqlite3.OperationalError as exc:
                busy = exc.sqlite_errorcode & _PRIMARY_RESULT_CODE == sqlite3.SQLITE_BUSY
                if not busy or time.monotonic() > deadline:
                    raise
            time.sleep(_RETRY_S)

    def query(self, sql: str, parameters: tuple[object, ...] = ()) -> list[sqlite3.Row]:
        """Read all rows: a cursor left open would hold its snapshot and keep the WAL from being reset."""
        return self.patiently(lambda: self.connection.execute(sql, parameters).fetchall())

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[sqlite3.Connection]:
        """Write atomically; committed when the block ends, rolled back when it raises or rolls back itself.

        Without ``durable`` the commit is not synced: it outlives the process, but may be lost with the
        power, and then all commits after it are lost too. The next durable commit syncs it as well.
        """
        connection = self.connection
        relaxed = not durable and self._synchronous == "full"
        if relaxed:
            connection.execute("PRAGMA synchronous=normal")
        try:
            # The write lock is taken first: a transaction that read before could not be retried when busy.
            self.patiently(lambda: connection.execute("BEGIN IMMEDIATE"))
            try:
                yield connection
                connection.commit()
            except BaseException:
                connection.rollback()
                raise
        finally:
            if relaxed:
                connection.execute("PRAGMA synchronous=full")
