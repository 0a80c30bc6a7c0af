"""What is wrong with the tiers of an objective, whatever its traffic."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from itertools import combinations
from typing import TYPE_CHECKING

from sloproof.compile.lint.findings import HUNDREDTH, Level, percent
from sloproof.slo.quantities import in_units, parse_share
from sloproof.slo.tiers import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sloproof.compile.lint.findings import Finding, Source
    from sloproof.slo.definition import Objective
    from sloproof.slo.tiers import Tier


def check(source: Source) -> Iterator[Finding]:
    """Yield what is wrong with the tiers of each objective of a file."""
    for index, objective in source.objectives():
        if not objective.alerting.tiers:
            yield _nothing_left(source, objective)
        for tier in objective.alerting.tiers:
            yield from _never_fires(source, objective, tier)
            if tier.long_s >= objective.window_s:
                yield _outlasts(source, index, objective, tier)
            else:
                yield from _lifted(source, index, objective, tier)
        for first, second in combinations(objective.alerting.tiers, 2):
            yield from _alike(source, index, first, second)
        yield from _slow_pages(source, index, objective)


def _nothing_left(source: Source, objective: Objective) -> Finding:
    return source.finding(
        objective.line,
        Level.WARNING,
        what=f"'{objective.name}' has no alert on its burn rate",
        because="alerting.disable leaves none of its tiers",
        cure="take one out of alerting.disable, or give alerting.tiers of its own",
    )


def _never_fires(source: Source, objective: Objective, tier: Tier) -> Iterator[Finding]:
    if tier.can_fire(objective.budget):
        return
    most = (Decimal(100) * tier.long_s / (objective.window_s * objective.budget)).quantize(
        HUNDREDTH, ROUND_FLOOR
    )
    cure = f"raise the target to {percent(least_target(tier))} or more"
    if most > 0:
        cure += (
            f", give alerting.tiers in which it takes less than {most.normalize():f} % of the budget in "
            f"{in_units(tier.long_s)}"
        )
    yield source.finding(
        objective.line,
        Level.ERROR,
        what=f"the tier '{tier.name}' of '{objective.name}' can never fire",
        because=(
            f"even with every event bad a target of {percent(objective.target)} burns at no more than "
            f"{_times(1 / objective.budget)}, and the tier fires above {_times(tier.factor)}"
        ),
        cure=f"{cure}, or write alerting: {{disable: [{tier.name}]}}",
    )


def least_target(tier: Tier) -> Decimal:
    """Return the lowest target, in hundredths of a per cent, at which a tier can fire.

    >>> from sloproof.slo.tiers import default_tiers
    >>> [str(least_target(tier)) for tier in default_tiers(Decimal(30 * 86_400))]
    ['0.9306', '0.8334', '0.6667', '0.0001']
    """
    target = (1 - 1 / tier.factor).quantize(HUNDREDTH.scaleb(-2), ROUND_CEILING)
    return target if tier.can_fire(1 - target) else target + HUNDREDTH.scaleb(-2)


def _outlasts(source: Source, index: int, objective: Objective, tier: Tier) -> Finding:
    same = "as long as" if tier.long_s == objective.window_s else "longer than"
    long, window = in_units(tier.long_s), in_units(int(objective.window_s))
    return source.finding(
        source.tier_line(index, tier),
        Level.ERROR,
        what=f"the long window of the tier '{tier.name}' of '{objective.name}' is {same} the error budget's",
        because=f"it looks back {long}, and the budget counts {window}",
        cure="choose a long window of a tenth of the budget's or less, or a longer window of the objective",
    )


def _lifted(source: Source, index: int, objective: Objective, tier: Tier) -> Iterator[Finding]:
    """Yield a finding where a share of the budget is so small that its burn rate would be below 1."""
    declared = _declared_share(source, index, tier)
    if declared is None or tier.factor > 1 or declared * objective.window_s >= tier.long_s:
        return
    yield source.finding(
        source.tier_line(index, tier),
        Level.WARNING,
        what=(
            f"the tier '{tier.name}' of '{objective.name}' fires after "
            f"{percent_of_budget(tier, objective)} of the budget, not after {percent(declared)}"
        ),
        because=(
            f"{percent(declared)} in {in_units(tier.long_s)} is slower than the budget's even pace over "
            f"{in_units(int(objective.window_s))}, which is no cause for an alert"
        ),
        cure="choose a larger share, or a shorter long window",
    )


def _declared_share(source: Source, index: int, tier: Tier) -> Decimal | None:
    for location in (("objectives", index, "alerting", "tiers"), ("alerting", "tiers")):
        if isinstance(given := source.at(location), list):
            for each in given:
                if isinstance(each, dict) and each.get("name") == tier.name:
                    return parse_share(each.get("budget"))
            return None
    return None


def _alike(source: Source, index: int, first: Tier, second: Tier) -> Iterator[Finding]:
    if first.name == second.name:
        yield source.finding(
            source.tier_line(index, second),
            Level.ERROR,
            what=f"two tiers are called '{first.name}'",
            because="their alerts would carry the same labels, so that one hides the other",
            cure="rename one of them",
        )
    elif _condition(first) == _condition(second):
        yield source.finding(
            source.tier_line(index, second),
            Level.WARNING,
            what=f"the tiers '{first.name}' and '{second.name}' always fire together",
            because=(
                f"both fire above {_times(first.factor)} over {in_units(first.long_s)} and "
                f"{in_units(first.short_s)}"
            ),
            cure="remove one of them, or change its budget or its windows",
        )


def _condition(tier: Tier) -> tuple[Decimal, int, int]:
    return tier.factor, tier.long_s, tier.short_s


def _slow_pages(source: Source, index: int, objective: Objective) -> Iterator[Finding]:
    tiers = objective.alerting.tiers
    for page in (each for each in tiers if each.severity is Severity.PAGE):
        for ticket in (each for each in tiers if each.severity is Severity.TICKET):
            # At any error ratio, a tier of k× over L begins to fire after a time in proportion to k × L.
            later = page.factor * page.long_s > ticket.factor * ticket.long_s
            if page.factor < ticket.factor and later:
                gone = {each.name: percent_of_budget(each, objective) for each in (page, ticket)}
                yield source.finding(
                    source.tier_line(index, page),
                    Level.WARNING,
                    what=f"the page '{page.name}' comes after the ticket '{ticket.name}'",
                    because=(
                        f"the page waits for {gone[page.name]} of the budget at {_times(page.factor)}, the "
                        f"ticket only for {gone[ticket.name]} at {_times(ticket.factor)}"
                    ),
                    cure="swap their severities, or give the page a shorter long window",
                )


def percent_of_budget(tier: Tier, objective: Objective) -> str:
    """Return the share of the error budget that is gone when a tier begins to fire."""
    return percent((tier.factor * tier.long_s / objective.window_s).quantize(HUNDREDTH.scaleb(-2)))


def _times(factor: Decimal) -> str:
    """Return a burn rate.

    >>> _times(Decimal("14.4")), _times(Decimal(10) / 3)
    ('14.4×', '3.33×')
    """
    return f"{factor.normalize():f}×" if factor == factor.quantize(HUNDREDTH) else f"{factor:.2f}×"
