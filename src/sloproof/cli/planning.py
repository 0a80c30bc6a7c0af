"""What an experiment would run, as a table, and about how long it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from sloproof.experiment.record import BackendName
from sloproof.report.text import duration

if TYPE_CHECKING:
    from sloproof.experiment.backends import Backend
    from sloproof.experiment.spec import Experiment
    from sloproof.experiment.traffic import LoadSpec

# What a trial takes besides its traffic, on two cores; in containers with a Prometheus that watches.
OVERHEAD_S = {BackendName.PROCESS: 8.0, BackendName.DOCKER: 11.5}


def expected_s(experiment: Experiment, backend: BackendName) -> float:
    """Return about how many seconds the trials take together, if none is repeated."""
    traffic_s = sum(experiment.traffic(each).seconds for each in experiment.configurations())
    return experiment.blocks * (traffic_s + len(experiment.configurations()) * OVERHEAD_S[backend])


def size(experiment: Experiment, backend: Backend) -> str:
    """Return in a line how much an experiment runs, and where."""
    configurations, blocks = len(experiment.configurations()), experiment.blocks
    takes = duration(expected_s(experiment, backend.name))
    more = f", at most {looks[-1]} blocks until decided" if (looks := experiment.looks()) else ""
    return (
        f"{experiment.name}: {configurations} configurations × {blocks} blocks = {configurations * blocks} "
        f"trials, about {takes}{more}; seed {experiment.seed}\nbackend {backend.name}: {backend.reason}"
    )


def plan_table(experiment: Experiment) -> Table:
    """Return a row for each configuration, in their stable order, with what it is made of."""
    matrix = experiment.configurations()
    table = Table(padding=(0, 2, 0, 0))
    for heading in ("configuration", *matrix[0].factors, "traffic"):
        table.add_column(heading)
    for each in matrix:
        load = experiment.traffic(each)
        table.add_row(
            each.id,
            *each.factors.values(),
            _traffic(load),
        )
    return table


def _traffic(load: LoadSpec) -> str:
    phases = f"for {load.load_s:g} s after {load.warmup:g} s"
    if load.shape.constant:
        return f"{load.rate:g}/s {load.arrivals} {phases}"
    return f"{load.in_words()}, {load.arrivals}: {load.load_requests:,} requests {phases} at {load.rate:g}/s"
