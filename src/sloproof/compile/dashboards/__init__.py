"""Objectives as Grafana dashboards: what each shows, and as JSON that Grafana imports; no I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sloproof.compile.dashboards.detail import detail
from sloproof.compile.dashboards.experiments import experiments
from sloproof.compile.dashboards.overview import overview
from sloproof.compile.dashboards.render import rendered
from sloproof.compile.dashboards.service import service

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sloproof.compile.dashboards.board import Board
    from sloproof.slo.definition import Definition

__all__ = ["boards", "compile_dashboards"]


def boards(definitions: Sequence[Definition]) -> dict[str, Board]:
    """Return each dashboard by the name of its file; there must be at least one definition."""
    return {
        "slo-overview.json": overview(definitions),
        "slo-detail.json": detail(definitions),
        "service.json": service(definitions),
        "experiments.json": experiments(definitions),
    }


def compile_dashboards(definitions: Sequence[Definition]) -> dict[str, dict[str, Any]]:
    """Return the data of each dashboard's JSON file by its name; there must be at least one definition."""
    return {name: rendered(board) for name, board in boards(definitions).items()}
