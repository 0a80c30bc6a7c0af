"""When an attempt is tried again and when a job is given up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.job import Failed, Origin, Retry
from service.domain.rules import RetryRule

RULE = RetryRule(max_attempts=4, first_delay_s=1, max_delay_s=3)


@pytest.mark.parametrize(
    ("attempt", "decision"),
    [
        pytest.param(1, Retry("boom", 101), id="the first failure waits the first delay"),
        pytest.param(2, Retry("boom", 102), id="the second waits twice as long"),
        pytest.param(3, Retry("boom", 103), id="the delay is capped"),
        pytest.param(4, Failed("boom (attempt 4 of 4)"), id="the last is final"),
        pytest.param(5, Failed("boom (attempt 5 of 4)"), id="so is one beyond, after the limit was lowered"),
    ],
)
def test_a_failed_attempt(attempt: int, decision: Retry | Failed) -> None:
    assert RULE.after_failure(attempt=attempt, reason="boom", now=100) == decision


@pytest.mark.parametrize(
    ("attempt", "decision"),
    [
        pytest.param(3, Retry("lease expired on attempt 3 of 4", 100), id="is tried again at once"),
        pytest.param(4, Failed("lease expired on attempt 4 of 4"), id="is final when it was the last"),
    ],
)
def test_an_expired_lease(attempt: int, decision: Retry | Failed) -> None:
    assert RULE.after_expiry(attempt=attempt, now=100) == decision


@given(max_attempts=st.integers(1, 50), now=st.floats(0, 1e10))
def test_a_job_that_always_fails_is_given_up_after_exactly_max_attempts(
    max_attempts: int, now: float
) -> None:
    rule = RetryRule(max_attempts=max_attempts)
    decisions = [
        rule.after_failure(attempt=attempt, reason="boom", now=now) for attempt in range(1, max_attempts + 1)
    ]
    assert [isinstance(decision, Failed) for decision in decisions] == [False] * (max_attempts - 1) + [True]
    waits = [decision.available_at - now for decision in decisions if isinstance(decision, Retry)]
    assert waits == sorted(waits)


def test_an_origin_says_what_is_known_of_it() -> None:
    traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    assert Origin().known() == {}
    assert Origin(user_id="anna", traceparent=traceparent).known() == {
        "user_id": "anna",
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    }
