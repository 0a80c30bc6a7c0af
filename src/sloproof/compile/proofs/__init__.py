"""Tests for promtool that prove what the rules of a definition do; it runs none of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sloproof.compile import conventions as names
from sloproof.compile import promql
from sloproof.compile.proofs import alarms, derivation, quiet, series, traffic
from sloproof.compile.proofs.burns import below, detection
from sloproof.compile.proofs.case import Subject
from sloproof.compile.proofs.derivation import NotDerivableError
from sloproof.compile.proofs.traffic import NotProvableError, Phase
from sloproof.slo.definition import Availability, ErrorRatio, Latency, Ratio, Up
from sloproof.slo.quantities import in_units

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from sloproof.compile.proofs.case import Case
    from sloproof.compile.selectors import Selector
    from sloproof.compile.yamltext import Value
    from sloproof.slo.definition import Definition


MAKERS: tuple[Callable[[Subject], Case | None], ...] = (
    alarms.outage,
    quiet.one_failure,
    quiet.quiet_outage,
    quiet.far_apart,
    quiet.idle_and_gone,
    quiet.uneven,
    quiet.period,
    series.birth,
    series.newcomer,
    series.spelt,
    series.others,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unproved:
    """An objective (or one tier of it) that no test is made for, and why."""

    objective: str
    tier: str | None = None
    reason: str


def prove(definition: Definition) -> dict[str, dict[str, Value]]:
    """Return files of promtool's unit tests by name, each with tests that evaluate the rules equally often.

    promtool evaluates all rules of a file at one pace. At that of production, days would take minutes: tiers
    with long windows have files of their own. What can't be proved is left out, see `unproved`.
    """
    files: dict[int, list[dict[str, Value]]] = {definition.prometheus.evaluation_interval_s: []}
    for case in _joined(definition):
        files.setdefault(case.pace_s, []).append(case.data())
    return {
        _file(definition, pace_s): {
            "rule_files": [f"{definition.service}.rules.yaml"],
            "evaluation_interval": in_units(pace_s),
            "tests": tests,
        }
        for pace_s, tests in sorted(files.items())
    }


def unproved(definition: Definition) -> list[Unproved]:
    """Return what no test is made for, in the order of the file."""
    found = []
    for objective in definition.objectives:
        subject = Subject(definition, objective)
        if (reason := _refusal(subject)) is not None:
            found.append(Unproved(objective=objective.name, reason=reason))
            continue
        for tier in subject.fireable:
            try:
                detection(subject, tier)
            except NotProvableError as error:
                found.append(Unproved(objective=objective.name, tier=tier.name, reason=str(error)))
    return found


def _file(definition: Definition, pace_s: int) -> str:
    """Return the name of a file, which tells the pace where that is not production's."""
    usual = pace_s == definition.prometheus.evaluation_interval_s
    return f"{definition.service}{'' if usual else f'.{in_units(pace_s)}'}.test.yaml"


def _refusal(subject: Subject) -> str | None:
    try:
        subject.traffic([Phase(steps=1, requests=1)])
    except NotProvableError as error:
        return str(error)
    return None


def _joined(definition: Definition) -> Iterator[Case]:
    """Yield all tests; those of one kind are one, where the objectives do not see each other's metrics.

    promtool evaluates all rules for each test, whoever is meant: four tests take four times as long as one.
    """
    every = [Subject(definition, objective) for objective in definition.objectives]
    provable = [subject for subject in every if _refusal(subject) is None]
    if (alone := alarms.nothing(definition, every)) is not None:
        yield alone
    for subjects in _rounds(provable):
        joined: list[Case] = []
        for subject in subjects:
            for case in _cases(subject):
                _join(joined, case)
        for case in joined:
            yield _with_alarms(case, every)


def _cases(subject: Subject) -> Iterator[Case]:
    for make in MAKERS:
        if (case := make(subject)) is not None:
            yield case
    yield from series.unseen(subject)
    for tier in subject.fireable:
        yield below(subject, tier)
        try:
            yield detection(subject, tier)
        except NotProvableError:
            continue


def _join(joined: list[Case], case: Case) -> None:
    """Add a test to the one of the same kind, unless they need one series to have two values."""
    for index, other in enumerate(joined):
        same = (other.title, other.pace_s, other.step_s) == (case.title, case.pace_s, case.step_s)
        if same and all(other.series.get(name, values) == values for name, values in case.series.items()):
            joined[index] = replace(
                other,
                objectives=(*other.objectives, *case.objectives),
                series={**other.series, **case.series},
                expectations=(*other.expectations, *case.expectations),
            )
            return
    joined.append(case)


def _with_alarms(case: Case, every: Sequence[Subject]) -> Case:
    """Return a test of an outage with all that its alerts say, where it is known what no other alert does."""
    if case.title != alarms.OUTAGE_TITLE:
        return case
    own = [subject for subject in every if subject.objective.name in case.objectives]
    strangers = [subject for subject in every if subject not in own]
    if any(_disturbs(subject, other) for subject in own for other in strangers):
        return case
    said = [alarms.burn_alarms(subject) for subject in own]
    if None in said:
        return case
    end = max(each.at_s for each in case.expectations)
    every_alarm = tuple(alarm for each in said for alarm in each or ())
    return replace(case, alarms={(end, names.BURN_ALERT): every_alarm})


def _disturbs(subject: Subject, other: Subject) -> bool:
    """Tell whether an outage, in which a latency is slow and no more, may be bad in another's eyes."""
    if isinstance(subject.objective.indicator, Latency) and isinstance(
        other.objective.indicator, Availability
    ):
        return False
    return _sees(other, _shown(subject))


def _rounds(subjects: Iterable[Subject]) -> list[list[Subject]]:
    """Return groups of objectives of which none sees metrics that are made up for another one."""
    rounds: list[list[Subject]] = []
    shown = {subject.id: _shown(subject) for subject in subjects}
    for subject in subjects:
        for each in rounds:
            if not any(_sees(subject, shown[other.id]) or _sees(other, shown[subject.id]) for other in each):
                each.append(subject)
                break
        else:
            rounds.append([subject])
    return rounds


def _shown(subject: Subject) -> list[tuple[str, dict[str, str]]]:
    """Return every series that is made up for an objective, or one of each kind."""
    indicator, metrics = subject.objective.indicator, subject.definition.metrics
    phases = [Phase(steps=1, requests=4, errors=0.5)]
    made_up = {**subject.traffic(phases), **traffic.neighbours(indicator, metrics, phases)}
    if not isinstance(indicator, Up | Ratio | ErrorRatio):
        made_up |= traffic.target_up(metrics, "1")
    parsed = [derivation.selectors(name)[0] for name in made_up]
    return [(each.metric or "", derivation.exact(each)) for each in parsed]


def _sees(subject: Subject, shown: Iterable[tuple[str, dict[str, str]]]) -> bool:
    try:
        read = _read(subject)
    except NotDerivableError:  # a query that nothing is known of may see anything
        return True
    return any(each.selects(*one) for one in shown for each in read)


def _read(subject: Subject) -> list[Selector]:
    """Return what an objective's rules read, but for whether targets are up, which all of them do."""
    indicator, metrics = subject.objective.indicator, subject.definition.metrics
    counted = promql.events(indicator, metrics, names.COUNTED_S)
    ratio = promql.error_ratio(indicator, metrics, names.COUNTED_S)
    found = derivation.selectors(ratio) + (derivation.selectors(counted.total) if counted else [])
    if isinstance(indicator, Up):
        return found
    return [each for each in found if each.metric != names.UP or each.matchers]
