"""A real store in a folder of the test's own, and how to use it from a test that is not asynchronous."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeAlias, TypeVar

import pytest

from service.adapters.sqlite import SqliteJobs

T = TypeVar("T")
InStore: TypeAlias = Callable[[Callable[[SqliteJobs], Awaitable[T]]], T]


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[SqliteJobs]:
    store = SqliteJobs(path, busy_s=0.2)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


@pytest.fixture
def in_store(tmp_path: Path) -> InStore[object]:
    """Run a scenario against a store; it outlives the scenario, and the next one finds it again."""

    def run(scenario: Callable[[SqliteJobs], Awaitable[T]]) -> T:
        async def main() -> T:
            async with opened(tmp_path / "jobs.db") as store:
                return await scenario(store)

        return asyncio.run(main())

    return run
