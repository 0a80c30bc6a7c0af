from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloproof.compile import promql
from sloproof.compile.status import ObjectiveStatus, Question, Search, Verdict, exit_status, search
from sloproof.slo.definition import (
    Alerting,
    Availability,
    Definition,
    ErrorRatio,
    Latency,
    Metrics,
    Objective,
    Ratio,
)
from sloproof.slo.tiers import DAY, HOUR, default_tiers

if TYPE_CHECKING:
    from collections.abc import Mapping

NOW_S = 1_800_000_123.0
WINDOW_S = Decimal(30 * DAY)
AVAILABLE = Objective(
    name="availability",
    description="",
    target=Decimal("0.999"),
    indicator=Availability(),
    window_s=WINDOW_S,
    alerting=Alerting(tiers=default_tiers(WINDOW_S)),
    line=5,
)
IN_TIME = replace(AVAILABLE, indicator=Latency(method="POST", route="/jobs", threshold_s=Decimal("0.25")))
SHARE = replace(AVAILABLE, indicator=ErrorRatio("1 - avg_over_time(up[{{window}}])"))
METRICS = Metrics(requests="requests_seconds", matchers={"job": "jobs"})
LONG, SHORT = default_tiers(WINDOW_S)[0].long_s, default_tiers(WINDOW_S)[0].short_s


def question(objective: Objective, covered_s: int = 30 * DAY) -> Question:
    of = Definition(service="jobs", window_s=WINDOW_S, metrics=METRICS, objectives=(objective,))
    return Question(definition=of, objective=objective, covered_s=covered_s, now_s=NOW_S)


def status(
    objective: Objective,
    *period: float | None,
    covered_s: int = 30 * DAY,
    answers: Mapping[tuple[str, int], float | None] | None = None,
) -> ObjectiveStatus:
    """Return the status by the answers on the period, and on windows: the ratio or the total of one."""
    asked = question(objective, covered_s)
    found = dict(zip(asked._period(), period, strict=False))
    for (kind, window_s), value in (answers or {}).items():
        query = asked._ratio(window_s) if kind == "ratio" else asked._total(window_s)
        assert query in asked.queries()
        found[query or ""] = value
    return asked.judge(found)


@pytest.mark.parametrize(
    ("objective", "period", "verdict", "bad", "left"),
    [
        pytest.param(
            AVAILABLE, (1_000_000.0, 400.0), Verdict.MET, 400.0, 0.6, id="some of the budget is spent"
        ),
        pytest.param(AVAILABLE, (1_000_000.0, 1_000.0), Verdict.MET, 1_000.0, 0.0, id="all of it, exactly"),
        pytest.param(AVAILABLE, (1_000_000.0, 3_000.0), Verdict.VIOLATED, 3_000.0, -2.0, id="more than all"),
        pytest.param(AVAILABLE, (1_000.0, None), Verdict.MET, 0.0, 1.0, id="no failure was ever seen"),
        pytest.param(IN_TIME, (10_000.0, 9_998.0), Verdict.MET, 2.0, 0.8, id="good events are counted"),
        pytest.param(IN_TIME, (10_000.0, None), Verdict.VIOLATED, 10_000.0, -999.0, id="no good event ever"),
        pytest.param(IN_TIME, (10.0, 10.000001), Verdict.MET, 0.0, 1.0, id="extrapolated above the total"),
        pytest.param(SHARE, (0.0005,), Verdict.MET, None, 0.5, id="a share without counts"),
    ],
)
def test_the_budget_left_is_what_the_bad_events_leave_of_it(
    objective: Objective, period: tuple[float | None, ...], verdict: Verdict, bad: float | None, left: float
) -> None:
    found = status(objective, *period)

    assert (found.verdict, found.bad) == (verdict, bad)
    assert found.budget_left == pytest.approx(left)
    assert found.reason == ""


@pytest.mark.parametrize(
    ("period", "covered_s", "reason"),
    [
        pytest.param(
            (), 0, "none of its series is there: are the metrics named as in the file, ", id="no series"
        ),
        pytest.param((0.0, 0.0), 2 * HOUR, "its series are there, and there was no event in 2h", id="idle"),
        pytest.param((None, None), 1, "its series give nothing over 1s", id="one sample"),
    ],
)
def test_without_an_event_there_is_no_verdict_but_a_reason(
    period: tuple[float | None, ...], covered_s: int, reason: str
) -> None:
    found = status(AVAILABLE, *period, covered_s=covered_s)

    assert (found.verdict, found.sli, found.budget_left) == (Verdict.NO_DATA, None, None)
    assert found.reason.startswith(reason)


