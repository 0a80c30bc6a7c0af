"""The answer of a run in words: one sentence, and what to know before believing it; it knows no markup."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sloproof.analysis.capacity.result import CAPACITY
from sloproof.analysis.findings import is_contradiction
from sloproof.analysis.verdicts import Verdict
from sloproof.report.calibration import calibration_notes, stability_notes
from sloproof.report.pressure import pressure_notes
from sloproof.report.text import percent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sloproof.analysis.results import ConfigurationResult, Results

BY_WEIGHT = (Verdict.VIOLATED, Verdict.INCONCLUSIVE, Verdict.MET)
MOST_NAMED = 4


def headline(results: Results) -> str:
    """Return the answer of the run in one sentence."""
    if not measured(results):
        return "No valid measurement: nothing can be said."
    if results.capacities:
        return _carried(results)
    groups = {
        verdict: [each.id for each in results.configurations if worst(each) is verdict] for verdict in Verdict
    }
    parts = []
    if met := groups[Verdict.MET]:
        parts.append(f"{_all_of(met, results)} every objective")
    if violated := groups[Verdict.VIOLATED]:
        parts.append(f"{_listed(violated)} {'violates' if len(violated) == 1 else 'violate'} at least one")
    if undecided := groups[Verdict.INCONCLUSIVE]:
        parts.append(f"{_listed(undecided)} {'is' if len(undecided) == 1 else 'are'} undecided")
    return f"{'; '.join(parts)}."


def measured(results: Results) -> bool:
    """Return whether any trial of the run was valid."""
    return any(each.valid_trials for each in results.configurations)


def worst(configuration: ConfigurationResult) -> Verdict:
    """Return the verdict that weighs most among a configuration's."""
    verdicts = {objective.verdict for objective in configuration.objectives}
    return next(each for each in BY_WEIGHT if each in verdicts)


def overall(results: Results) -> Verdict:
    """Return the verdict that weighs most among all of a run's, INCONCLUSIVE where nothing was measured."""
    verdicts = {*results.verdicts()} if measured(results) else {Verdict.INCONCLUSIVE}
    return next(each for each in BY_WEIGHT if each in verdicts)


def trials(results: Results) -> str:
    """Return how many trials ran, of how many, and how many count."""
    invalid = sum(not trial.valid for trial in results.trials)
    planned = "" if results.plan.search else f" of {results.plan.trials} planned"  # a search plans none
    counted = f"{len(results.trials) - invalid} valid trials{planned}"
    unfinished = "" if results.complete else ", run not finished"
    return f"{counted}{f', {invalid} invalid' if invalid else ''}{unfinished}"


def confidence(results: Results) -> str:
    """Return the least confidence of the intervals shown."""
    intervals = [each.interval for c in results.configurations for each in c.objectives if each.interval]
    return percent(min(interval.confidence_ratio for interval in intervals)) if intervals else "95 %"


def capacities(results: Results) -> Iterator[tuple[str, str]]:
    """Yield what each configuration carries within its objectives."""
    for capacity in results.capacities:
        yield capacity.configuration, capacity.sentence


def notes(results: Results) -> Iterator[tuple[str, str]]:
    """Yield what a reader must know: what it is about, and what there is to say of it.

    First every violation with its reason and its blind spot, and observers that contradict each other; then
    trials that were invalid, then what this machine cannot tell, and what held subjects back.
    """
    for configuration in results.configurations:
        for objective in configuration.objectives:
            if objective.verdict is Verdict.VIOLATED and objective.name != CAPACITY:
                finding = f"; {objective.finding}" if objective.finding else ""
                yield f"{configuration.id}, {objective.name}", f"{objective.reason}{finding}"
            elif is_contradiction(objective.finding):
                yield f"{configuration.id}, {objective.name}", objective.finding or ""
    if invalid := [trial for trial in results.trials if not trial.valid]:
        first = invalid[0]
        said = "was invalid and counts" if len(invalid) == 1 else "were invalid and count"
        yield (
            f"{len(invalid)} of {len(results.trials)} trials {said} for integrity alone",
            f"{first.folder}, for one: {first.problems[0]}",
        )
    yield from calibration_notes(results)
    yield from pressure_notes(results)
    yield from stability_notes(results)


def undecided(results: Results) -> Iterator[tuple[str, str]]:
    """Yield what could not be decided, with its reason and what would probably decide it."""
    for configuration in results.configurations:
        for objective in configuration.objectives:
            if objective.verdict is Verdict.INCONCLUSIVE and objective.name != CAPACITY:
                yield f"{configuration.id}, {objective.name}", objective.reason


def _carried(results: Results) -> str:
    """Return which configuration was shown to carry most, and whether anything is violated."""
    shown = [each for each in results.capacities if each.at_least_per_s is not None]
    said = "No capacity was shown"
    if shown:
        most = max(shown, key=lambda each: each.at_least_per_s or 0.0)
        said = f"{most.configuration}: {most.sentence.partition(';')[0]}"
        if (configurations := len(results.capacities)) > 1:
            said += f", the highest bound of {configurations} configurations"
    violating = [each.id for each in results.configurations if worst(each) is Verdict.VIOLATED]
    if violating:
        said += f"; {_listed(violating)} {'violates' if len(violating) == 1 else 'violate'} what was demanded"
    return f"{said}."


def _all_of(ids: list[str], results: Results) -> str:
    if len(ids) == len(results.configurations) > 1:
        return f"All {len(ids)} configurations meet"
    return f"{_listed(ids)} {'meets' if len(ids) == 1 else 'meet'}"


def _listed(ids: list[str]) -> str:
    if len(ids) > MOST_NAMED:
        return f"{len(ids)} configurations"
    return ids[0] if len(ids) == 1 else f"{', '.join(ids[:-1])} and {ids[-1]}"
