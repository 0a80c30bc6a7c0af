from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloproof.load.arrivals import Arrival, Plan, plan, shares
from sloproof.load.sharing import WHOLE, Share, allot

workers = st.integers(1, 64)
weights = st.lists(st.integers(1, 20), min_size=1, max_size=6)
plans = st.builds(
    plan,
    st.sampled_from(Arrival),
    rate=st.floats(0.5, 500),
    duration_s=st.floats(0.5, 20),
    weights=weights,
    seed=st.integers(0, 2**32),
)


@given(plans, workers)
def test_the_shares_of_all_workers_are_the_plan_without_a_gap_or_a_double(whole: Plan, workers: int) -> None:
    parts = [Share(index, workers).part(whole) for index in range(workers)]

    offsets_s, tasks = np.full(len(whole), np.nan), np.full(len(whole), -1)
    for index, part in enumerate(parts):
        offsets_s[index::workers], tasks[index::workers] = part.offsets_s, part.tasks
    assert offsets_s.tolist() == whole.offsets_s.tolist()
    assert tasks.tolist() == whole.tasks.tolist()
    assert sum(map(len, parts)) == len(whole)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
    assert all((np.diff(part.offsets_s) >= 0).all() for part in parts)


def test_one_worker_has_the_whole_plan() -> None:
    whole = plan(Arrival.POISSON, rate=50, duration_s=2, weights=[1, 2], seed=1)
    assert WHOLE.part(whole).offsets_s.tolist() == whole.offsets_s.tolist()


@pytest.mark.parametrize(("index", "of"), [(-1, 2), (2, 2), (0, 0)], ids=["before", "behind", "of_none"])
def test_a_share_that_is_none_of_them_is_refused(index: int, of: int) -> None:
    with pytest.raises(ValueError, match="the first is 0, the last"):
        Share(index, of)


@given(st.integers(0, 900), weights, workers)
def test_users_are_dealt_out_whole_and_evenly_in_all_and_of_each_class(
    users: int, weights: list[int], workers: int
) -> None:
    dealt = np.array(allot(users, weights, workers=workers))
    assert dealt.shape == (workers, len(weights))
    assert dealt.sum(axis=0).tolist() == shares(users, weights)
    assert np.ptp(dealt.sum(axis=1)) <= 1
    assert (np.ptp(dealt, axis=0) <= 1).all()
