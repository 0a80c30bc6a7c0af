"""Our rules and Sloth's read the same series: where they agree, and where Sloth's are known to be wrong."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from sloproof.compile import conventions as names
from sloproof.compile.promql import STATUS
from sloproof.compile.proofs.traffic import Phase, traffic
from sloproof.slo.definition import Alerting, Availability, Definition, Metrics, Objective
from sloproof.slo.quantities import in_units
from sloproof.slo.tiers import DAY, HOUR, MINUTE, default_tiers
from tests.integration.compile import sloth
from tests.integration.compile.promtool import groups, write, write_rules

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.integration.compile.promtool import Outcome, Promtool

STEP_S, PACE_S = 15, 30
MONTH_S = Decimal(30 * DAY)
AVAILABILITY = Availability(method="GET", route="/orders")
OBJECTIVE = Objective(
    name="requests",
    description="",
    target=Decimal("0.999"),
    indicator=AVAILABILITY,
    window_s=MONTH_S,
    alerting=Alerting(tiers=default_tiers(MONTH_S)),
    line=1,
)
OURS = Definition(
    service="ours",
    window_s=MONTH_S,
    metrics=Metrics(requests="request_seconds", matchers={"job": "shop"}),
    objectives=(OBJECTIVE,),
)
TOTAL = "request_seconds_count{job='shop'}"
BAD = f"request_seconds_count{{job='shop',{STATUS}=~'5..|429'}}"
THEIRS = sloth.rules(bad=BAD, total=TOTAL, objective="0.999", budget="0.001")

Expected = tuple[str, int, float | None]
"""A query, when to ask it, and the one value that it must give, or none at all."""


def ours(name: str) -> str:
    return f'max({name}{{sloth_id="ours-requests"}})'


def theirs(name: str) -> str:
    return f'max({name}{{sloth_id="{sloth.ID}"}})'


def within(expr: str, low: float, high: float) -> str:
    return f"count({expr} >= {low} <= {high})"


def asked(folder: Path, promtool: Promtool, phases: Sequence[Phase], expected: Sequence[Expected]) -> Outcome:
    """Return whether both sets of rules, fed the same requests, answer as expected."""
    both = [*groups(OURS), {"name": "sloth", "interval": in_units(PACE_S), "rules": THEIRS}]
    taken = promtool.check_rules(write_rules(folder, "both", both))
    assert taken.passed, taken.said
    test = {
        "interval": in_units(STEP_S),
        "input_series": [
            {"series": series, "values": values}
            for series, values in traffic(AVAILABILITY, OURS.metrics, phases).items()
        ],
        "promql_expr_test": [
            {
                "expr": expr,
                "eval_time": in_units(at_s),
                "exp_samples": [] if value is None else [{"labels": "{}", "value": value}],
            }
            for expr, at_s, value in expected
        ],
    }
    data = {"rule_files": ["both.rules.yaml"], "evaluation_interval": in_units(PACE_S), "tests": [test]}
    return promtool.test_rules(write(folder / "both.test.yaml", data))


def phase(duration_s: int, requests: int, errors: float = 0.0) -> Phase:
    return Phase(steps=duration_s // STEP_S, requests=requests, errors=errors)


def test_at_steady_traffic_both_see_the_same_ratio_at_every_step(tmp_path: Path, promtool: Promtool) -> None:
    phases = [phase(45 * MINUTE, 1_000, 0.002), phase(15 * MINUTE, 1_000, 0.3), phase(30 * MINUTE, 1_000)]
    end = 90 * MINUTE
    windows = [name for name in sloth.recorded() if "ratio_rate" in name and "30d" not in name]
    at_each = f"[{in_units(end)}:{in_units(PACE_S)}]"
    # The first step has no ratio yet, for a counter's growth takes two samples.
    steps = end // PACE_S

    outcome = asked(
        tmp_path,
        promtool,
        phases,
        [
            each
            for name in windows
            for each in (
                (f"count_over_time(({ours(name)} - {theirs(name)}){at_each})", end, steps),
                (within(f"max_over_time(abs({ours(name)} - {theirs(name)}){at_each})", 0, 1e-12), end, 1),
            )
        ],
    )

    assert len(windows) == 7
    assert outcome.passed, outcome.said


def test_at_a_steady_ratio_both_see_the_same_month_at_every_step(tmp_path: Path, promtool: Promtool) -> None:
    end = 30 * MINUTE
    at_each = f"[{in_units(end)}:{in_units(PACE_S)}]"
    same = [names.error_ratio(int(MONTH_S)), names.BUDGET_REMAINING, names.PERIOD_BURN_RATE]

    outcome = asked(
        tmp_path,
        promtool,
        [phase(end, 1_000, 0.02)],
        [
            (within(f"max_over_time(abs({ours(name)} - {theirs(name)}){at_each})", 0, 1e-9), end, 1)
            for name in same
        ],
    )

    assert outcome.passed, outcome.said


def test_at_uneven_traffic_theirs_is_a_mean_of_ratios(tmp_path: Path, promtool: Promtool) -> None:
    # 6,000 requests a minute without an error, then 6 of which 3 fail.
    few = [
        Phase(steps=1, requests=count, errors=errors)
        for count, errors in ((2, 0.5), (1, 1), (2, 0.5), (1, 0))
    ]
    phases = [phase(HOUR, 1_500), *few * 60, phase(6 * MINUTE, 0)]
    true = 60 * 3 / (60 * 6_000 + 60 * 6)
    month, end = names.error_ratio(int(MONTH_S)), 2 * HOUR

    outcome = asked(
        tmp_path,
        promtool,
        phases,
        [
            (within(theirs(month), 0.23, 0.25), end, 1),
            (within(ours(month), true * 0.97, true * 1.03), end + 6 * MINUTE, 1),
            (within(ours(names.BUDGET_REMAINING), 0.48, 0.52), end + 6 * MINUTE, 1),
        ],
    )

    assert outcome.passed, outcome.said


def test_idle_time_spoils_their_month_and_not_ours(tmp_path: Path, promtool: Promtool) -> None:
    phases = [phase(15 * MINUTE, 0), phase(15 * MINUTE, 100)]
    month, end = names.error_ratio(int(MONTH_S)), 30 * MINUTE

    outcome = asked(
        tmp_path,
        promtool,
        phases,
        [
            (f"count({theirs(month)} != {theirs(month)})", end, 1),
            (f"count({theirs(names.BUDGET_REMAINING)} != {theirs(names.BUDGET_REMAINING)})", end, 1),
            (ours(month), end, 0),
            (ours(names.BUDGET_REMAINING), end, 1),
        ],
    )

    assert outcome.passed, outcome.said


def test_one_failed_request_on_a_quiet_service_pages_theirs_and_not_ours(
    tmp_path: Path, promtool: Promtool
) -> None:
    minute = [Phase(steps=3, requests=0), Phase(steps=1, requests=1)]
    failed = [Phase(steps=3, requests=0), Phase(steps=1, requests=1, errors=1.0)]
    phases = [*minute * 20, *failed, *minute * 3]
    end = 22 * MINUTE

    outcome = asked(
        tmp_path,
        promtool,
        phases,
        [
            ('count(ALERTS{alertname="SlothBurns",alertstate="firing",sloth_severity="page"})', end, 1),
            (f'count(count_over_time(ALERTS{{alertname="{names.BURN_ALERT}"}}[1h]))', end, None),
        ],
    )

    assert outcome.passed, outcome.said


def test_one_objective_costs_prometheus_at_most_a_third_more_series(
    tmp_path: Path, promtool: Promtool
) -> None:
    our_rules = [rule["record"] for group in groups(OURS) for rule in group["rules"] if "record" in rule]
    their_rules = list(sloth.recorded())
    end = 10 * MINUTE

    outcome = asked(
        tmp_path,
        promtool,
        [phase(end, 100, 0.0005)],
        [
            ('count({__name__=~"slo:.*|sloth_slo_info",sloth_id="ours-requests"})', end, len(our_rules)),
            (f'count({{__name__=~"slo:.*|sloth_slo_info",sloth_id="{sloth.ID}"}})', end, len(their_rules)),
        ],
    )

    assert outcome.passed, outcome.said
    assert len(their_rules) == 15
    assert len(our_rules) <= 1.3 * len(their_rules)


@pytest.mark.parametrize("name", sorted(set(sloth.recorded())))
def test_whatever_theirs_record_ours_do_under_the_same_name(name: str) -> None:
    assert name in [rule["record"] for group in groups(OURS) for rule in group["rules"] if "record" in rule]
