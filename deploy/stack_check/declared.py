"""Which queries of the generated dashboards may have no data while all is well; it asks nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sloproof.compile.dashboards import boards
from sloproof.compile.dashboards.panels import names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sloproof.compile.dashboards.board import Board
    from sloproof.slo.definition import Definition

OF_A_RUN = "experiments.json"
"""It compares the configurations of a run, by labels that nothing in a stack has."""


def may_be_empty(definitions: Sequence[Definition]) -> Mapping[str, frozenset[str]]:
    """Return the names of such queries by the file of their dashboard, as `dashboards.queries` names them."""
    every = boards(definitions) if definitions else {}
    return {file: frozenset(_queries(board, all_of_them=file == OF_A_RUN)) for file, board in every.items()}


def _queries(board: Board, *, all_of_them: bool) -> Iterator[str]:
    for panel in board.panels():
        for name, query in zip(names(panel), panel.queries, strict=True):
            if all_of_them or query.may_be_empty:
                yield f"{panel.title}/{name}"
    # Marks in time are there when something happens, and are none otherwise.
    for annotation in board.annotations:
        yield f"annotation {annotation.name}"
