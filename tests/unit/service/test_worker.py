"""The worker: bounded, patient with failures, honest about leases; against the real store."""

import asyncio
import random
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import pytest

from service.adapters.sqlite import SqliteJobs
from service.domain.job import Failed, Job, JobState, JsonObject, Origin, Succeeded
from service.domain.rules import RetryRule
from service.ports import JobEnded, JobHandler
from service.worker import Worker, WorkerLimits
from tests.unit.service.conftest import opened


class SystemClock:
    def now(self) -> float:
        return time.time()


@dataclass(frozen=True)
class NoParams:
    pass


class Gated:
    """A job that runs until the test lets it go."""

    kind: ClassVar[str] = "gated"
    params: ClassVar[type] = NoParams

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.running = 0
        self.most = 0
        self.begun = 0

    async def run(self, _params: NoParams) -> JsonObject:
        self.begun += 1
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await self.gate.wait()
        finally:
            self.running -= 1
        return {"done": True}


class Flaky:
    """A job that fails so many times before it succeeds."""

    kind: ClassVar[str] = "flaky"
    params: ClassVar[type] = NoParams

    def __init__(self, failures: int) -> None:
        self.failures = failures

    async def run(self, _params: NoParams) -> JsonObject:
        if self.failures:
            self.failures -= 1
            raise ValueError("not yet")
        return {}


class Unserializable:
    kind: ClassVar[str] = "unserializable"
    params: ClassVar[type] = NoParams

    async def run(self, _params: NoParams) -> JsonObject:
        return {"result": object()}


@dataclass
class Recorder:
    """A job observer that remembers."""

    waits: list[float] = field(default_factory=list)
    ended_jobs: list[JobEnded] = field(default_factory=list)

    def submitted(self, kind: str) -> None:
        raise AssertionError(f"no worker submits jobs, not even {kind}")

    def started(self, _kind: str, *, wait_s: float) -> None:
        self.waits.append(wait_s)

    def ended(self, facts: JobEnded) -> None:
        self.ended_jobs.append(facts)


@dataclass
class Bench:
    """A worker at work on a store."""

    store: SqliteJobs
    worker: Worker
    recorder: Recorder
    task: asyncio.Task[None]
    submitted: int = 0

    async def submit(self, kind: str, count: int = 1) -> list[str]:
        names = [f"{kind}-{self.submitted + n}" for n in range(count)]
        self.submitted += count
        for name in names:
            await self.store.add(
                Job(id=name, kind=kind, params={}, origin=Origin(), submitted_at=time.time())
            )
        self.worker.wake()
        return names

    async def job(self, name: str) -> Job:
        found = await self.store.get(name)
        assert found is not None
        return found

    async def reached(self, names: list[str], state: JobState) -> None:
        async def all_there() -> bool:
            return all([(await self.job(name)).state == state for name in names])

        await eventually(all_there)


async def eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await condition():  # noqa: ASYNC110  # the store has no event to wait for
            await asyncio.sleep(0.01)


async def until(condition: Callable[[], bool]) -> None:
    async def asked() -> bool:
        return condition()

    await eventually(asked)


@asynccontextmanager
async def bench(
    path: Path,
    *handlers: JobHandler,
    concurrency: int = 4,
    lease_s: float = 5,
    max_attempts: int = 3,
    poll_s: float = 0.02,
) -> AsyncIterator[Bench]:
    recorder = Recorder()
    async with opened(path / "jobs.db") as store:
        worker = Worker(
            owner="me",
            store=store,
            handlers={handler.kind: handler for handler in handlers},
            clock=SystemClock(),
            observer=recorder,
            scope=lambda _: nullcontext(),
            limits=WorkerLimits(concurrency=concurrency, lease_s=lease_s, poll_s=poll_s),
            retry_rule=RetryRule(max_attempts=max_attempts, first_delay_s=0.01),
            rng=random.Random(1),  # noqa: S311  # the same polls every time
        )
        task = asyncio.create_task(worker.run())
        yield Bench(store, worker, recorder, task)
        worker.drain(within_s=0)
        await task


