"""Jobs in one SQLite file that several processes share."""

from service.adapters.sqlite.jobs import SqliteJobs

__all__ = ["SqliteJobs"]
