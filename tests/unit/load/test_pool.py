from __future__ import annotations

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from sloproof.load.pool import Pool

USERS = 8


def filled(users: int = USERS, *, seed: int = 1) -> Pool[int, str]:
    pool: Pool[int, str] = Pool(kinds=1, rng=random.Random(seed))  # noqa: S311 - no secret
    for user in range(users):
        pool.release(f"user {user}", 0)
    return pool


@given(st.lists(st.booleans(), max_size=200), st.integers(0, 5), st.integers(0, 100))
def test_every_arrival_is_served_once_in_order_and_no_user_twice_at_a_time(
    steps: list[bool], users: int, seed: int
) -> None:
    pool = filled(users, seed=seed)
    serving: dict[str, int] = {}
    served: list[int] = []
    arrivals = 0
    for arrive in steps:
        if arrive:
            if (user := pool.take(arrivals, 0)) is not None:
                assert user not in serving
                serving[user] = arrivals
            arrivals += 1
        elif serving:
            user, arrival = next(iter(serving.items()))
            served.append(arrival)
            del serving[user]
            if (waited := pool.release(user, 0)) is not None:
                serving[user] = waited
        assert pool.backlog == arrivals - len(served) - len(serving)
        assert pool.idle() == [users - len(serving)]
        assert not (pool.backlog and pool.idle()[0])
    started = sorted([*served, *serving.values()])
    assert started == list(range(len(started)))


def test_users_are_chosen_evenly_at_random() -> None:
    pool, chosen = filled(), Counter[str]()
    for arrival in range(8_000):
        user = pool.take(arrival, 0)
        assert user is not None
        chosen[user] += 1
        pool.release(user, 0)
    assert len(chosen) == USERS
    assert 900 < min(chosen.values()) <= max(chosen.values()) < 1_100


def test_the_choice_is_the_same_for_the_same_seed() -> None:
    def choices(seed: int) -> list[str | None]:
        pool = filled(seed=seed)
        return [pool.take(arrival, 0) for arrival in range(USERS)]

    assert choices(1) == choices(1) != choices(2)


def test_touching_all_serves_every_idle_user_before_any_a_second_time() -> None:
    pool = filled()
    pool.begin(touch_all=True)
    first = []
    for arrival in range(USERS):
        user = pool.take(arrival, 0)
        assert user is not None
        first.append(user)
        pool.release(user, 0)
    assert len(set(first)) == USERS
    assert pool.idle() == [USERS]


def test_what_waits_is_counted_and_forgotten_when_abandoned() -> None:
    pool = filled(1)
    assert pool.take(0, 0) == "user 0"
    assert [pool.take(arrival, 0) for arrival in (1, 2, 3)] == [None, None, None]
    assert pool.release("user 0", 0) == 1
    assert (pool.queued, pool.backlog, pool.backlog_max) == (3, 2, 3)
    pool.abandon()
    assert pool.release("user 0", 0) is None
    pool.begin(touch_all=False)
    assert (pool.queued, pool.backlog, pool.backlog_max) == (0, 0, 0)


def test_a_user_of_another_kind_does_not_help_out() -> None:
    pool: Pool[int, str] = Pool(kinds=2, rng=random.Random(1))  # noqa: S311 - no secret
    pool.release("reader", 0)
    assert pool.take(0, 1) is None
    assert pool.idle() == [1, 0]
    assert pool.release("writer", 1) == 0
