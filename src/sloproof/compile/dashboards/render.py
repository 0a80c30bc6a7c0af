"""Dashboards as Grafana's classic JSON, importable as it is: bound to no server and no data source."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard

from sloproof.compile.dashboards.board import FULL_WIDTH, Choice, Text
from sloproof.compile.dashboards.panels import SOURCE, panel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sloproof.compile.dashboards.board import Annotation, Board, Row

TAG = "sloproof"
EVERYTHING = ".+"


def rendered(board: Board) -> dict[str, Any]:
    """Return a dashboard as data for a JSON file; equal boards make equal data."""
    model = dashboard.Dashboard(
        uid=board.uid,
        title=board.title,
        description=board.description,
        tags=[TAG],
        editable=False,
        graph_tooltip=dashboard.DashboardCursorSync.CROSSHAIR,
        time=dashboard.DashboardDashboardTime(from_val=f"now-{board.newest}", to="now"),
        timepicker=dashboard.TimePickerConfig(),
        refresh=board.refresh,
        panels=list(_panels(board.rows)),
        templating=dashboard.DashboardDashboardTemplating(
            list_val=[_data_source(), *(_variable(each) for each in board.variables)]
        ),
        annotations=dashboard.AnnotationContainer(list_val=[_annotation(each) for each in board.annotations]),
        links=[_to_others()],
    )
    data: dict[str, Any] = json.loads(json.dumps(model, cls=JSONEncoder))
    # What the models of the SDK have no place for.
    data["id"] = None
    for annotation, written in zip(board.annotations, data["annotations"]["list"], strict=True):
        written["titleFormat"] = annotation.title
        written["textFormat"] = annotation.text
        written["tagKeys"] = ",".join(annotation.tags)
    return data


def _panels(rows: tuple[Row, ...]) -> Iterator[dashboard.Panel | dashboard.RowPanel]:
    """Yield the rows and their panels, from left to right until a line is full."""
    number, y = 0, 0
    for row in rows:
        number += 1
        place = dashboard.GridPos(x=0, y=y, w=FULL_WIDTH, h=1)
        yield dashboard.RowPanel(title=row.title, id_val=number, grid_pos=place)
        x, y, tallest = 0, y + 1, 0
        for each in row.panels:
            if x + each.width > FULL_WIDTH:
                x, y, tallest = 0, y + tallest, 0
            number += 1
            place = dashboard.GridPos(x=x, y=y, w=each.width, h=each.height)
            yield panel(each, number=number, at=place)
            x, tallest = x + each.width, max(tallest, each.height)
        y += tallest


def _data_source() -> dashboard.VariableModel:
    return dashboard.VariableModel(
        type_val=dashboard.VariableType.DATASOURCE,
        name="datasource",
        label="Data source",
        query="prometheus",
        hide=dashboard.VariableHide.DONT_HIDE,
        refresh=dashboard.VariableRefresh.ON_DASHBOARD_LOAD,
    )


def _variable(variable: Choice | Text) -> dashboard.VariableModel:
    if isinstance(variable, Text):
        value = dashboard.VariableOption(selected=True, text=variable.value, value=variable.value)
        return dashboard.VariableModel(
            type_val=dashboard.VariableType.TEXTBOX,
            name=variable.name,
            label=variable.label,
            query=variable.value,
            current=value,
            options=[value],
        )
    everything = dashboard.VariableOption(selected=True, text=["All"], value=["$__all"])
    return dashboard.VariableModel(
        type_val=dashboard.VariableType.QUERY,
        name=variable.name,
        label=variable.label,
        datasource=SOURCE,
        query=variable.query,
        refresh=dashboard.VariableRefresh.ON_TIME_RANGE_CHANGED,
        sort=dashboard.VariableSort.ALPHABETICAL_ASC,
        multi=variable.several,
        include_all=variable.several,
        all_value=EVERYTHING if variable.several else None,
        current=everything if variable.several else None,
    )


def _annotation(annotation: Annotation) -> dashboard.AnnotationQuery:
    return dashboard.AnnotationQuery(
        name=annotation.name,
        datasource=SOURCE,
        enable=True,
        hide=False,
        icon_color=annotation.color,
        expr=annotation.expr,
    )


def _to_others() -> dashboard.DashboardLink:
    return dashboard.DashboardLink(
        title="sloproof",
        type_val=dashboard.DashboardLinkType.DASHBOARDS,
        icon="external link",
        tooltip="The other dashboards of these objectives",
        tags=[TAG],
        keep_time=True,
    )
