"""What an experiment would run, as a table, and about how long it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from sloproof.experiment.record import BackendName
from sloproof.report.text import duration

if TYPE_CHECKING:
    from sloproof.experiment.backends import Backend
    from sloproof.experiment.spec import Experiment

# What a trial takes besides its traffic, on two cores with little else to do.
OVERHEAD_S = {BackendName.PROCESS: 6.0, BackendName.DOCKER: 6.0}


def expected_s(experiment: Experiment, backend: BackendName) -> float:
    """Return about how many seconds the trials take together, if none is repeated."""
    traffic_s = sum(experiment.traffic(each).seconds for each in experiment.configurations())
    return experiment.blocks * (traffic_s + len(experiment.configurations()) * OVERHEAD_S[backend])


def plan_table(experiment: Experiment, backend: Backend) -> Table:
    """Return a row for each configuration, in their stable order, with what it is made of."""
    matrix = experiment.configurations()
    takes = duration(expected_s(experiment, backend.name))
    table = Table(
        title=f"{experiment.name}: {len(matrix)} configurations × {experiment.blocks} blocks = "
        f"{len(matrix) * experiment.blocks} trials, about {takes}",
        caption=f"backend {backend.name}: {backend.reason}; seed {experiment.seed}; "
        "the order is drawn anew for each block",
        title_justify="left",
        caption_justify="left",
        padding=(0, 2, 0, 0),
    )
    for heading in ("configuration", *matrix[0].factors, "traffic"):
        table.add_column(heading)
    for each in matrix:
        load = experiment.traffic(each)
        table.add_row(
            each.id,
            *each.factors.values(),
            f"{load.rate:g}/s {load.arrival} for {load.duration:g} s after {load.warmup:g} s",
        )
    return table
