"""What every job store promises, held against each there is."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from service.domain.job import Failed, Job, JobState, Lease, LeasedJob, Origin, Outcome, Retry, Succeeded
from service.domain.rules import RetryRule
from service.ports import JobStore

Scenario = Callable[[JobStore], Awaitable[object]]
InStore = Callable[[Scenario], object]

RULE = RetryRule(max_attempts=2)


def job(name: str = "a", *, at: float = 100.0) -> Job:
    return Job(id=name, kind="sleep", params={"duration_s": 1.5}, origin=Origin(), submitted_at=at)


async def claim(
    store: JobStore, *, owner: str = "me", limit: int = 10, now: float = 200.0
) -> list[LeasedJob]:
    return list(await store.claim(owner=owner, limit=limit, now=now, lease_s=5))


async def claimed(store: JobStore, *, owner: str = "me", now: float = 200.0) -> Lease:
    (only,) = await claim(store, owner=owner, now=now)
    return only.lease


async def recover(store: JobStore, *, now: float) -> list[tuple[str, Retry | Failed]]:
    recovered = await store.recover(
        now=now, decide=lambda attempt: RULE.after_expiry(attempt=attempt, now=now)
    )
    return [(job.lease.job_id, job.outcome) for job in recovered]


async def look(store: JobStore, name: str = "a") -> Job:
    found = await store.get(name)
    assert found is not None
    return found


def test_a_job_is_found_as_it_was_added(in_store: InStore) -> None:
    origin = Origin(request_id="r", user_id="u", traceparent="t")
    added = replace(job(), origin=origin)

    async def add(store: JobStore) -> None:
        await store.add(added)
        assert await store.get("a") == added

    in_store(add)

    async def look_again(store: JobStore) -> None:
        assert await store.get("a") == added
        assert await store.get("b") is None

    in_store(look_again)


def test_a_claim_leases_the_oldest_first_and_no_job_twice(in_store: InStore) -> None:
    async def scenario(store: JobStore) -> None:
        for number in range(5):
            await store.add(job(f"j{number}", at=100 + number))
        first = await claim(store, owner="me", limit=2)
        second = await claim(store, owner="you", limit=10)
        assert [leased.lease for leased in first] == [Lease("j0", "me", 1), Lease("j1", "me", 1)]
        assert [leased.lease.job_id for leased in second] == ["j2", "j3", "j4"]
        assert await claim(store) == []
        assert first[0].params == {"duration_s": 1.5}
        assert (first[0].submitted_at, first[0].available_at, first[0].started_at) == (100, 100, 200)
        running = await look(store, "j0")
        assert (running.state, running.attempt, running.started_at) == (JobState.RUNNING, 1, 200)

    in_store(scenario)


@pytest.mark.parametrize(
    ("outcome", "state"),
    [(Succeeded({"x": 1}), JobState.SUCCEEDED), (Failed("broken"), JobState.FAILED)],
    ids=["succeeded", "failed"],
)
def test_a_settled_job_has_ended_once_and_for_all(
    in_store: InStore, outcome: Outcome, state: JobState
) -> None:
    async def scenario(store: JobStore) -> None:
        await store.add(job())
        lease = await claimed(store)
        assert await store.settle(lease, outcome, now=300)
        ended = await look(store)
        assert (ended.state, ended.finished_at, ended.completions) == (state, 300, 1)
        assert ended.result == (outcome.result if isinstance(outcome, Succeeded) else None)
        assert ended.error == (outcome.error if isinstance(outcome, Failed) else None)

        assert not await store.settle(lease, Failed("again"), now=301)
        await store.release([lease], now=302)
        assert await store.extend([lease], until=999) == []
        assert await recover(store, now=10_000) == []
        assert await claim(store, now=10_000) == []
        assert await look(store) == ended

    in_store(scenario)


def test_a_retry_may_be_claimed_from_its_time_on(in_store: InStore) -> None:
    async def scenario(store: JobStore) -> None:
        await store.add(job())
        assert await store.settle(await claimed(store), Retry("flaky", 210), now=205)
        waiting = await look(store)
        assert (waiting.state, waiting.error, waiting.completions) == (JobState.QUEUED, "flaky", 0)
        assert await claim(store, now=209.9) == []
        (again,) = await claim(store, now=210)
        assert (again.lease.attempt, again.available_at, again.submitted_at) == (2, 210, 100)

    in_store(scenario)


def test_whoever_lost_a_lease_can_change_nothing_any_more(in_store: InStore) -> None:
    async def scenario(store: JobStore) -> None:
        await store.add(job())
        lost = await claimed(store, owner="slow", now=200)
        assert await recover(store, now=205.1) == [("a", Retry("lease expired on attempt 1 of 2", 205.1))]
        held = await claimed(store, owner="quick", now=205.2)
        before = await look(store)

        assert not await store.settle(lost, Succeeded({}), now=206)
        assert not await store.settle(lost, Retry("late", 0), now=206)
        await store.release([lost], now=206)
        assert await store.extend([lost, held], until=300) == [held]
        assert await look(store) == before
        assert await store.settle(held, Succeeded({}), now=207)
        assert (await look(store)).completions == 1

    in_store(scenario)


def test_the_same_owner_loses_an_attempt_that_it_claimed_again(in_store: InStore) -> None:
    async def scenario(store: JobStore) -> None:
        await store.add(job())
        first = await claimed(store, now=200)
        await recover(store, now=206)
        second = await claimed(store, now=207)
        assert not await store.settle(first, Succeeded({}), now=208)
        assert await store.settle(second, Succeeded({}), now=208)

    in_store(scenario)


def test_an_extended_lease_does_not_run_out(in_store: InStore) -> None:
    async def scenario(store: JobStore) -> None:
        await store.add(job())
        lease = await claimed(store, now=200)  # until 205
        assert await store.extend([lease], until=210) == [lease]
        assert await recover(store, now=209.9) == []
        assert await recover(store, now=210.1) != []

    in_store(scenario)


def test_a_job_whose_last_lease_runs_out_has_failed_with_the_reason(in_store: InStore) -> None:
    async def scenario(store: JobStore) -> None:
        await store.add(job())
        await claimed(store, now=200)
        await recover(store, now=206)
        await claimed(store, now=206)
        assert await recover(store, now=212) == [("a", Failed("lease expired on attempt 2 of 2"))]
        ended = await look(store)
        assert (ended.state, ended.completions) == (JobState.FAILED, 1)
        assert ended.error == "lease expired on attempt 2 of 2"

    in_store(scenario)


def test_a_released_job_is_queued_as_if_it_had_not_been_started(in_store: InStore) -> None:
    async def scenario(store: JobStore) -> None:
        await store.add(job())
        await store.release([await claimed(store)], now=250)
        released = await look(store)
        assert (released.state, released.attempt, released.started_at) == (JobState.QUEUED, 0, None)
        (again,) = await claim(store, owner="you", now=251)
        assert (again.lease.attempt, again.available_at) == (1, 250)

    in_store(scenario)


def test_the_census_counts_by_state_and_kind_and_finds_the_oldest(in_store: InStore) -> None:
    async def scenario(store: JobStore) -> None:
        empty = await store.census()
        assert (dict(empty.jobs), empty.oldest_queued_at) == ({}, None)
        for number in range(4):
            await store.add(job(f"j{number}", at=100 + number))
        await store.add(replace(job("d"), kind="digest"))
        for leased in await claim(store, limit=2):
            if leased.lease.job_id == "j0":
                await store.settle(leased.lease, Succeeded({}), now=201)
        census = await store.census()
        assert census.jobs == {
            (JobState.SUCCEEDED, "sleep"): 1,
            (JobState.RUNNING, "sleep"): 1,
            (JobState.QUEUED, "sleep"): 2,
            (JobState.QUEUED, "digest"): 1,
        }
        assert census.oldest_queued_at == 102

    in_store(scenario)


def test_a_check_of_a_sound_store_changes_nothing(in_store: InStore) -> None:
    async def scenario(store: JobStore) -> None:
        await store.add(job())
        before = await look(store)
        await store.check()
        assert await look(store) == before

    in_store(scenario)


def test_concurrent_claims_share_the_jobs_out(in_store: InStore) -> None:
    async def scenario(store: JobStore) -> None:
        for number in range(40):
            await store.add(job(f"j{number}"))
        claims = await asyncio.gather(*(claim(store, owner=f"o{n}", limit=7) for n in range(8)))
        taken = [leased.lease.job_id for leases in claims for leased in leases]
        assert sorted(taken) == sorted({f"j{number}" for number in range(40)})

    in_store(scenario)
