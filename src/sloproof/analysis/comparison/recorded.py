"""A run as ``results.json`` holds it, as far as a comparison needs it, and what keeps two of them apart."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - resolved when it is read
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from sloproof.analysis.comparison.judging import Pair, compare
from sloproof.analysis.comparison.outcome import Design
from sloproof.analysis.results import ObjectiveDefinition as Objective  # noqa: TC001 - as above
from sloproof.analysis.results import Observation, Plan, TrialPercentile  # noqa: TC001 - as above

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sloproof.analysis.comparison.outcome import Comparison, Margin

MACHINE = (
    *("machine", "cpu", "cpus", "memory_bytes", "kernel"),
    *("governor", "boost", "clock_source", "container", "limits"),
)
"""What of an environment is the machine's, and does not change from one moment to the next."""
PROFILE = "profile"
"""The factor that says under which traffic a configuration ran."""
SUBJECT = ("command", "env", "container")
"""How the subject is started. Its commit, and the image built from that, may differ: they are compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedIntegrity:
    """Each breach of integrity in words."""

    violations: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedTrial:
    """One trial."""

    block: int
    configuration: str
    valid: bool
    percentiles: tuple[TrialPercentile, ...]
    observations: Mapping[str, Observation]
    integrity: RecordedIntegrity


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedConfiguration:
    """One cell of the matrix."""

    id: str
    factors: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRun:
    """One run."""

    run: str
    service: str
    experiment: str
    started_at: str
    objectives: tuple[Objective, ...]
    plan: Plan
    environment: Mapping[str, Any]
    configurations: tuple[RecordedConfiguration, ...]
    trials: tuple[RecordedTrial, ...]

    def of(self, configuration: str) -> list[RecordedTrial]:
        """Return the trials of a configuration."""
        return [trial for trial in self.trials if trial.configuration == configuration]


RUN = TypeAdapter(RecordedRun)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A fact that is not the same in both runs, so that they measure different things."""

    field: str
    baseline: object
    current: object


def differences(baseline: RecordedRun, current: RecordedRun) -> list[Difference]:
    """Return what makes two runs incomparable: machine, versions, traffic, objectives, the subject's start.

    Not the number of blocks and the seed, which say how well the same thing was measured, and not the
    commit, which is what is compared.
    """
    before, after = _facts(baseline), _facts(current)
    return [
        Difference(field=name, baseline=before.get(name), current=after.get(name))
        for name in {**before, **after}
        if before.get(name) != after.get(name)
    ]


def shared(baseline: RecordedRun, current: RecordedRun) -> list[str]:
    """Return the configurations that both runs have."""
    theirs = {each.id for each in current.configurations}
    return [each.id for each in baseline.configurations if each.id in theirs]


def across_runs(baseline: RecordedRun, current: RecordedRun, *, margin: Margin) -> tuple[Comparison, ...]:
    """Return how every configuration that both runs have stands in the second to itself in the first.

    Blocks of two runs did not run side by side, whatever their seeds, so nothing is paired. A machine that
    changed between the runs changes the result: no interval covers that.
    """
    pairs = [
        Pair(baseline=each, current=each, before=baseline.of(each), after=current.of(each))
        for each in shared(baseline, current)
    ]
    objectives = [each for each in baseline.objectives if each in current.objectives]
    return tuple(compare(pairs, objectives, design=Design.RUNS, margin=margin))


def within_one(run: RecordedRun, baseline: str, current: str, *, margin: Margin) -> tuple[Comparison, ...]:
    """Return how one configuration of a run stands to another, within its blocks."""
    pair = Pair(baseline=baseline, current=current, before=run.of(baseline), after=run.of(current))
    return tuple(compare([pair], run.objectives, design=Design.BLOCKS, margin=margin))


def differences_within(run: RecordedRun, baseline: str, current: str) -> list[Difference]:
    """Return what makes two configurations of a run incomparable: that they ran under different traffic."""
    before, after = (
        each.factors.get(PROFILE)
        for name in (baseline, current)
        for each in run.configurations
        if each.id == name
    )
    return [] if before == after else [Difference(field=PROFILE, baseline=before, current=after)]


def _facts(run: RecordedRun) -> dict[str, object]:
    """Return everything that must be the same, by a name that tells where it is from."""
    environment, plan = run.environment, run.plan
    factors = {each.id: dict(each.factors) for each in run.configurations}
    return {
        "service": run.service,
        **dict(_joined((name, environment.get(name)) for name in MACHINE)),
        "python": environment.get("python"),
        **{f"package {name}": version for name, version in sorted(environment["packages"].items())},
        "backend": plan.backend,
        **{f"engine {name}": value for name, value in plan.subject.get("engine", {}).items()},
        **_flat("subject", {name: getattr(plan, name) for name in SUBJECT}),
        **_flat("traffic", asdict(plan.traffic)),
        **_flat("profiles", {name: asdict(traffic) for name, traffic in plan.profiles.items()}),
        "load workers": plan.load_workers,
        "locustfile": plan.inputs.get("locustfile"),
        **_flat("objective", {each.name: _asked(each) for each in run.objectives}),
        **_flat("configuration", factors),
    }


def _asked(objective: Objective) -> dict[str, object]:
    """Return what an objective asks for; how it is described makes no difference."""
    return {name: value for name, value in asdict(objective).items() if name not in ("name", "description")}


def _flat(name: str, value: object) -> dict[str, object]:
    """Return a mapping of mappings as one, with the names on the way joined by dots."""
    if not isinstance(value, dict) or not value:
        return {name: value}
    return dict(_joined((f"{name}.{key}", inner) for key, inner in value.items()))


def _joined(items: Iterable[tuple[str, object]]) -> Iterator[tuple[str, object]]:
    for name, value in items:
        yield from _flat(name, value).items()
