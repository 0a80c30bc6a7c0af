"""A Prometheus in a container that shares this machine's network, as it scrapes what is on 127.0.0.1."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from docker.errors import APIError, NotFound
from requests.exceptions import ConnectionError as Disconnected
from requests.exceptions import ReadTimeout

from sloproof.experiment.prometheus import setup
from sloproof.subject.docker.errors import refusals_told
from sloproof.subject.docker.leftovers import remove_container
from sloproof.subject.interrupts import deferred
from sloproof.subject.owner import LABEL, Owner
from sloproof.subject.port import HOST

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

    from docker.models.containers import Container

    from sloproof.experiment.prometheus.choice import Image
    from sloproof.subject.port import Cell

INSIDE = "/prometheus"
SHARES = 128  # of 1024: a container has no niceness, and its weight does the same
NOT_RUNNING = 409


@dataclass(slots=True, kw_only=True)
class PrometheusContainer:
    """A started container; leaving the context removes it. Its data are the folder's, owned by this user."""

    container: Container
    url: str
    log: Path

    @classmethod
    def start(cls, image: Image, cell: Cell, environment: Mapping[str, str]) -> Self:
        """Start it on the data in a cell's folder, listening on the cell's port of 127.0.0.1.

        Raises SubjectError: the engine refuses.
        """
        with refusals_told("start a container for Prometheus"):
            container = image.engine.client.containers.create(
                image.id,
                command=setup.flags(INSIDE, port=cell.port),
                environment=dict(environment),
                labels={LABEL: Owner.present().mark},
                network_mode="host",
                user=f"{os.getuid()}:{os.getgid()}",
                volumes={str(cell.folder): {"bind": INSIDE, "mode": "rw"}},
                healthcheck={"test": ["NONE"]},
                cap_drop=["ALL"],
                cpu_shares=SHARES,
            )
            try:
                container.start()
            except BaseException:
                remove_container(container)
                raise
        return cls(container=container, url=f"http://{HOST}:{cell.port}", log=cell.log)

    def exit_status(self) -> int | None:
        """Return the exit status, or ``None`` while it runs."""
        with refusals_told("inspect the container of Prometheus"):
            self.container.reload()
        state = self.container.attrs["State"]
        return int(state["ExitCode"]) if state["Status"] in {"exited", "dead"} else None

    def ending(self) -> None:
        """Tell nothing beyond the status and the log."""

    def terminate(self) -> None:
        """Send SIGTERM."""
        self._signal("SIGTERM")

    def wait(self, timeout_s: float) -> int | None:
        """Wait for it to end, and keep what it wrote."""
        with refusals_told("wait for the container of Prometheus"), suppress(ReadTimeout, Disconnected):
            self.container.wait(timeout=timeout_s)
        return self.exit_status()

    def kill(self) -> None:
        """End it at once."""
        self._signal("SIGKILL")

    def log_tail(self, lines: int) -> str:
        """Return the end of what it wrote."""
        with refusals_told("read what Prometheus wrote"):
            return self.container.logs(tail=lines).decode(errors="replace").rstrip()

    def __enter__(self) -> Self:
        """Hold it until it is removed."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Keep its log, and leave no container behind."""
        with deferred():
            try:
                with (
                    refusals_told("read what Prometheus wrote"),
                    suppress(NotFound),
                    self.log.open("ab") as log,
                ):
                    log.write(self.container.logs())
            finally:
                with refusals_told("remove the container of Prometheus"):
                    remove_container(self.container)

    def _signal(self, name: str) -> None:
        with refusals_told(f"send {name} to Prometheus"):
            try:
                self.container.kill(signal=name)
            except APIError as error:
                if error.status_code != NOT_RUNNING:
                    raise