def test_jobs_run_many_at_once_but_never_more_than_allowed(tmp_path: Path) -> None:
    async def scenario() -> None:
        gated = Gated()
        async with bench(tmp_path, gated, concurrency=4) as work:
            names = await work.submit("gated", 10)
            await until(lambda: gated.running == 4)
            assert (await work.store.census()).jobs == {
                (JobState.RUNNING, "gated"): 4,
                (JobState.QUEUED, "gated"): 6,
            }
            gated.gate.set()
            await work.reached(names, JobState.SUCCEEDED)
            assert gated.most == 4
            assert {(await work.job(name)).completions for name in names} == {1}

    asyncio.run(scenario())


def test_a_submitted_job_starts_at_once_and_a_freed_slot_is_filled_at_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        gated = Gated()
        async with bench(tmp_path, gated, concurrency=1, poll_s=3600) as work:
            await until(lambda: work.worker.running)
            names = await work.submit("gated", 3)
            await until(lambda: gated.begun == 1)
            gated.gate.set()
            await work.reached(names, JobState.SUCCEEDED)

    asyncio.run(scenario())


def test_jobs_of_other_processes_are_found_by_polling(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with bench(tmp_path, Flaky(0)) as work, opened(tmp_path / "jobs.db") as other:
            await other.add(Job(id="x", kind="flaky", params={}, origin=Origin(), submitted_at=time.time()))
            await work.reached(["x"], JobState.SUCCEEDED)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("failures", "state", "attempt", "error"),
    [
        (0, JobState.SUCCEEDED, 1, None),
        (2, JobState.SUCCEEDED, 3, None),
        (3, JobState.FAILED, 3, "ValueError: not yet (attempt 3 of 3)"),
    ],
    ids=["success", "success in the end", "failure in the end"],
)
def test_a_failing_attempt_is_tried_again_up_to_the_limit(
    tmp_path: Path, failures: int, state: JobState, attempt: int, error: str | None
) -> None:
    async def scenario() -> None:
        async with bench(tmp_path, Flaky(failures)) as work:
            (name,) = await work.submit("flaky")
            await work.reached([name], state)
            ended = await work.job(name)
            assert (ended.attempt, ended.error, ended.completions) == (attempt, error, 1)
            await until(lambda: len(work.recorder.ended_jobs) == 1)
            (facts,) = work.recorder.ended_jobs
            assert (facts.kind, facts.state) == ("flaky", state)
            assert facts.run_s is not None
            assert 0 <= facts.run_s <= facts.end_to_end_s
            assert len(work.recorder.waits) == attempt

    asyncio.run(scenario())


