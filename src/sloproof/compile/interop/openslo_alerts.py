"""OpenSLO's alert policies as tiers of ours."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sloproof.compile.interop import ours
from sloproof.compile.interop.openslo_conventions import (
    OWN_LONG,
    OWN_SHORT,
    OWN_TIER,
    Catalogue,
    shorthand_s,
)
from sloproof.slo.quantities import parse_whole_seconds
from sloproof.slo.tiers import PER_SHORT, Severity, Tier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sloproof.compile.interop.foreign import Value

PAGING = frozenset(
    {"page", "pager", "critical", "crit", "high", "emergency", "sev1", "sev-1", "sev2", "p1", "p2", "fatal"}
)
NO_KIND = "all alerts are burn-rate alerts"


def alerting(spec: Value, catalogue: Catalogue, window_s: Decimal, *, own: Mapping[str, Any]) -> ours.Data:
    """Return the `alerting` of an SLO; `own` is what an export of ours has kept beside its policies."""
    policies = spec.get("alertPolicies")
    items = policies.items() if policies else []
    if not items:
        if not own:
            spec.note(
                "no alert policy is given: sloproof's default tiers apply (alerting.disable turns them off)"
            )
        return dict(own)
    tiers: dict[str, Tier] = {}
    for item in items:
        for tier in _of_policy(_found(item, "alertPolicyRef", "AlertPolicy", catalogue), catalogue, window_s):
            name, count = tier.name, 1
            while name in tiers:
                count += 1
                name = f"{tier.name}-{count}"
            tiers[name] = replace(tier, name=name)
    if not tiers:
        spec.note("no alert policy could be carried over: sloproof's default tiers apply")
    return {**(ours.tiers(tuple(tiers.values()), window_s) if tiers else {}), **own}


def _found(item: Value, key: str, kind: str, catalogue: Catalogue) -> Value:
    """Return a document that is referred to, by a bare name or under a key, or is written in place."""
    if isinstance(item.data, str):
        return catalogue.find(kind, item)
    reference = item.get(key)
    return catalogue.find(kind, reference) if reference else item


def _of_policy(policy: Value, catalogue: Catalogue, window_s: Decimal) -> list[Tier]:
    policy.get("apiVersion")
    policy.get("kind")
    if metadata := policy.get("metadata"):
        metadata.get("name")
        metadata.drop("alerts of ours are named by their tier alone", "displayName", "labels", "annotations")
    spec = policy.need("spec", example="{conditions: […]}")
    _tell_policy(spec)
    found = []
    for item in spec.need("conditions", example="[{conditionRef: fast-burn}]").items():
        condition = _found(item, "conditionRef", "AlertCondition", catalogue)
        if tier := _tier(condition, window_s):
            found.append(tier)
    breaching = spec.get("alertWhenBreaching")
    if breaching and not breaching.true():
        breaching.note(f"'{breaching.name}' is false, so the policy makes no alert: its tiers are left out")
        return []
    return found


def _tell_policy(spec: Value) -> None:
    spec.drop("annotations of ours say what an alert is about", "description")
    resolved, no_data = spec.get("alertWhenResolved"), spec.get("alertWhenNoData")
    if resolved:
        resolved.note(
            f"'{resolved.name}' is not carried over: Alertmanager tells of resolved alerts (send_resolved)"
        )
    if no_data and not no_data.true():
        no_data.note(f"'{no_data.name}' is not carried over: there is always an alert on absent metrics")
    targets = spec.get("notificationTargets")
    for target in targets.items() if targets else []:
        target.note(f"'{target.name}' is not carried over: Alertmanager's configuration says who is told")


def _tier(document: Value, window_s: Decimal) -> Tier | None:
    """Return the tier that a condition amounts to, or ``None`` (which is told) where there is none."""
    document.get("apiVersion")
    document.get("kind")
    metadata = document.need("metadata", example="{name: fast-burn}")
    name = metadata.need("name", example="fast-burn")
    annotations = metadata.get("annotations")
    metadata.drop("alerts of ours are named by their tier alone", "displayName", "labels")
    spec = document.need("spec", example="{severity: page, condition: {…}}")
    spec.drop("annotations of ours say what an alert is about", "description")
    condition = spec.need("condition", example="{kind: burnrate, threshold: 14.4, lookbackWindow: 1h}")
    if not _burns(condition):
        document.document.close(spec.at)
        return None
    own = {
        key: value
        for key in (OWN_TIER, OWN_LONG, OWN_SHORT)
        if annotations and (value := annotations.get(key))
    }
    long_s = (
        _own_s(own[OWN_LONG])
        if OWN_LONG in own
        else int(shorthand_s(condition.need("lookbackWindow", example="1h")))
    )
    condition.get("lookbackWindow")
    short_s = _own_s(own[OWN_SHORT]) if OWN_SHORT in own else max(1, long_s // PER_SHORT)
    if OWN_SHORT not in own:
        document.note(
            f"the condition '{name.text()}' has one window: a short one, which ends an alert soon after its "
            f"cause does, was added, {ours.duration(Decimal(short_s))}"
        )
    _tell_delay(condition)
    try:
        tier = Tier(
            name=ours.slug(own.get(OWN_TIER, name)),
            severity=_severity(spec.need("severity", example="page")),
            factor=ours.number(condition.need("threshold", example="14.4")),
            long_s=long_s,
            short_s=short_s,
        )
    except ValueError as error:
        raise condition.wrong(f"{condition.name}: {error}") from error
    return _expressible(tier, condition, window_s)


def _burns(condition: Value) -> bool:
    kind, operator = condition.get("kind"), condition.get("op")
    if kind and kind.text().casefold() != "burnrate":
        condition.note(f"the condition of kind '{kind.text()}' is not carried over: {NO_KIND}")
        return False
    if operator and operator.text() not in {"gt", "gte"}:
        condition.note(
            f"the condition with op '{operator.text()}' is not carried over: alerts fire above a burn rate"
        )
        return False
    if operator and operator.text() == "gte":
        operator.note(
            f"'{operator.name}' gte became gt: an alert of ours fires above its burn rate, not at it"
        )
    return True


def _tell_delay(condition: Value) -> None:
    delay = condition.get("alertAfter")
    if delay and delay.text() not in {"0m", "0s", "0"}:
        delay.note(
            f"'{delay.name}' {delay.text()} is not carried over: our alerts have a short window in its place"
        )


def _severity(value: Value) -> Severity:
    text = value.text().casefold()
    severity = Severity.PAGE if text in PAGING else Severity.TICKET
    if text != severity:
        value.note(f"the severity '{value.text()}' became {severity}: there are page and ticket")
    return severity


def _expressible(tier: Tier, condition: Value, window_s: Decimal) -> Tier | None:
    """Return the tier as an SLO file can say it, telling where that is another."""
    if not 0 < ours.share(tier, window_s) <= 1:
        condition.note(
            f"the burn rate {ours.plain(tier.factor)} over {ours.duration(Decimal(tier.long_s))} is not "
            f"carried over: it spends more than the whole error budget of {ours.duration(window_s)}"
        )
        return None
    written = ours.exact(tier, window_s)
    if written.factor != tier.factor:
        condition.note(
            f"the burn rate {ours.plain(tier.factor)} became {ours.plain(written.factor)}: ours have three "
            "decimals, and are 1 or more"
        )
    return written


def _own_s(value: Value) -> int:
    try:
        return parse_whole_seconds(value.text())
    except ValueError as error:
        raise value.wrong(f"{value.name}: {error}") from error
