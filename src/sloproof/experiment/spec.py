"""What an experiment file says: its types, its limits, and where relative paths start; runs nothing."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path  # noqa: TC003 - resolved by pydantic
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from sloproof.analysis.sequential import looks
from sloproof.experiment.capacity.section import KIND, SearchSection, completed, misplaced
from sloproof.experiment.filling import fill, variables
from sloproof.experiment.plan import Configuration, configurations
from sloproof.experiment.sections import (
    MOST_BLOCKS,
    CompareSpec,
    ObserveSpec,
    StopSpec,
    SubjectSpec,
    UntilDecidedSpec,
)
from sloproof.experiment.settings import SettingsFileError, known_settings
from sloproof.experiment.traffic import LoadSpec, ProfileSpec, played, replaying
from sloproof.slo.fileformat import Section
from sloproof.slo.wording import nearest
from sloproof.slo.yamlfile import Document, InvalidFile, Problem, open_document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sloproof.experiment.shapes import ReplaySection

MOST_CONFIGURATIONS = 200
LONGEST_ID = 150  # with the block before it, still the name of a folder everywhere
BUILT_IN_NAMES = frozenset({"python", "port", "folder"})
PROFILE = "profile"

Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=63)]
# In capitals it is the name of an environment variable, else that of a placeholder.
FactorName = Annotated[str, Field(pattern=r"^([a-z][a-z0-9_]*|[A-Z][A-Z0-9_]*)$", max_length=63)]
Level = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@+-]*$", max_length=200)]
Values = Annotated[dict[FactorName, Level], Field(min_length=1)]


class Experiment(Section):
    """Every combination of the factors: in randomised blocks, or each under a search for its capacity."""

    kind: Literal["matrix", "capacity"]
    name: Slug
    description: str = ""
    slo: Path
    subject: SubjectSpec
    factors: Annotated[
        dict[FactorName, Annotated[tuple[Level, ...], Field(min_length=1)]], Field(min_length=1)
    ]
    exclude: tuple[Values, ...] = ()
    include: tuple[Values, ...] = ()
    profiles: dict[Slug, ProfileSpec] = Field(default_factory=dict)
    blocks: Annotated[int, Field(ge=1, le=MOST_BLOCKS)]
    until_decided: UntilDecidedSpec | None = None
    seed: Annotated[int, Field(ge=0)] = 1
    repeats: Annotated[int, Field(ge=0, le=1_000)] = 6
    load: LoadSpec
    search: SearchSection | None = None
    stop: StopSpec = Field(default_factory=StopSpec)
    compare: CompareSpec = Field(default_factory=CompareSpec)
    calibrate: bool = True
    observe: ObserveSpec = Field(default_factory=ObserveSpec)

    _completed = model_validator(mode="before")(completed)

    @model_validator(mode="after")
    def _is_of_its_kind(self) -> Self:
        if (self.kind == KIND) != (self.search is not None):
            raise ValueError(
                "search: a matrix runs at one rate: write kind: capacity, or leave the section out"
                if self.search
                else "missing key 'search': write e.g. search: {from: 50/s, to: 2000/s, budget: 20m}"
            )
        if self.search is not None:
            self.load.at(self.search.lowest).check_bounds()
        return self

    @model_validator(mode="after")
    def _factors_are_used(self) -> Self:
        used = self.subject.process_names() | self.subject.container_names()
        if unknown := sorted(used - BUILT_IN_NAMES - self.factors.keys()):
            accepted = ", ".join(sorted(BUILT_IN_NAMES | self.factors.keys()))
            raise ValueError(f"subject: unknown placeholder {{{unknown[0]}}}; known are {accepted}")
        if taken := sorted(self.factors.keys() & (BUILT_IN_NAMES | {PROFILE})):
            cure = "write profiles" if taken[0] == PROFILE else "its value is given by sloproof"
            raise ValueError(f"'{taken[0]}' cannot be a factor: {cure}")
        if unused := next((name for name in self.factors if not name.isupper() and name not in used), None):
            raise ValueError(
                f"factor '{unused}' changes nothing: use {{{unused}}} under subject, "
                "or name an environment variable in capitals"
            )
        if fixed := sorted(self.factors.keys() & self.fixed_variables()):
            raise ValueError(f"'{fixed[0]}' is a factor and under env too: leave one of them out")
        for name, levels in self.factors.items():
            if twice := next((level for level in levels if levels.count(level) > 1), None):
                raise ValueError(f"factor '{name}' names {twice} twice: name each level once")
        return self

    @model_validator(mode="after")
    def _has_blocks_to_go_on_with(self) -> Self:
        if self.until_decided is not None and self.until_decided.blocks <= self.blocks:
            raise ValueError(
                f"until_decided.blocks: {self.until_decided.blocks} in all leave none to go on with after "
                f"{self.blocks}: write more than blocks, e.g. {5 * self.blocks}"
            )
        return self

    @model_validator(mode="after")
    def _makes_configurations(self) -> Self:
        self._check_selections()
        if (size := math.prod(map(len, self._axes().values())) + len(self.include)) > MOST_CONFIGURATIONS:
            raise ValueError(f"the factors make {size:,} configurations; at most {MOST_CONFIGURATIONS} run")
        ids = Counter(each.id for each in self.configurations())
        if not ids:
            raise ValueError("exclude: nothing is left to run: exclude less")
        if (twin := ids.most_common(1)[0])[1] > 1:
            raise ValueError(
                f"two configurations would both be called '{twin[0]}': rename a level of one factor, "
                "or leave out what is included twice"
            )
        if long := next((name for name in ids if len(name) > LONGEST_ID), None):
            raise ValueError(f"the name '{long}' is longer than {LONGEST_ID} characters: shorten its levels")
        return self

    @model_validator(mode="after")
    def _traffic_is_bounded(self) -> Self:
        if self.stop.rate * self.subject.stop_within < 1:
            raise ValueError("stop.rate: no request would be sent while the subject stops: write e.g. 20/s")
        for name, profile in self.profiles.items():
            try:
                self.load.under(profile).check_bounds()
            except ValueError as error:
                raise ValueError(f"profiles.{name}: {error}") from error
        return self

    @model_validator(mode="after")
    def _has_limits(self) -> Self:
        if (container := self.subject.container) is not None:
            for configuration in self.configurations():
                try:
                    fill(self.subject, container, configuration.factors)
                except ValueError as error:
                    raise ValueError(f"subject.container.{error}") from error
        return self

    def _check_selections(self) -> None:
        axes = self._axes()
        for key, selections in (("exclude", self.exclude), ("include", self.include)):
            for some in selections:
                if unknown := next((name for name in some if name not in axes), None):
                    raise ValueError(f"{key}: there is no factor '{unknown}'{nearest(unknown, axes)}")
        for some in self.exclude:
            for name, level in some.items():
                if level not in axes[name]:
                    raise ValueError(f"exclude: {name} has no level {level}{nearest(level, axes[name])}")
        for some in self.include:
            if missing := next((name for name in axes if name not in some), None):
                raise ValueError(f"include: give {missing} too: an inclusion has a value for every factor")
            if PROFILE in axes and some[PROFILE] not in self.profiles:
                raise ValueError(f"include: there is no profile '{some[PROFILE]}'")

    def _axes(self) -> Mapping[str, tuple[str, ...]]:
        return {**self.factors, **({PROFILE: tuple(self.profiles)} if self.profiles else {})}

    def configurations(self) -> list[Configuration]:
        """Return the cells of the matrix in their stable order, the profile as the last of the factors."""
        return configurations(self._axes(), exclude=self.exclude, include=self.include)

    def traffic(self, configuration: Configuration) -> LoadSpec:
        """Return the traffic under which a configuration runs."""
        profile = configuration.factors.get(PROFILE)
        return self.load if profile is None else self.load.under(self.profiles[profile])

    def traffics(self) -> dict[str, LoadSpec]:
        """Return the traffic under `load` and under each profile, by where the file says it."""
        profiles = {f"profiles.{name}": self.load.under(each) for name, each in self.profiles.items()}
        return {"load": self.load, **profiles}

    def recordings(self) -> dict[str, Path]:
        """Return the files that are replayed, by their names. Raises ValueError where two have the same."""
        found: dict[str, Path] = {}
        for traffic in self.traffics().values():
            if (replay := traffic.shape.replay) is not None:
                name = replay.file.name
                if found.setdefault(name, replay.file) != replay.file:
                    raise ValueError(f"two recordings are called '{name}': rename one, a run keeps both")
        return found

    def replaying(self, change: Callable[[ReplaySection], ReplaySection]) -> Self:
        """Return a copy in which every replay is changed."""
        profiles = {
            name: each if each.shape is None else replaying(each, each.shape, change)
            for name, each in self.profiles.items()
        }
        load = replaying(self.load, self.load.shape, change)
        return self.model_copy(update={"load": load, "profiles": profiles})

    def looks(self) -> tuple[int, ...]:
        """Return after how many blocks the run is looked at; none where it is judged once, at its end."""
        return () if self.until_decided is None else looks(self.blocks, self.until_decided.blocks)

    def fixed_variables(self) -> frozenset[str]:
        """Return the environment variables that have the same value, or template, in every configuration."""
        inside = {} if self.subject.container is None else self.subject.container.env
        return frozenset({*self.subject.env, *inside})

    def resolved(self, base: Path) -> Self:
        """Return a copy whose paths are absolute, those that were relative being relative to `base`."""
        subject, container = self.subject, self.subject.container
        if container is not None and container.build is not None:
            container = container.model_copy(update={"build": _absolute(base, container.build)})
        paths = {
            "directory": _absolute(base, subject.directory),
            "settings": subject.settings and _absolute(base, subject.settings),
            "container": container,
        }
        experiment = self.replaying(lambda each: each.model_copy(update={"file": _absolute(base, each.file)}))
        load = experiment.load.model_copy(update={"locustfile": _absolute(base, self.load.locustfile)})
        return experiment.model_copy(
            update={
                "slo": _absolute(base, self.slo),
                "subject": subject.model_copy(update=paths),
                "load": load,
            }
        )


def load(path: Path) -> Experiment:
    """Read an experiment file; its relative paths start at the file's own folder.

    Raises:
        InvalidFile: with every mistake found, or with the paths it names and that do not exist.

    """
    document = open_document(path)
    experiment = document.validate(Experiment).resolved(path.parent.resolve())
    strays = [document.problem_of_key(place, what) for place, what in misplaced(document.tree.data)]
    if problems := [*strays, *_missing(path, experiment), *_unknown_settings(document, experiment)]:
        raise InvalidFile(problems)
    return experiment.replaying(played)


def _absolute(base: Path, path: Path) -> Path:
    return (base / path).resolve()


def _missing(path: Path, experiment: Experiment) -> Iterable[Problem]:
    subject, container = experiment.subject, experiment.subject.container
    files = {"slo": experiment.slo, "load.locustfile": experiment.load.locustfile}
    if subject.settings is not None:
        files["subject.settings"] = subject.settings
    if container is not None and container.build is not None:
        files["subject.container.build"] = container.build / "Dockerfile"
    try:
        files |= {f"the replay of {name}": file for name, file in experiment.recordings().items()}
    except ValueError as error:
        yield Problem(path=path, message=str(error))
    for key, file in files.items():
        if not file.is_file():
            yield Problem(path=path, message=f"{key}: there is no file {file}")
    if not subject.directory.is_dir():
        yield Problem(path=path, message=f"subject.directory: there is no folder {subject.directory}")


def _unknown_settings(document: Document, experiment: Experiment) -> Iterable[Problem]:
    """Yield the variables that the subject's own list of settings does not have."""
    file = experiment.subject.settings
    if file is None or not file.is_file():
        return
    try:
        settings = known_settings(file)
    except SettingsFileError as error:
        yield document.problem(("subject", "settings"), str(error))
        return
    container = experiment.subject.container
    places = {
        ("factors",): [*variables(experiment.factors)],
        ("subject", "env"): experiment.subject.env,
        ("subject", "container", "env"): {} if container is None else container.env,
    }
    for location, names in places.items():
        for name in names:
            if not settings.accepts(name):
                hint = nearest(name, settings.names) or f"; {file.name} lists those there are"
                yield document.problem_of_key(
                    (*location, name), f"'{name}' is no setting of the subject{hint}"
                )
