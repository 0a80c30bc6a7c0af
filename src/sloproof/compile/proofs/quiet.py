"""Tests of quiet, idle, uneven and missing traffic: what is no alert, and what is one nevertheless."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from sloproof.compile import conventions as names
from sloproof.compile import promql
from sloproof.compile.proofs.case import (
    FIRING,
    LONGEST_STEP_S,
    Case,
    Expectation,
    before,
    between,
    fires,
    never,
    silent,
    step_within,
    up_to,
)
from sloproof.compile.proofs.timeline import MANY, Timeline
from sloproof.compile.proofs.traffic import Phase
from sloproof.slo.burnrate import detection_s
from sloproof.slo.tiers import MINUTE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sloproof.compile.proofs.case import Subject
    from sloproof.slo.tiers import Tier

OUTAGE, HALF = 1.0, 0.5
IDLE_S = 15 * MINUTE
CLEARLY = 1.3
"""A burn rate that is so many times the threshold is above it, however the counters are extrapolated."""
MOST_BEFORE = 5
"""Healthy requests before the one that fails, at most."""
HEAVY, LIGHT = 2_000, 2
"""Requests before each scrape while a service is busy, and while it is not."""
MOST_EVALUATIONS = 400
"""In a long window at the pace of production; longer ones would take promtool too long."""
EVALUATED = 60
"""So many evaluations in a window of the budget."""


def one_failure(subject: Subject) -> Case | None:
    """Return a test that one failed request on a quiet service pages nobody, though it burns fast enough.

    Of a gauge, it is one sample too few.
    """
    line = Timeline(subject)
    least = subject.objective.alerting.minimum_failures
    if least == 1 or not subject.fireable or not subject.counts:
        return None
    failures = least - 1 if subject.is_gauge else 1
    highest = max(map(subject.threshold, subject.fireable))
    healthy = int(max(0, min(failures / (CLEARLY * highest) - failures, MANY)))
    every_s = _every_s(line)
    if subject.is_gauge:  # the last sample is to be one at which the rules are evaluated
        healthy = up_to((healthy + failures) * every_s, line.pace) // every_s - failures
    line.one_by_one(min(healthy, MOST_BEFORE) if not subject.is_gauge else healthy, every_s, 1)
    failed_s = line.one_by_one(failures, every_s, 1, OUTAGE)
    share = bad_share(line.phases)
    line.one_by_one(up_to(names.COUNTED_S, line.pace) // every_s, every_s, 1)
    return line.case(
        "One failed request on a quiet service pages nobody",
        *(
            _burns(subject, tier, failed_s)
            for tier in subject.fireable
            if share > subject.threshold(tier) * CLEARLY**0.5
        ),
        never(subject.alerts(), line.now_s),
    )


def quiet_outage(subject: Subject) -> Case | None:
    """Return a test that a total outage of a quiet service pages once enough requests have failed."""
    line = Timeline(subject)
    each, turns = _in_turns(subject)
    every_s = _every_s(line)
    if not subject.counts or turns > MANY:
        return None
    begun_s = line.one_by_one(up_to(15 * MINUTE, line.pace) // every_s, every_s, each)
    enough_s = begun_s + turns * every_s
    expectations = []
    for tier in subject.fireable:
        budget = subject.objective.budget
        found_s = detection_s(tier, budget=budget, error_ratio=OUTAGE, history_s=begun_s)
        if found_s is not None and found_s <= begun_s / 2:
            late_s = max(enough_s, begun_s + found_s + line.step) + _patience_s(subject)
            expectations.append(silent(subject, tier, before(enough_s, line.pace)))
            expectations.append(fires(subject, tier, up_to(late_s, line.pace)))
    if not expectations:
        return None
    end = max(each.at_s for each in expectations)
    line.one_by_one(ceil((end - begun_s) / every_s), every_s, each, OUTAGE)
    return line.case("A quiet service's outage pages", *expectations)


def far_apart(subject: Subject) -> Case | None:
    """Return a test that failures count as long as the long window sees them, and no longer.

    Just too few of them, then nothing for as long as a window lasts, then as many again, but so far apart
    that no short window sees them all: that is no alert until there is one more.
    """
    line = Timeline(subject)
    seeing = [tier for tier in subject.fireable if tier.short_s >= names.COUNTED_S]
    tier = min(seeing, key=lambda tier: tier.long_s, default=None)
    each, turns = _in_turns(subject)
    if tier is None or subject.is_gauge or not subject.counts or not 1 < turns <= MANY:
        return None
    if tier.long_s > MOST_EVALUATIONS * line.pace:
        return None
    line.one_by_one(turns - 1, _every_s(line), each, OUTAGE)
    line.go(tier.long_s + 2 * names.COUNTED_S, 0)
    few_s = line.one_by_one(turns - 1, up_to(tier.short_s / 2, line.pace), each, OUTAGE)
    enough_s = line.one_by_one(1, up_to(tier.short_s / 2, line.pace), each, OUTAGE)
    seen_s = line.go(names.COUNTED_S, 0)
    return line.case(
        "Failures far apart count as long as the long window",
        silent(subject, tier, few_s),
        silent(subject, tier, before(enough_s, line.pace)),
        fires(subject, tier, before(seen_s - line.step, line.pace)),
    )


def bad_share(phases: Sequence[Phase]) -> float:
    """Return the share of all requests that were bad."""
    bad = sum(phase.steps * phase.bad for phase in phases)
    return bad / sum(phase.steps * phase.requests for phase in phases)


def _in_turns(subject: Subject) -> tuple[int, int]:
    """Return how many fail at once, and how often in a row, until enough have failed."""
    least = subject.objective.alerting.minimum_failures
    each = 1 if subject.is_gauge else ceil(least / 5)
    return each, ceil(least / each)


def _every_s(line: Timeline) -> int:
    """Return how far apart the requests of a quiet service are; a gauge has a sample in every scrape."""
    return line.step if line.subject.is_gauge else up_to(MINUTE, line.pace)


def _patience_s(subject: Subject) -> int:
    """Return how long after enough failures they are counted for sure.

    With scrapes so far apart that extrapolation makes more than half a failure of them, the last five
    minutes alone do not tell, and every evaluation in them must have counted.
    """
    scrape_s = subject.definition.prometheus.scrape_interval_s
    is_exact = subject.objective.alerting.minimum_failures * scrape_s < names.COUNTED_S / 2
    return 0 if is_exact else names.COUNTED_S


def idle_and_gone(subject: Subject) -> Case | None:
    """Return a test that idle time is no verdict and no alert, and that gone metrics are an alert in time."""
    if not subject.counts:
        return None
    line = Timeline(subject)
    after_s = subject.objective.alerting.absence.after_s
    expectations = []
    if not subject.is_gauge:
        idle = line.go(max(IDLE_S, after_s + names.COUNTED_S), 0)
        expectations += [
            never(subject.ratio(names.COUNTED_S), idle),
            never(subject.series(names.BUDGET_REMAINING), idle),
            Expectation(at_s=idle, expr=f"max({subject.series(names.TOTAL)})", samples={"{}": 0}),
        ]
    gone = line.go(names.COUNTED_S, MANY)
    absence = f"ALERTS{promql.matchers({'alertname': names.ABSENCE_ALERT, names.ID: subject.id})}"
    # Two samples in the last five minutes are enough to count events, and one is not.
    early_s = before(gone + names.COUNTED_S - 2 * line.step + after_s, line.pace)
    late_s = up_to(gone + names.COUNTED_S + after_s + line.pace, line.pace)
    firing = absence.replace("{", f'{{alertstate="{FIRING}",')
    expectations += [
        *_nothing_spent(subject, gone),
        never(subject.alerts(), late_s),
        never(firing, early_s),
        Expectation(at_s=late_s, expr=f"count({firing})", samples={"{}": 1}),
    ]
    return line.case("Idle time says nothing, gone metrics are told", *expectations)


def uneven(subject: Subject) -> Case | None:
    """Return a test that each event weighs the same in the budget, in busy times and in quiet ones.

    Half of all requests fail in a quarter of an hour that has a thousandth of the traffic; an average of
    ratios would say a quarter. Then it is idle until everything has been counted.
    """
    if not subject.counts or subject.is_gauge:
        return None
    line = Timeline(subject)
    for requests, errors in ((HEAVY, 0.0), (LIGHT, 0.5)):
        line.go(10 * MINUTE, requests, errors)
    end = line.go(names.COUNTED_S + 2 * line.pace, 0)
    share = bad_share(line.phases)
    spent = share / float(subject.objective.budget)
    left = subject.series(names.BUDGET_REMAINING)
    return line.case(
        "Each event weighs the same in the budget",
        between(subject.ratio(int(subject.objective.window_s)), share * 0.9, share * 1.1, end),
        between(f"1 - {left}", spent * 0.9, spent * 1.1, end),
    )


def period(subject: Subject) -> Case:
    """Return a test that an event counts as long as the window of the budget lasts, and no longer.

    Half of all requests fail in its first sixth. Evaluations are as far apart as a sixtieth of the window,
    and each has counted the five minutes before it.
    """
    whole_s = int(subject.objective.window_s)
    pace = max(1, whole_s // EVALUATED // subject.pace_s) * subject.pace_s
    step, failing_s = step_within(pace, LONGEST_STEP_S), up_to(whole_s / 6, pace)
    end, over_s = before(whole_s, pace) - pace, up_to(whole_s + failing_s, pace) + pace
    volume = 4 if subject.is_gauge else MANY
    phases = [
        Phase(steps=failing_s // step, requests=volume, errors=HALF),
        Phase(steps=(over_s - failing_s) // step, requests=volume),
    ]
    # At the very start there are no counts yet, and already a gauge.
    least, most = (HALF * (failing_s + early_s) / (end + early_s) for early_s in (0, pace))
    ratio = subject.ratio(whole_s)
    return Case(
        title="An event counts as long as the budget's window lasts",
        objectives=(subject.objective.name,),
        pace_s=pace,
        step_s=step,
        series=subject.traffic(phases),
        expectations=(
            between(ratio, least * 0.97, most * 1.03, end),
            between(ratio, -0.0001, 0.0001, over_s),
        ),
    )


def _burns(subject: Subject, tier: Tier, at_s: int) -> Expectation:
    """Expect the raw burn rate over both windows to be above the factor, whether that is an alert or not."""
    budget, factor = f"{subject.objective.budget:f}", f"{tier.factor:f}"
    long, short = (
        f"{subject.ratio(window_s)} / {budget} > {factor}" for window_s in (tier.long_s, tier.short_s)
    )
    return Expectation(
        at_s=at_s, expr=f"count({long} and ignoring ({names.WINDOW}) {short})", samples={"{}": 1}
    )


def _nothing_spent(subject: Subject, at_s: int) -> list[Expectation]:
    return [
        between(subject.ratio(int(subject.objective.window_s)), -0.0001, 0.0001, at_s),
        between(subject.series(names.BUDGET_REMAINING), 0.9999, 1.0001, at_s),
        between(subject.series(names.CURRENT_BURN_RATE), -0.0001, 0.0001, at_s),
    ]