@pytest.mark.parametrize(
    ("objective", "long", "short", "total", "fires"),
    [
        pytest.param(AVAILABLE, 0.02, 0.02, 1_000.0, True, id="both windows burn"),
        pytest.param(AVAILABLE, 0.02, 0.014, 1_000.0, False, id="it is over"),
        pytest.param(AVAILABLE, 0.014, 0.02, 1_000.0, False, id="it has just begun"),
        pytest.param(AVAILABLE, 0.02, 0.02, 249.0, False, id="less than five failures"),
        pytest.param(AVAILABLE, 0.02, 0.02, 250.0, True, id="five failures"),
        pytest.param(AVAILABLE, 0.02, None, 1_000.0, False, id="an idle short window"),
        pytest.param(AVAILABLE, None, None, None, False, id="nothing at all"),
        pytest.param(SHARE, 0.02, 0.02, None, True, id="a share has no failures to wait for"),
    ],
)
def test_a_tier_would_fire_as_its_rule_does(
    objective: Objective, long: float | None, short: float | None, total: float | None, *, fires: bool
) -> None:
    answers = {("ratio", LONG): long, ("ratio", SHORT): short}
    if objective is not SHARE:
        answers["total", LONG] = total

    fast = status(objective, answers=answers).tiers[0]

    assert fast.fires is fires
    assert fast.long_burn_rate == (None if long is None else pytest.approx(long * 1000))


def test_the_current_burn_rate_is_that_of_five_minutes() -> None:
    assert status(AVAILABLE, answers={("ratio", 300): 0.002}).burn_rate == pytest.approx(2)


def test_windows_of_tiers_are_asked_by_the_queries_of_the_rules() -> None:
    asked = question(AVAILABLE).queries()

    for tier in AVAILABLE.alerting.tiers:
        for window_s in (tier.long_s, tier.short_s):
            assert asked[promql.error_ratio(AVAILABLE.indicator, METRICS, window_s)] == NOW_S


def test_a_long_period_is_asked_in_whole_pieces_up_to_the_last_whole_step() -> None:
    asked = question(AVAILABLE, covered_s=HOUR + 100)
    total, _ = asked._period()

    assert total.endswith(")[59m59s:5m])")
    assert asked.queries()[total] == 1_800_000_000


def test_a_short_period_is_asked_in_one_piece() -> None:
    assert next(question(IN_TIME, covered_s=90)._period()) == _total(IN_TIME, 90)


def _total(objective: Objective, window_s: int) -> str:
    events = promql.events(objective.indicator, METRICS, window_s)
    assert events is not None
    return events.total


def test_a_search_looks_for_the_series_of_all_events_as_they_are_now() -> None:
    own = replace(
        AVAILABLE,
        indicator=Ratio(bad="sum(rate(a[{{window}}]))", total="rate(b[{{window}}]) + rate(c[{{window}}])"),
    )

    assert search(AVAILABLE, METRICS, now_s=NOW_S).series == 'count(requests_seconds_count{job="jobs"})'
    assert search(own, METRICS, now_s=NOW_S).series == "count(b) or count(c)"


@given(
    age_s=st.integers(1, 40 * DAY), window_s=st.sampled_from([600, HOUR, DAY, 7 * DAY, 30 * DAY, 90 * DAY])
)
def test_a_search_finds_the_beginning_to_the_second_in_a_few_questions(age_s: int, window_s: int) -> None:
    began_s = int(NOW_S) - age_s
    looking: Search = search(replace(AVAILABLE, window_s=Decimal(window_s)), METRICS, now_s=NOW_S)
    questions = 0
    while not looking.is_over:
        looking = looking.narrowed(_first_step(looking, began_s))
        questions += 1

    assert looking.covered_s == min(age_s, window_s)
    assert questions <= 4


def _first_step(looking: Search, began_s: int) -> float | None:
    """Answer as a Prometheus does whose series began then: its steps are whole multiples."""
    earliest = max(began_s, looking.until_s - looking.range_s)
    step = -(-earliest // looking.step_s) * looking.step_s
    return step if step <= looking.until_s else None


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([Verdict.MET, Verdict.MET], 0),
        ([Verdict.MET, Verdict.VIOLATED, Verdict.NO_DATA], 1),
        ([Verdict.MET, Verdict.NO_DATA], 3),
        ([], 3),
    ],
    ids=["all met", "one violated", "one without data", "none at all"],
)
def test_the_exit_status_sums_up(verdicts: list[Verdict], expected: int) -> None:
    any_ = status(AVAILABLE, 1.0, 0.0)

    assert exit_status([replace(any_, verdict=each) for each in verdicts]) == expected
