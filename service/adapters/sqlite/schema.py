"""The tables, their version, and how they come to be."""

from service.adapters.sqlite.database import Database
from service.ports import StoreUnavailableError

VERSION = 1

_TABLES = (
    """
    CREATE TABLE jobs (
        seq INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        params TEXT NOT NULL,
        request_id TEXT,
        user_id TEXT,
        traceparent TEXT,
        submitted_at REAL NOT NULL,
        available_at REAL NOT NULL,
        state TEXT NOT NULL,
        attempt INTEGER NOT NULL,
        owner TEXT,
        lease_until REAL,
        started_at REAL,
        finished_at REAL,
        result TEXT,
        error TEXT
    ) STRICT
    """,
    # Claims take the queued in the order of their arrival; the index holds only them, so it stays small.
    "CREATE INDEX jobs_queued ON jobs (seq, available_at) WHERE state = 'queued'",
    "CREATE INDEX jobs_running ON jobs (lease_until) WHERE state = 'running'",
    "CREATE INDEX jobs_census ON jobs (state, kind)",
    # Only ever appended to, and free to hold a job twice: it is the proof that none is.
    """
    CREATE TABLE completions (
        seq INTEGER PRIMARY KEY,
        job_id TEXT NOT NULL,
        owner TEXT NOT NULL,
        attempt INTEGER NOT NULL,
        state TEXT NOT NULL,
        finished_at REAL NOT NULL
    ) STRICT
    """,
    "CREATE INDEX completions_job ON completions (job_id)",
)


def create(database: Database) -> None:
    """Make the tables unless they are there; safe when several processes start at once.

    Raise ``StoreUnavailableError`` for a file that another version of the service wrote.
    """
    with database.transaction() as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == VERSION:
            return
        if version != 0:
            raise StoreUnavailableError(
                f"the store has schema version {version}, this service needs {VERSION}"
            )
        for statement in _TABLES:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")
