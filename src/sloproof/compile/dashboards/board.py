"""What a dashboard shows, as frozen values; it knows neither Grafana's JSON nor what any of it is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

GREEN, ORANGE, RED, GREY = "green", "orange", "red", "text"
FULL_WIDTH = 24
"""The columns of Grafana's grid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A query, and what its series are called in the legend.

    `may_be_empty` tells why a healthy service may have no such series at times; without it, none ever is.
    """

    expr: str
    legend: str
    may_be_empty: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """From `value` on, a value has this colour; ``None`` is the lowest."""

    value: float | None
    color: str


@dataclass(frozen=True, slots=True)
class Link:
    """Where a click on a value leads; the address may hold Grafana's variables."""

    title: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Values over time. `limits` are the legends of series that are drawn as dashed lines, as limits are."""

    stacked: bool = False
    limits: tuple[str, ...] = ()
    decimals: int | None = None


@dataclass(frozen=True, slots=True)
class Heatmap:
    """How many values there were in each bucket of a histogram, over time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """The newest value, large."""

    decimals: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """The newest value of each series as a bar from `low` to `high`."""

    low: float | None = None
    high: float | None = None
    decimals: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a table: a label of the rows, or the values of a query.

    A query yields one value a row, with the same labels as all others of its table.
    """

    title: str
    label: str | None = None
    query: Query | None = None
    unit: str = "string"
    decimals: int | None = None
    steps: tuple[Step, ...] = ()
    link: Link | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """The newest values of several queries, joined on their labels; labels without a column are left out."""

    columns: tuple[Column, ...]
    hidden: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class States:
    """Values over time that stand for states: value, name, colour."""

    names: tuple[tuple[int, str, str], ...]


Look = Lines | Heatmap | Number | Bars | Table | States


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A panel. `unit` is one of Grafana's; `no_value` is shown where there is nothing, and says why.

    `newest` overrides the dashboard's time range: so long until now.
    """

    title: str
    description: str
    look: Look
    queries: tuple[Query, ...]
    unit: str
    no_value: str
    width: int
    height: int = 8
    steps: tuple[Step, ...] = ()
    links: tuple[Link, ...] = ()
    newest: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A heading over the panels that follow."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A variable with the values of a label, as a query of label values."""

    name: str
    label: str
    query: str
    several: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A variable that people type."""

    name: str
    label: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """Marks on every panel at the times when a query has values; most of the time it has none."""

    name: str
    expr: str
    color: str
    title: str
    text: str
    tags: tuple[str, ...]
    may_be_empty: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A dashboard. `uid` is what links to it; `newest` is the time it shows at first, until now."""

    uid: str
    title: str
    description: str
    variables: tuple[Choice | Text, ...]
    rows: tuple[Row, ...]
    annotations: tuple[Annotation, ...] = ()
    newest: str = "6h"
    refresh: str = "30s"

    def panels(self) -> Iterator[Panel]:
        """Yield all panels in their order."""
        for row in self.rows:
            yield from row.panels


def number(
    query: Query, description: str, *, unit: str = "short", decimals: int = 0, steps: tuple[Step, ...] = ()
) -> Panel:
    """Return a small panel of one number, titled as its query's legend."""
    return Panel(
        title=query.legend,
        description=description,
        look=Number(decimals=decimals),
        queries=(query,),
        unit=unit,
        no_value=query.may_be_empty or "no objective is recorded: are the rules loaded?",
        width=4,
        height=4,
        steps=steps or (Step(None, GREY),),
    )


def table(
    *columns: Column,
    title: str,
    description: str,
    no_value: str,
    height: int = 8,
    hidden: tuple[str, ...] = (),
) -> Panel:
    """Return a panel over the whole width with a table of these columns; its queries are theirs."""
    return Panel(
        title=title,
        description=description,
        look=Table(columns, hidden),
        queries=tuple(column.query for column in columns if column.query),
        unit="short",
        no_value=no_value,
        width=FULL_WIDTH,
        height=height,
    )
