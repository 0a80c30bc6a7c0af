"""One test of promtool: what an objective's metrics show, and what its rules must make of it when."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil, log10
from typing import TYPE_CHECKING

from sloproof.compile import conventions as names
from sloproof.compile import promql
from sloproof.compile.proofs.traffic import Phase, traffic
from sloproof.slo.definition import ErrorRatio, Up
from sloproof.slo.quantities import in_units

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sloproof.compile.proofs.traffic import Series
    from sloproof.compile.yamltext import Value
    from sloproof.slo.definition import Definition, Objective
    from sloproof.slo.tiers import Tier

FIRING = "firing"
MARGIN = 2
"""So many times the failures that an alert asks for are made, so that it is not their number that decides."""
DISTINCT = 1_000
"""Bad requests before each scrape, at least, so that a share of them is as good as exact."""
MOST_INSTANCES = 120
LONGEST_STEP_S = 120
"""Prometheus takes a series for gone after 5 minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What a query must give after so many seconds: values by name and labels of their series, or nothing."""

    at_s: int
    expr: str
    samples: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """An alert that must fire, with everything that it says."""

    alert: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Metrics of one objective or more, scraped every `step_s`, and what must come of them.

    Rules are evaluated every `pace_s`. `alarms`: at a time, all that fire under a name.
    """

    title: str
    objectives: tuple[str, ...]
    pace_s: int
    step_s: int
    series: Series
    expectations: tuple[Expectation, ...]
    alarms: Mapping[tuple[int, str], tuple[Alarm, ...]] = field(default_factory=dict)

    def data(self) -> dict[str, Value]:
        """Return the test as promtool reads it."""
        return {
            "name": f"{self.title} ({', '.join(self.objectives)})",
            "interval": in_units(self.step_s),
            "input_series": [{"series": name, "values": values} for name, values in self.series.items()],
            **({"alert_rule_test": [_alarms(*each) for each in self.alarms.items()]} if self.alarms else {}),
            "promql_expr_test": [
                {
                    "expr": each.expr,
                    "eval_time": in_units(each.at_s),
                    "exp_samples": [
                        {"labels": labels, "value": value} for labels, value in each.samples.items()
                    ],
                }
                for each in self.expectations
            ],
        }


@dataclass(frozen=True, slots=True)
class Subject:
    """An objective under proof, and what its rules are known by."""

    definition: Definition
    objective: Objective

    @property
    def id(self) -> str:
        """What tells the objective from all others."""
        return names.slo_id(self.definition.service, self.objective.name)

    @property
    def pace_s(self) -> int:
        """How often its rules are evaluated in production."""
        return self.definition.prometheus.evaluation_interval_s

    @property
    def counts(self) -> bool:
        """Tell whether the number of its events is known, not only the share of bad ones."""
        return not isinstance(self.objective.indicator, ErrorRatio)

    @property
    def is_gauge(self) -> bool:
        """Tell whether its events are samples, of which there is never any number."""
        return isinstance(self.objective.indicator, Up)

    @property
    def fireable(self) -> list[Tier]:
        """Its tiers, but for those that no error ratio makes fire."""
        budget = self.objective.budget
        return [tier for tier in self.objective.alerting.tiers if tier.can_fire(budget)]

    def traffic(self, phases: Sequence[Phase], *, slow: bool = False) -> Series:
        """Return what its metrics show of phases of traffic."""
        return traffic(self.objective.indicator, self.definition.metrics, phases, slow=slow)

    def series(self, name: str) -> str:
        """Return a selector of one of its recorded series."""
        return f"{name}{promql.matchers({names.ID: self.id})}"

    def ratio(self, window_s: int) -> str:
        """Return a selector of its recorded error ratio, which tells its window by name and by label."""
        labels = {names.ID: self.id, names.WINDOW: in_units(window_s)}
        return f"{names.error_ratio(window_s)}{promql.matchers(labels)}"

    def threshold(self, tier: Tier) -> float:
        """Return the error ratio above which a tier fires."""
        return float(tier.threshold(self.objective.budget))

    def alerts(self, tier: Tier | None = None) -> str:
        """Return a selector of its burn alerts, of one tier or all, in whatever state."""
        tiers = {names.TIER: tier.name} if tier else {}
        return f"ALERTS{promql.matchers({'alertname': names.BURN_ALERT, names.ID: self.id, **tiers})}"

    def volume(self, *, share: float, pace_s: int, step_s: int, history_s: int) -> int | None:
        """Return requests before each scrape (or instances) so that neither chance nor their number decides.

        An alert takes the events that each evaluation has counted and knows how often each of them was
        counted in production; a test that evaluates more seldom counts each less often. ``None``: more
        instances than a test should have.
        """
        often = names.COUNTED_S / self.pace_s
        seen = names.COUNTED_S / step_s * history_s / pace_s
        least = MARGIN * self.objective.alerting.minimum_failures * often / (share * seen)
        if self.is_gauge:
            return max(4, ceil(least)) if least <= MOST_INSTANCES else None
        return int(10 ** ceil(log10(max(least, DISTINCT / share))))


def fires(subject: Subject, tier: Tier, at_s: int) -> Expectation:
    """Expect a tier to fire."""
    return Expectation(at_s=at_s, expr=f"count({_firing(subject, tier)})", samples={"{}": 1})


def silent(subject: Subject, tier: Tier, at_s: int) -> Expectation:
    """Expect a tier not to fire."""
    return Expectation(at_s=at_s, expr=f"count({_firing(subject, tier)})")


def never(selector: str, until_s: int) -> Expectation:
    """Expect no sample of a series from the beginning on."""
    return Expectation(at_s=until_s, expr=f"count(count_over_time({selector}[{in_units(until_s + 60)}]))")


def between(expr: str, low: float, high: float, at_s: int) -> Expectation:
    """Expect one value within bounds, for no two versions of Prometheus extrapolate quite alike."""
    return Expectation(at_s=at_s, expr=f"count(({expr}) >= {low:.6g} <= {high:.6g})", samples={"{}": 1})


def up_to(time_s: float, grid_s: int) -> int:
    """Return the first evaluation at a time or after it.

    >>> up_to(61.2, 30), up_to(60, 30)
    (90, 60)
    """
    return ceil(round(time_s / grid_s, 6)) * grid_s


def before(time_s: float, grid_s: int) -> int:
    """Return the last evaluation before a time.

    >>> before(61.2, 30), before(60, 30)
    (60, 30)
    """
    return up_to(time_s, grid_s) - grid_s


def step_within(pace_s: int, limit_s: float) -> int:
    """Return the longest time between scrapes up to a limit, of which an evaluation is a multiple.

    >>> step_within(30, 15), step_within(360, 90), step_within(7, 5)
    (15, 90, 1)
    """
    return max(step for step in range(1, pace_s + 1) if pace_s % step == 0 and step <= max(1, limit_s))


def _firing(subject: Subject, tier: Tier) -> str:
    labels = {
        "alertname": names.BURN_ALERT,
        "alertstate": FIRING,
        names.ID: subject.id,
        names.TIER: tier.name,
    }
    return f"ALERTS{promql.matchers(labels)}"


def _alarms(when: tuple[int, str], alarms: Sequence[Alarm]) -> dict[str, Value]:
    at_s, alert = when
    return {
        "eval_time": in_units(at_s),
        "alertname": alert,
        "exp_alerts": [
            {"exp_labels": dict(sorted(each.labels.items())), "exp_annotations": dict(each.annotations)}
            for each in alarms
        ],
    }
