"""Where trials run, as processes or in containers: which of the two, made ready once a run."""

from __future__ import annotations

import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from sloproof.experiment.filling import fill, variables
from sloproof.experiment.readiness import await_ready
from sloproof.experiment.record import BackendName
from sloproof.slo.problems import WrongInput
from sloproof.subject.docker import Container, DockerSubject, Engine, EngineError, port_proxy_cost
from sloproof.subject.interrupts import deferred
from sloproof.subject.port import Cell, SubjectError
from sloproof.subject.process import ProcessSubject, free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sloproof.experiment.filling import FilledContainer, ImageSource
    from sloproof.experiment.plan import Configuration
    from sloproof.experiment.spec import Experiment
    from sloproof.subject.port import Subject


class BackendError(WrongInput):
    """The experiment cannot run in the way that was asked for."""


class Backend(Protocol):
    """A way to run the subject of an experiment."""

    @property
    def name(self) -> BackendName:
        """Return which of the two it is."""
        ...

    @property
    def reason(self) -> str:
        """Return why it was taken."""
        ...

    def prepare(self, matrix: Sequence[Configuration], notice: Callable[[str], None]) -> Mapping[str, Any]:
        """Make ready what every trial needs, and return the facts of it that tell runs apart.

        Raises SubjectError.
        """
        ...

    def calibrate(self, matrix: Sequence[Configuration], notice: Callable[[str], None]) -> Mapping[str, Any]:
        """Return what the way of running itself costs, measured now; after `prepare`. Raises SubjectError."""
        ...

    def subject(self, configuration: Configuration) -> Subject:
        """Return the subject of a configuration; after `prepare`."""
        ...

    def close(self) -> None:
        """Leave nothing behind that a run has made and no longer needs."""
        ...


def choose(experiment: Experiment, wanted: BackendName | None) -> Backend:
    """Return the backend that was asked for; else containers where an engine answers, else processes.

    Raises:
        BackendError: the experiment cannot run that way.
        EngineError: it runs in containers only, and no engine answers.

    """
    obstacles = {
        BackendName.PROCESS: _obstacle_to_processes(experiment),
        BackendName.DOCKER: _obstacle_to_containers(experiment),
    }
    if wanted is not None and (obstacle := obstacles[wanted]):
        raise BackendError(f"{experiment.name} cannot run with --backend {wanted}: {obstacle}")
    if wanted is BackendName.PROCESS:
        return ProcessBackend(experiment=experiment, reason="asked for")
    if wanted is BackendName.DOCKER:
        return DockerBackend(experiment=experiment, reason="asked for", engine=Engine.connect())
    if all(obstacles.values()):
        raise BackendError(
            f"{experiment.name} can run in no way: {'; '.join(filter(None, obstacles.values()))}"
        )
    if obstacle := obstacles[BackendName.DOCKER]:
        return ProcessBackend(experiment=experiment, reason=obstacle)
    try:
        engine = Engine.connect()
    except EngineError as error:
        if obstacle := obstacles[BackendName.PROCESS]:
            raise EngineError(f"{obstacle}, and {error}") from error
        return ProcessBackend(experiment=experiment, reason=str(error))
    return DockerBackend(experiment=experiment, reason=f"{engine.description} answers", engine=engine)


def _obstacle_to_processes(experiment: Experiment) -> str | None:
    if not experiment.subject.command:
        return "it has no subject.command"
    return _unused(experiment, experiment.subject.process_names(), "without a container")


def _obstacle_to_containers(experiment: Experiment) -> str | None:
    if experiment.subject.container is None:
        return "it has no subject.container"
    return _unused(experiment, experiment.subject.container_names(), "in a container")


