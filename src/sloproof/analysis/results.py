"""The results of a run, as ``results.json`` holds them and reports show them; it computes nothing."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping  # noqa: TC003 - resolved when results are read back
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BeforeValidator, TypeAdapter

from sloproof.analysis.accounting import (  # noqa: TC001 - resolved when results are read back
    BadEvents,
    EventCounts,
    TimeSpent,
)
from sloproof.analysis.capacity.result import Capacity, Search  # noqa: TC001 - as above
from sloproof.analysis.comparison.outcome import Comparison, Margin
from sloproof.analysis.counts import Counts  # noqa: TC001 - as above
from sloproof.analysis.estimates import Estimate  # noqa: TC001 - as above
from sloproof.analysis.intervals import Interval  # noqa: TC001 - as above
from sloproof.analysis.timeline import Timeline  # noqa: TC001 - as above
from sloproof.analysis.verdicts import Verdict

SCHEMA = "sloproof.results/1"
# No text in JSON holds a line break, so this is never found inside one.
NUMBERS = re.compile(r"\[\n\s+(?:[-+.\deE]+|null)(?:,\n\s+(?:[-+.\deE]+|null))*\n\s+\]")


def _endless(value: object) -> object:
    """Read null as infinity: JSON has no number for it."""
    return math.inf if value is None else value


EndlessSeconds = Annotated[float, BeforeValidator(_endless)]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialPercentile:
    """A latency percentile of one endpoint or event, in one trial that had requests enough for it.

    ``value_s`` is infinite where it was never answered.
    """

    about: str
    q: float
    value_s: EndlessSeconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One objective in one trial; ``None`` where that observer could not see it.

    ``counts`` says what each observer counted, ``bad`` what made the bad events of a latency objective bad.
    ``finding`` says where the observers disagree.
    """

    client: Counts | None
    server: Counts | None
    prometheus: Estimate | None = None
    counts: EventCounts | None = None
    bad: BadEvents | None = None
    finding: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrapes:
    """How a Prometheus watched a trial: how often it scraped of how many times between first and last.

    ``window_s`` reaches from its last scrape before the load to the first after it. ``problem`` says why it
    saw nothing, or not all of it.
    """

    seen: int
    expected: int
    window_s: float | None
    problem: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Integrity:
    """What became of the jobs that the subject accepted in a trial, and how it ended.

    ``refused`` counts requests of the SIGTERM phase that were turned away, which is no loss; ``unanswered``
    those that were taken and got no answer, which is one. ``violations`` says each breach in words.
    """

    accepted: int
    ended: int
    failed: int
    lost: int
    pending: int
    doubled: int
    answered: int
    refused: int
    unanswered: int
    exit_status: int | None
    violations: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialResult:
    """One trial: whether its measurement was sound, and what it saw.

    ``timelines`` and ``spent`` are by endpoint; ``files`` names what its folder holds. ``subject_pressure``
    says what held the subject back under load, in shares of the time; ``null`` is what the kernel does not
    tell. ``rate_per_s`` is the rate that a search has chosen for it.
    """

    folder: str
    block: int
    configuration: str
    repeat: int
    started_at: float
    seconds: Mapping[str, float]
    valid: bool
    problems: tuple[str, ...]
    generator: Mapping[str, Any]
    observations: Mapping[str, Observation]
    integrity: Integrity
    requests_by_worker: Mapping[str, int]
    subject_cpu_s: float | None
    subject_build: Mapping[str, str]
    timelines: Mapping[str, Timeline]
    files: tuple[str, ...]
    subject_pressure: Mapping[str, float | None] | None = None
    scrapes: Scrapes | None = None
    spent: Mapping[str, TimeSpent] = field(default_factory=dict)
    percentiles: tuple[TrialPercentile, ...] = ()
    rate_per_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveResult:
    """One objective of one configuration, judged over its valid trials.

    ``client``, ``server`` and ``prometheus`` are the counts of all of them together, ``counts`` and ``bad``
    account for their difference; ``interval`` is that of the typical trial's SLI.
    ``budget_consumed_ratio`` is the share of their error budget that the clients' events have consumed.
    ``finding`` says where the observers disagree.
    """

    name: str
    verdict: Verdict
    reason: str
    interval: Interval | None
    client: Counts | None
    server: Counts | None
    more_trials: int | None
    budget_consumed_ratio: float | None
    finding: str | None
    prometheus: Estimate | None = None
    counts: EventCounts | None = None
    bad: BadEvents | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Percentile:
    """A latency percentile of one endpoint, in seconds.

    ``typical_s`` is the median over the trials with its interval; ``server_s`` are the two bounds of the
    subject's own histogram between which its view of the same percentile lies. ``None``: too little to say.
    """

    q: float
    typical_s: Interval | None
    server_s: tuple[float, float | None] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointResult:
    """The latency of one endpoint in one configuration; ``curve`` are (q, seconds) of all trials merged.

    ``timeline`` and ``spent``, where the time of the answered requests went, are ``None`` for an event, such
    as the end of a job.
    """

    endpoint: str
    requests: int
    percentiles: tuple[Percentile, ...]
    curve: tuple[tuple[float, float], ...]
    timeline: Timeline | None
    spent: TimeSpent | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationResult:
    """One cell of the matrix."""

    id: str
    factors: Mapping[str, str]
    valid_trials: int
    invalid_trials: int
    objectives: tuple[ObjectiveResult, ...]
    endpoints: tuple[EndpointResult, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveDefinition:
    """What was asked for; `threshold_s` and `endpoint` where the objective is about latency.

    ``indicator`` is the kind of indicator. The target is the exact decimal as text; integrity has none.
    """

    name: str
    description: str
    indicator: str
    target: str | None
    threshold_s: float | None
    endpoint: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What the generator was told to send in a trial.

    ``arrival`` is the law of the intended starts, or ``recorded``. ``rate_per_s`` is that of the warm-up and
    at the beginning of the load phase, ``shape`` says in words how it goes on, and ``requests`` how many
    tasks are to start in the load phase.
    """

    arrival: str
    rate_per_s: float
    warmup_s: float
    load_s: float
    users: int
    timeout_s: float
    shape: str = "constant"
    requests: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What was planned: how many trials of what traffic, on a subject started how.

    ``backend`` is ``process`` or ``docker``, with the reason why; ``subject`` says what it ran (images by
    what they were made from), ``calibration`` what it measured of itself. Where there are ``profiles``, the
    factor ``profile`` names the one that a configuration ran under, else ``traffic`` is that of all. Where
    there is a ``search``, it chose the rates.
    ``inputs`` are the SHA-256 digests of the files that define the run; ``margin`` is what makes no matter
    when configurations are compared. ``prometheus`` says in words which one watched, or why none did.
    ``looks`` are the blocks after which a run until decided is looked at, the last of them the most that it
    may take; ``blocks`` is then how many it takes as it stands. ``load_workers`` processes sent the load.
    """

    trials: int
    blocks: int
    seed: int
    backend: str
    backend_reason: str
    subject: Mapping[str, Any]
    calibration: Mapping[str, Any]
    command: tuple[str, ...]
    env: Mapping[str, str]
    container: Mapping[str, Any] | None
    traffic: Traffic
    profiles: Mapping[str, Traffic]
    inputs: Mapping[str, str] = field(default_factory=dict)
    margin: Margin = field(default_factory=Margin)
    looks: tuple[int, ...] = ()
    prometheus: str = ""
    load_workers: int = 1
    search: Search | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """Everything a report shows of a run; ``complete`` when every planned trial has run.

    ``set_aside`` counts trials of blocks that an interruption cut short: the blocks were run again, whole.
    ``capacities`` are what searches have found, one a configuration.
    """

    schema: str
    run: str
    experiment: str
    description: str
    started_at: str
    service: str
    objectives: tuple[ObjectiveDefinition, ...]
    plan: Plan
    environment: Mapping[str, Any]
    configurations: tuple[ConfigurationResult, ...]
    trials: tuple[TrialResult, ...]
    set_aside: int
    complete: bool
    comparisons: tuple[Comparison, ...] = ()
    capacities: tuple[Capacity, ...] = ()

    @property
    def judged(self) -> list[ObjectiveDefinition]:
        """Return the objectives on which there are verdicts: a search judges the capacity under all."""
        names = {objective.name for each in self.configurations for objective in each.objectives}
        return [each for each in self.objectives if each.name in names]

    def verdicts(self) -> list[Verdict]:
        """Return the verdict of every objective of every configuration."""
        return [objective.verdict for each in self.configurations for objective in each.objectives]


def exit_status(results: Results) -> int:
    """Return how a command that made these results ends: the first that applies.

    4 a configuration has no valid measurement, 1 an objective is violated, 3 one is inconclusive, 0 all
    are met.
    """
    verdicts = results.verdicts()
    if any(each.valid_trials == 0 for each in results.configurations) or not verdicts:
        return 4
    if Verdict.VIOLATED in verdicts:
        return 1
    return 3 if Verdict.INCONCLUSIVE in verdicts else 0


def to_json(results: Results) -> str:
    """Return results as JSON of the schema that they name; what is infinite, or unknown, is null.

    A list of numbers takes a line, not a line a number.
    """
    text = TypeAdapter(Results).dump_json(results, indent=1).decode()
    return NUMBERS.sub(lambda match: " ".join(match[0].split()), text) + "\n"
