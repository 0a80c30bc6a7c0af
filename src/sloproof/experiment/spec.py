"""What an experiment file says: its types, its limits, and where relative paths start; runs nothing."""

from __future__ import annotations

import string
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from sloproof.experiment.plan import configurations
from sloproof.load.protocol import MAX_ARRIVALS, MAX_USERS
from sloproof.slo.quantities import DurationSeconds, RatePerSecond
from sloproof.slo.yamlfile import InvalidFile, Problem, read

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_CONFIGURATIONS = 200
BUILT_IN_NAMES = frozenset({"python", "port", "folder"})


def _placeholders(text: str) -> str:
    try:
        fields = [field for field in string.Formatter().parse(text) if field[1] is not None]
    except ValueError as error:
        raise ValueError(f"{error}: write {{{{ and }}}} for literal braces") from error
    if any(
        not name.isidentifier() or spec or conversion
        for _, name, spec, conversion in fields
        if name is not None
    ):
        raise ValueError("a placeholder is a name in braces and nothing more, such as {port}")
    return text


def _some_time(seconds: float) -> float:
    if not seconds > 0:
        raise ValueError("0s is no time at all: write a duration longer than 0, e.g. 10s")
    return seconds


Template = Annotated[str, AfterValidator(_placeholders)]
PositiveSeconds = Annotated[DurationSeconds, AfterValidator(_some_time)]
EnvironmentName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
UrlPath = Annotated[str, Field(pattern=r"^/\S*$")]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=63)]
FactorName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=63)]
Level = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=63)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SubjectSpec(_Section):
    """How the thing under test is started and spoken to."""

    command: Annotated[tuple[Template, ...], Field(min_length=1)]
    directory: Path = Field(default_factory=Path)
    env: dict[EnvironmentName, Template] = Field(default_factory=dict)
    ready: UrlPath = "/readyz"
    metrics: UrlPath = "/metrics"
    ready_within: PositiveSeconds = 30.0
    stop_within: PositiveSeconds = 20.0

    def placeholders(self) -> set[str]:
        """Return every name in braces that the command or the environment uses."""
        texts = [*self.command, *self.env.values()]
        return {
            name for text in texts for _, name, _, _ in string.Formatter().parse(text) if name is not None
        }


class LoadSpec(_Section):
    """The traffic of one trial: an open-loop schedule of a Locust file's tasks."""

    locustfile: Path
    arrival: Literal["constant", "poisson"] = "poisson"
    rate: RatePerSecond
    warmup: PositiveSeconds
    duration: PositiveSeconds
    users: Annotated[int, Field(ge=1, le=MAX_USERS)] = 64
    timeout: PositiveSeconds = 10.0

    @model_validator(mode="after")
    def _is_bounded(self) -> Self:
        for name, seconds in (("warmup", self.warmup), ("duration", self.duration)):
            if not 1 <= self.rate * seconds <= MAX_ARRIVALS:
                raise ValueError(
                    f"{name}: {self.rate:g}/s for {seconds:g}s are {self.rate * seconds:,.0f} requests; "
                    f"a phase has 1 to {MAX_ARRIVALS:,}"
                )
        return self


class StopSpec(_Section):
    """The light, unscored traffic during which the subject is asked to stop."""

    rate: RatePerSecond = 20.0
    lead: DurationSeconds = 0.3


class Experiment(_Section):
    """A matrix experiment: every combination of the factors, in randomised blocks."""

    kind: Literal["matrix"]
    name: Slug
    description: str = ""
    slo: Path
    subject: SubjectSpec
    factors: Annotated[
        dict[FactorName, Annotated[tuple[Level, ...], Field(min_length=1)]], Field(min_length=1)
    ]
    blocks: Annotated[int, Field(ge=1, le=1_000)]
    seed: Annotated[int, Field(ge=0)] = 1
    repeats: Annotated[int, Field(ge=0, le=1_000)] = 6
    load: LoadSpec
    stop: StopSpec = Field(default_factory=StopSpec)

    @model_validator(mode="after")
    def _factors_are_used(self) -> Self:
        used = self.subject.placeholders()
        if unknown := sorted(used - BUILT_IN_NAMES - self.factors.keys()):
            accepted = ", ".join(sorted(BUILT_IN_NAMES | self.factors.keys()))
            raise ValueError(f"subject: unknown placeholder {{{unknown[0]}}}; known are {accepted}")
        if unused := sorted(self.factors.keys() - used):
            raise ValueError(
                f"factor '{unused[0]}' changes nothing: use {{{unused[0]}}} in subject.command or subject.env"
            )
        if taken := sorted(self.factors.keys() & BUILT_IN_NAMES):
            raise ValueError(f"'{taken[0]}' cannot be a factor: its value is given by sloproof")
        for name, levels in self.factors.items():
            if twice := next((level for level in levels if levels.count(level) > 1), None):
                raise ValueError(f"factor '{name}' names {twice} twice: name each level once")
        ids = Counter(each.id for each in configurations(self.factors))
        if len(ids) > MOST_CONFIGURATIONS:
            raise ValueError(
                f"the factors make {len(ids):,} configurations; at most {MOST_CONFIGURATIONS} run"
            )
        if (twin := ids.most_common(1)[0])[1] > 1:
            raise ValueError(
                f"two configurations would both be called '{twin[0]}': rename a level of one factor"
            )
        if self.stop.rate * self.subject.stop_within < 1:
            raise ValueError("stop.rate: no request would be sent while the subject stops: write e.g. 20/s")
        return self

    def resolved(self, base: Path) -> Self:
        """Return a copy whose paths are absolute, those that were relative being relative to `base`."""
        return self.model_copy(
            update={
                "slo": _absolute(base, self.slo),
                "subject": self.subject.model_copy(
                    update={"directory": _absolute(base, self.subject.directory)}
                ),
                "load": self.load.model_copy(update={"locustfile": _absolute(base, self.load.locustfile)}),
            }
        )


def load(path: Path) -> Experiment:
    """Read an experiment file; its relative paths start at the file's own folder.

    Raises:
        InvalidFile: with every mistake found, or with the paths it names and that do not exist.

    """
    experiment = read(path, Experiment).resolved(path.parent.resolve())
    if problems := list(_missing(path, experiment)):
        raise InvalidFile(problems)
    return experiment


def _absolute(base: Path, path: Path) -> Path:
    return (base / path).resolve()


def _missing(path: Path, experiment: Experiment) -> Iterable[Problem]:
    if not experiment.slo.is_file():
        yield Problem(path=path, message=f"slo: there is no file {experiment.slo}")
    if not experiment.load.locustfile.is_file():
        yield Problem(path=path, message=f"load.locustfile: there is no file {experiment.load.locustfile}")
    if not experiment.subject.directory.is_dir():
        yield Problem(
            path=path, message=f"subject.directory: there is no folder {experiment.subject.directory}"
        )
