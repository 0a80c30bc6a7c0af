"""What the trials of a search say of the capacity, from their files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sloproof.analysis.capacity.limits import Processors
from sloproof.analysis.capacity.observation import Observation
from sloproof.analysis.scored import Scored
from sloproof.experiment.capacity.plan import TURN_S
from sloproof.experiment.filling import fill
from sloproof.experiment.record import BackendName, Part
from sloproof.observe.margins import margins
from sloproof.observe.usage import usage

if TYPE_CHECKING:
    from sloproof.analysis.capacity.limits import Usage
    from sloproof.analysis.results import TrialResult
    from sloproof.experiment.plan import Configuration
    from sloproof.experiment.record import TrialRecord
    from sloproof.experiment.runfolder import RunFacts, TrialFolder
    from sloproof.experiment.spec import Experiment
    from sloproof.observe.scrape import Scrape
    from sloproof.slo.definition import Definition


def scored(folder: TrialFolder) -> Scored:
    """Read what a trial is judged by."""
    return Scored.of(folder.samples(), folder.jobs())


def observation(scored: Scored, result: TrialResult, definition: Definition) -> Observation:
    """Return what a trial says of the objectives at its rate.

    One in which no objective had an event says nothing, and is not valid for a search.
    """
    found = margins(definition.objectives, scored)
    assert result.rate_per_s is not None  # noqa: S101 - every trial of a search has one
    return Observation(
        rate_per_s=result.rate_per_s,
        seconds=sum(result.seconds.values()) + TURN_S,
        valid=result.valid and len(found) > 1,
        margins=found,
    )


def used(scored: Scored, gain: Scrape | None, record: TrialRecord, definition: Definition) -> Usage:
    """Return what a trial used of the machine over its load phase.

    Jobs that ended after it add to what was used, and make it look busier than it was, never idler.
    """
    return usage(
        gain,
        scored,
        generator_cpu=record.generator.cpu_ratio,
        requests=definition.metrics.requests,
        seconds=record.seconds[Part.LOAD],
    )


def processors(experiment: Experiment, configuration: Configuration, facts: RunFacts) -> Processors:
    """Return how many processors a configuration may use: its container's, or those of the machine."""
    machine = float(facts.environment["cpus"])
    container = experiment.subject.container
    if facts.backend is not BackendName.DOCKER or container is None:
        return Processors(own=machine, machine=machine)
    filled = fill(experiment.subject, container, configuration.factors)
    pinned = machine if filled.cpuset is None else float(_listed(filled.cpuset))
    return Processors(own=min(pinned, filled.cpus or machine), machine=machine)


def _listed(cpuset: str) -> int:
    """Return how many processors a list such as ``0-1,3`` names.

    >>> _listed("0-1,3")
    3
    """
    ends = [part.partition("-") for part in cpuset.split(",")]
    return sum(int(last or first) - int(first) + 1 for first, _, last in ends)
