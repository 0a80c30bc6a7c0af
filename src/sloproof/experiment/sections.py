"""The sections of an experiment file that say how its subject is started and stopped, judged and observed."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from sloproof.analysis.comparison.outcome import Margin
from sloproof.experiment.shapes import PositiveSeconds  # noqa: TC001 - resolved by pydantic
from sloproof.experiment.templates import Template, names_in
from sloproof.slo.fileformat import Section
from sloproof.slo.quantities import DurationSeconds, MarginRatio, RatePerSecond  # noqa: TC001 - as above

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_BLOCKS = 1_000
SHORTEST_SCRAPE_INTERVAL_S, LONGEST_SCRAPE_INTERVAL_S = 0.2, 15.0


def _scrapable(seconds: float) -> float:
    if not SHORTEST_SCRAPE_INTERVAL_S <= seconds <= LONGEST_SCRAPE_INTERVAL_S:
        raise ValueError(f"{seconds:g}s is no interval for trials of seconds: write 200ms to 15s, e.g. 1s")
    return seconds


def _inside_a_container(path: PurePosixPath) -> PurePosixPath:
    if not path.is_absolute() or path == PurePosixPath("/"):
        raise ValueError(f"'{path}' is not a folder inside the container: write e.g. /data")
    return path


EnvironmentName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
UrlPath = Annotated[str, Field(pattern=r"^/\S*$")]


class ContainerSpec(Section):
    """How the thing under test runs in a container: which image, with which limits."""

    build: Path | None = None
    args: dict[EnvironmentName, Template] = Field(default_factory=dict)
    image: Template | None = None
    command: tuple[Template, ...] | None = None
    env: dict[EnvironmentName, Template] = Field(default_factory=dict)
    port: Annotated[int, Field(ge=1, le=65535)] = 8000
    folder: Annotated[PurePosixPath, AfterValidator(_inside_a_container)] = PurePosixPath("/data")
    cpus: Template | None = None
    cpuset: Template | None = None
    memory: Template | None = None
    read_only: bool = False

    @model_validator(mode="after")
    def _has_one_image(self) -> Self:
        if (self.build is None) == (self.image is None):
            raise ValueError("name the image in one way: build, a folder with a Dockerfile, or image")
        if self.args and self.build is None:
            raise ValueError("args are of a build: name its folder with build")
        return self

    def texts(self) -> Iterator[str]:
        """Yield every text in which a placeholder may stand."""
        yield from (*(self.command or ()), *self.env.values(), *self.args.values())
        yield from filter(None, (self.image, self.cpus, self.cpuset, self.memory))


class SubjectSpec(Section):
    """How the thing under test is started, as a process or in a container, and spoken to."""

    command: tuple[Template, ...] = ()
    directory: Path = Field(default_factory=Path)
    env: dict[EnvironmentName, Template] = Field(default_factory=dict)
    settings: Path | None = None
    container: ContainerSpec | None = None
    ready: UrlPath = "/readyz"
    metrics: UrlPath = "/metrics"
    ready_within: PositiveSeconds = 30.0
    stop_within: PositiveSeconds = 20.0

    @model_validator(mode="after")
    def _can_be_started(self) -> Self:
        if not self.command and self.container is None:
            raise ValueError("say how it is started: command, container, or both")
        return self

    def process_names(self) -> frozenset[str]:
        """Return every name in braces that a start as a process uses."""
        return names_in((*self.command, *self.env.values()))

    def container_names(self) -> frozenset[str]:
        """Return every name in braces that a start in a container uses."""
        texts = () if self.container is None else self.container.texts()
        return names_in((*texts, *self.env.values()))


class StopSpec(Section):
    """The light, unscored traffic during which the subject is asked to stop."""

    rate: RatePerSecond = 20.0
    lead: DurationSeconds = 0.3


class CompareSpec(Section):
    """How configurations are compared: what difference makes no matter."""

    margin: MarginRatio = Margin().latency_ratio
    budget_margin: MarginRatio = Margin().budget_ratio

    @property
    def chosen(self) -> Margin:
        """Return both margins."""
        return Margin(latency_ratio=self.margin, budget_ratio=self.budget_margin)


class UntilDecidedSpec(Section):
    """That further blocks run, at most so many in all, while an objective is undecided."""

    blocks: Annotated[int, Field(ge=1, le=MOST_BLOCKS)]


class ObserveSpec(Section):
    """Whether a Prometheus of the run's own watches, and how often; `image` is that of its container."""

    prometheus: Literal["auto", "off", "required"] = "auto"
    scrape_interval: Annotated[DurationSeconds, AfterValidator(_scrapable)] = 1.0
    image: str = "prom/prometheus"