def test_a_kind_that_nobody_knows_fails_with_what_is_known(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with bench(tmp_path, Gated(), Flaky(0)) as work:
            (name,) = await work.submit("dance")
            await work.reached([name], JobState.FAILED)
            assert (await work.job(name)).error == "unknown kind 'dance', known are flaky, gated"

    asyncio.run(scenario())


def test_a_result_that_cannot_be_kept_does_not_stop_the_worker(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with bench(tmp_path, Unserializable(), Flaky(0), lease_s=0.3, max_attempts=1) as work:
            (bad,) = await work.submit("unserializable")
            (good,) = await work.submit("flaky")
            await work.reached([good], JobState.SUCCEEDED)
            await work.reached([bad], JobState.FAILED)
            assert (await work.job(bad)).error == "lease expired on attempt 1 of 1"

    asyncio.run(scenario())


def test_a_job_longer_than_its_lease_keeps_it_by_heartbeats(tmp_path: Path) -> None:
    async def scenario() -> None:
        gated = Gated()
        async with bench(tmp_path, gated, lease_s=0.3) as work, opened(tmp_path / "jobs.db") as other:
            (name,) = await work.submit("gated")
            await until(lambda: gated.running == 1)
            for _ in range(10):  # a second: more than three leases
                await asyncio.sleep(0.1)
                assert await other.recover(now=time.time(), decide=lambda _: Failed("taken")) == []
            gated.gate.set()
            await work.reached([name], JobState.SUCCEEDED)
            assert (await work.job(name)).attempt == 1

    asyncio.run(scenario())


def test_a_job_whose_lease_was_lost_is_cancelled_and_its_end_belongs_to_the_other(tmp_path: Path) -> None:
    async def scenario() -> None:
        gated = Gated()
        async with bench(tmp_path, gated, lease_s=0.6) as work, opened(tmp_path / "jobs.db") as other:
            (name,) = await work.submit("gated")
            await until(lambda: gated.running == 1)
            far = time.time() + 3600
            await other.recover(
                now=far, decide=lambda attempt: RetryRule(max_attempts=9).after_expiry(attempt=attempt, now=0)
            )
            (taken,) = await other.claim(owner="you", limit=1, now=time.time(), lease_s=3600)
            await until(lambda: gated.running == 0)
            assert await other.settle(taken.lease, Succeeded({"by": "you"}), now=time.time())
            gated.gate.set()
            ended = await work.job(name)
            assert (ended.result, ended.completions) == ({"by": "you"}, 1)
            assert work.recorder.ended_jobs == []

    asyncio.run(scenario())


def test_jobs_of_a_dead_process_are_taken_over_and_given_up_at_the_limit(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with opened(tmp_path / "jobs.db") as dead:
            for name in ("first", "last"):
                await dead.add(Job(id=name, kind="flaky", params={}, origin=Origin(), submitted_at=1))
            await dead.claim(owner="dead", limit=1, now=2, lease_s=1)
            await dead.recover(
                now=4, decide=lambda attempt: RetryRule(max_attempts=9).after_expiry(attempt=attempt, now=0)
            )
            await dead.claim(owner="dead", limit=2, now=5, lease_s=1)
        async with bench(tmp_path, Flaky(0), lease_s=0.3, max_attempts=2) as work:
            await work.reached(["last"], JobState.SUCCEEDED)
            await work.reached(["first"], JobState.FAILED)
            await until(lambda: len(work.recorder.ended_jobs) == 2)
            given_up = next(facts for facts in work.recorder.ended_jobs if facts.state == JobState.FAILED)
            assert given_up.run_s is None

    asyncio.run(scenario())


def test_draining_claims_no_more_and_lets_running_jobs_finish(tmp_path: Path) -> None:
    async def scenario() -> None:
        gated = Gated()
        async with bench(tmp_path, gated, concurrency=2) as work:
            running = await work.submit("gated", 2)
            await until(lambda: gated.running == 2)
            work.worker.drain(within_s=30)
            work.worker.drain(within_s=0)  # changes nothing
            (late,) = await work.submit("gated")
            gated.gate.set()
            await work.task
            assert not work.worker.running
            assert {(await work.job(name)).state for name in running} == {JobState.SUCCEEDED}
            assert (await work.job(late)).state == JobState.QUEUED

    asyncio.run(scenario())


def test_draining_releases_what_does_not_finish_in_time(tmp_path: Path) -> None:
    async def scenario() -> None:
        gated = Gated()
        async with bench(tmp_path, gated) as work:
            names = await work.submit("gated", 3)
            await until(lambda: gated.running == 3)
            work.worker.drain(within_s=0)
            await work.task
            assert gated.running == 0
            assert {((await work.job(n)).state, (await work.job(n)).attempt) for n in names} == {
                (JobState.QUEUED, 0)
            }

    asyncio.run(scenario())


def test_a_store_that_is_away_for_a_while_is_waited_for(tmp_path: Path) -> None:
    async def scenario() -> None:
        gated = Gated()
        async with bench(tmp_path, gated, lease_s=30) as work:
            (name,) = await work.submit("gated")
            await until(lambda: gated.running == 1)
            async with locked(tmp_path / "jobs.db"):
                gated.gate.set()
                await asyncio.sleep(0.5)  # longer than the store's patience
                assert (await work.job(name)).state == JobState.RUNNING
            await work.reached([name], JobState.SUCCEEDED)
            assert work.worker.running

    asyncio.run(scenario())


@asynccontextmanager
async def locked(path: Path) -> AsyncIterator[None]:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE")
                break
            except sqlite3.OperationalError:
                await asyncio.sleep(0.01)
        yield
    finally:
        connection.close()