def _unused(experiment: Experiment, used: frozenset[str], where: str) -> str | None:
    placeholders = experiment.factors.keys() - variables(experiment.factors).keys()
    unused = sorted(placeholders - used)
    return f"factor '{unused[0]}' changes nothing {where}" if unused else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessBackend:
    """Subjects that are processes of this machine."""

    experiment: Experiment
    reason: str
    name: BackendName = BackendName.PROCESS

    def prepare(self, matrix: Sequence[Configuration], notice: Callable[[str], None]) -> Mapping[str, Any]:  # noqa: ARG002 - of the port
        """Do nothing: a command is ready."""
        return {}

    def calibrate(self, matrix: Sequence[Configuration], notice: Callable[[str], None]) -> Mapping[str, Any]:  # noqa: ARG002 - of the port
        """Do nothing: nothing stands between the clients and a process."""
        return {}

    def subject(self, configuration: Configuration) -> Subject:
        """Return the subject of a configuration."""
        spec = self.experiment.subject
        return ProcessSubject(
            command=spec.command,
            directory=spec.directory,
            env={**spec.env, **variables(configuration.factors)},
        )

    def close(self) -> None:
        """Do nothing: every instance has ended with its context."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerBackend:
    """Subjects that are containers of an engine on this machine."""

    experiment: Experiment
    reason: str
    engine: Engine
    name: BackendName = BackendName.DOCKER
    images: dict[ImageSource, str] = field(default_factory=dict, init=False)

    def prepare(self, matrix: Sequence[Configuration], notice: Callable[[str], None]) -> Mapping[str, Any]:
        """Build or find every image once."""
        for configuration in matrix:
            source = self._filled(configuration).source
            if source not in self.images:
                began = time.monotonic()
                notice(f"building or finding the image of {source}")
                self.images[source] = self._image(source)
                notice(f"it is ready after {time.monotonic() - began:.1f} s")
        return {
            "engine": dict(self.engine.facts()),
            "images": {str(source): each for source, each in self.images.items()},
            "digests": {str(source): self.engine.digest(each) for source, each in self.images.items()},
        }

    def calibrate(self, matrix: Sequence[Configuration], notice: Callable[[str], None]) -> Mapping[str, Any]:
        """Measure what the port proxy in front of the subject costs."""
        notice("measuring what the port proxy costs")
        with tempfile.TemporaryDirectory(prefix="sloproof-") as scratch:
            cell = Cell(
                factors=matrix[0].factors, folder=Path(scratch), log=Path(scratch) / "log", port=free_port()
            )
            subject = self.subject(matrix[0])
            with ExitStack() as running:
                running.callback(subject.clear, cell)
                with deferred():
                    instance = running.enter_context(subject.start(cell))
                await_ready(instance, self.experiment.subject)
                cost = port_proxy_cost(instance, path=self.experiment.subject.ready)
        return {"port_proxy": cost if isinstance(cost, str) else asdict(cost)}

    def subject(self, configuration: Configuration) -> DockerSubject:
        """Return the subject of a configuration."""
        spec, filled = self.experiment.subject.container, self._filled(configuration)
        assert spec is not None  # noqa: S101 - else there is an obstacle
        return DockerSubject(
            engine=self.engine,
            container=Container(
                image=self.images[filled.source],
                command=filled.command,
                env=filled.env,
                port=spec.port,
                folder=str(spec.folder),
                cpus=filled.cpus,
                cpuset=filled.cpuset,
                memory_bytes=filled.memory_bytes,
                read_only=spec.read_only,
            ),
        )

    def close(self) -> None:
        """Remove every container and volume of this run that is left."""
        self.engine.remove_own()
        self.engine.close()

    def _filled(self, configuration: Configuration) -> FilledContainer:
        assert self.experiment.subject.container is not None  # noqa: S101 - else there is an obstacle
        return fill(self.experiment.subject, self.experiment.subject.container, configuration.factors)

    def _image(self, source: ImageSource) -> str:
        try:
            if source.build is not None:
                return self.engine.build(source.build, dockerfile=None, args=dict(source.args))
            return self.engine.find(str(source))
        except SubjectError as error:
            if _obstacle_to_processes(self.experiment):
                raise
            raise SubjectError(f"{error}\nor run without containers: --backend process") from error
