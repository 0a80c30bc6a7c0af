"""The parts of an SLO file of ours as plain data, made of what other tools write; it knows none of them."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sloproof.compile.yamltext import emit
from sloproof.slo.fileformat import INTEGRITY
from sloproof.slo.quantities import SECONDS_PER_UNIT, parse_target, shown
from sloproof.slo.tiers import Share, default_tiers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sloproof.compile.interop.foreign import Note, Value
    from sloproof.slo.tiers import Tier

Data = dict[str, Any]
"""Plain data for YAML, keys in the order of the file."""
NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
COMPOUND = re.compile(r"(?:[0-9]+(?:ms|[smhdwy]))+")
PER_YEAR = Decimal(365 * 86_400)
RESERVED = {
    "severity": "sloproof sets it to page or ticket",
    "tier": "sloproof sets it to the name of the alert's tier",
    "alertname": "Prometheus sets it",
}
BUDGET_STEP = Decimal("1e-9")
"""A share of an error budget, in percent, has so many digits in an SLO file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one document says of one service; `objectives` are as in an SLO file, each with a window."""

    service: str
    labels: Mapping[str, str] = field(default_factory=dict)
    prometheus: Mapping[str, Any] = field(default_factory=dict)
    objectives: Sequence[tuple[Value, Data]]


@dataclass(frozen=True, slots=True)
class SloFile:
    """An SLO file of one service."""

    service: str
    data: Data

    def text(self) -> str:
        """Return it as YAML."""
        return emit(self.data)


@dataclass(frozen=True, slots=True)
class Imported:
    """SLO files made of one foreign file, and what is not in them as it was there."""

    files: tuple[SloFile, ...]
    notes: tuple[Note, ...]


def assemble(parts: Iterable[Part]) -> tuple[SloFile, ...]:
    """Return one file a service, in the order in which the services first occur."""
    by_service: dict[str, list[Part]] = {}
    for part in parts:
        if part.objectives:
            by_service.setdefault(part.service, []).append(part)
    return tuple(_file(service, found) for service, found in by_service.items())


def _file(service: str, parts: list[Part]) -> SloFile:
    common = parts[0].labels if all(part.labels == parts[0].labels for part in parts) else {}
    objectives = []
    names: Counter[str] = Counter()
    for part in parts:
        own = {} if common else part.labels
        for source, objective in part.objectives:
            objective["name"] = _free(objective["name"], names, source)
            objectives.append(_with_labels(objective, own))
    window = objectives[0]["window"]
    for objective in objectives:
        if objective["window"] == window:
            del objective["window"]
    prometheus = next((part.prometheus for part in parts if part.prometheus), {})
    head = {"service": service, "window": window, "prometheus": dict(prometheus), "labels": dict(common)}
    return SloFile(
        service, {**{key: value for key, value in head.items() if value}, "objectives": objectives}
    )


def _with_labels(objective: Data, labels: Mapping[str, str]) -> Data:
    together = {**labels, **objective.get("labels", {})}
    order = ("name", "description", "target", "window", "labels", "alerting", "indicator")
    data = {**objective, "labels": together}
    return {key: data[key] for key in order if data.get(key)}


def _free(name: str, taken: Counter[str], source: Value) -> str:
    taken[name] += 1
    if taken[name] == 1:
        return name
    other = _free(f"{name}-{taken[name]}", taken, source)
    source.note(f"the name '{name}' is taken by another objective of the service: it became '{other}'")
    return other


def slug(value: Value, *, text: str | None = None) -> str:
    """Return a name as our files take it: lower-case letters and digits, with single hyphens between.

    `text` is what is meant where that is not the whole value. Raises Wrong where nothing is left of it.
    """
    given = value.text() if text is None else text
    name = re.sub(r"[^a-z0-9]+", "-", given.casefold()).strip("-")
    name = re.sub(r"^[0-9]", r"slo-\g<0>", name)
    if not name:
        raise value.wrong(f"{value.name}: {shown(given)} has no letter or digit: write a name, e.g. checkout")
    if name == INTEGRITY:
        name = f"{INTEGRITY}-of-events"
    if name != given:
        value.note(f"the name '{given}' became '{name}': names are lower-case words with hyphens between")
    return name


def labels(value: Value | None) -> dict[str, str]:
    """Return labels (or annotations) as rules of ours can carry them; those that cannot are told."""
    found: dict[str, str] = {}
    for key, each in value.pairs() if value else []:
        found.update(label(key, each))
    return found


def label(key: str, value: Value, *, name: str | None = None) -> dict[str, str]:
    """Return one label, or none where ours cannot carry it; `name` is what to call it instead of `key`."""
    wanted = key if name is None else name
    given = re.sub(r"^[0-9]", r"_\g<0>", re.sub(r"[^a-zA-Z0-9_]", "_", wanted))
    if why := RESERVED.get(given) or (given.startswith(("sloth_", "__")) and "its name is a reserved one"):
        value.note(f"the label '{key}' is not carried over: {why}")
        return {}
    if given != wanted:
        value.note(f"the label '{key}' became '{given}': Prometheus takes no other characters")
    return {given: _joined(value, key)}


def _joined(value: Value, key: str) -> str:
    if not isinstance(value.data, list):
        return value.text()
    text = ",".join(each.text() for each in value.items())
    value.note(f"the label '{key}' became one text, '{text}': a label of Prometheus has one value")
    return text


def number(value: Value) -> Decimal:
    """Return the exact number that is written; raises Wrong."""
    if not NUMBER.fullmatch(text := value.text()):
        raise value.wrong(f"{value.name}: takes a number, not {shown(text)}")
    return Decimal(text)


def percentage(value: Value) -> str:
    """Return a target that is written as a percentage, as an exact one of ours; raises Wrong.

    One below 1 % is told: it was probably meant to be a ratio.
    """
    percent = _bare(value, of=Decimal(1))
    if 0 < percent < 1:
        value.note(
            f"the target {value.text()} is read as a percentage, so nearly every event may be bad: "
            f"write {plain(percent.scaleb(2))} if it is meant as a ratio"
        )
    return _target(value, percent)


def ratio(value: Value) -> str:
    """Return a target that is written as a ratio, as an exact percentage of ours; raises Wrong."""
    if (given := _bare(value, of=Decimal(100))) >= 1:
        raise value.wrong(
            f"{value.name}: {shown(value.data)} leaves no error budget: write a ratio below 1, e.g. 0.999"
        )
    return _target(value, given.scaleb(2))


def _bare(value: Value, *, of: Decimal) -> Decimal:
    """Return the number of a target, which no other tool writes with a sign for per cent; raises Wrong.

    `of` is how many per cent the tool calls 1.
    """
    text = value.text()
    if text.endswith("%") and NUMBER.fullmatch(percent := text[:-1].strip()):
        meant = plain(Decimal(percent) / of)
        raise value.wrong(f"{value.name}: takes a number without a sign, not '{text}': write {meant}")
    return number(value)


def _target(value: Value, percent: Decimal) -> str:
    text = f"{plain(percent)}%"
    try:
        parse_target(text)
    except ValueError as error:
        raise value.wrong(f"{value.name}: {error}") from error
    return text


def plain(number: Decimal) -> str:
    """Return a number without an exponent or trailing zeros.

    >>> plain(Decimal("99.90")), plain(Decimal("1e2"))
    ('99.9', '100')
    """
    return f"{number.normalize():f}"


def duration(seconds: Decimal) -> str:
    """Return a duration as our files take it: one number and the largest unit that divides it.

    >>> duration(Decimal(2_419_200)), duration(Decimal(5_400)), duration(Decimal("0.25"))
    ('28d', '90m', '250ms')
    """
    counts = ((seconds / SECONDS_PER_UNIT[unit], unit) for unit in ("d", "h", "m", "s", "ms"))
    count, unit = next((each for each in counts if each[0] == int(each[0])), (seconds, "s"))
    return f"{plain(count)}{unit}"


def prometheus_duration(value: Value) -> Decimal:
    """Return the seconds of a duration as Prometheus takes it, 1d12h for one; raises Wrong."""
    if not COMPOUND.fullmatch(text := value.text()):
        raise value.wrong(
            f"{value.name}: {shown(text)} is not a duration of Prometheus: write e.g. 28d or 4w"
        )
    units = {**SECONDS_PER_UNIT, "y": PER_YEAR}
    seconds = sum(
        (int(count) * units[unit] for count, unit in re.findall(r"([0-9]+)(ms|[smhdwy])", text)), Decimal(0)
    )
    if not seconds:
        raise value.wrong(f"{value.name}: {shown(text)} is no time at all: write e.g. 28d")
    return seconds


def tiers(wanted: Sequence[Tier], window_s: Decimal) -> Data:
    """Return the keys of `alerting` that give exactly these tiers: none, where they are the default."""
    default = default_tiers(window_s)
    if tuple(wanted) == tuple(tier for tier in default if tier in wanted):
        disabled = [tier.name for tier in default if tier not in wanted]
        return {"disable": disabled} if disabled else {}
    return {"tiers": [_tier(tier, window_s) for tier in wanted]}


def share(tier: Tier, window_s: Decimal) -> Decimal:
    """Return which share of the error budget a tier stands for, to as many digits as a file has.

    At the even pace any share does whose factor is no higher, so there it is never more than the whole.
    """
    percent = 100 * tier.factor * tier.long_s / window_s
    if tier.factor <= 1:
        percent = min(percent, Decimal(100))
    return percent.quantize(BUDGET_STEP).scaleb(-2).normalize()


def exact(tier: Tier, window_s: Decimal) -> Tier:
    """Return the tier that a file gives that was written for this one."""
    return Share(
        name=tier.name,
        severity=tier.severity,
        budget=share(tier, window_s),
        long_s=tier.long_s,
        short_s=tier.short_s,
    ).tier(window_s)


def _tier(tier: Tier, window_s: Decimal) -> Data:
    return {
        "name": tier.name,
        "severity": tier.severity.value,
        "budget": f"{plain(share(tier, window_s).scaleb(2))}%",
        "long": duration(Decimal(tier.long_s)),
        "short": duration(Decimal(tier.short_s)),
    }
