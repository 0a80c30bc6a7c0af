"""Panels as Grafana's own models; it knows nothing of what they show."""

from __future__ import annotations

from string import ascii_uppercase
from typing import TYPE_CHECKING, assert_never

from grafana_foundation_sdk.models import (
    bargauge,
    common,
    dashboard,
    heatmap,
    prometheus,
    stat,
    statetimeline,
    table,
    timeseries,
)

from sloproof.compile.dashboards.board import Bars, Column, Heatmap, Lines, Number, States, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sloproof.compile.dashboards.board import Link, Look, Panel, Query, Step

SOURCE = dashboard.DataSourceRef(type_val="prometheus", uid="${datasource}")
NEWEST = common.ReduceDataOptions(values=False, calcs=["lastNotNull"], fields="")
DASHED = common.LineStyle(fill="dash", dash=[10, 10])


def panel(of: Panel, *, number: int, at: dashboard.GridPos) -> dashboard.Panel:
    """Return a panel as Grafana has it, with its number on the dashboard and its place."""
    kind, options, custom = _look(of.look)
    return dashboard.Panel(
        type_val=kind,
        id_val=number,
        title=of.title,
        description=of.description,
        datasource=SOURCE,
        grid_pos=at,
        targets=[_target(query, name, of.look) for query, name in zip(of.queries, names(of), strict=True)],
        time_from=of.newest,
        transformations=_transformations(of.look, names(of)),
        options=options,
        field_config=dashboard.FieldConfigSource(
            defaults=dashboard.FieldConfig(
                unit=of.unit,
                decimals=_decimals(of.look),
                min_val=of.look.low if isinstance(of.look, Bars) else None,
                max_val=of.look.high if isinstance(of.look, Bars) else None,
                mappings=_mappings(of.look),
                thresholds=_thresholds(of.steps),
                color=_color(of),
                no_value=of.no_value,
                links=[_link(link) for link in of.links] or None,
                custom=_with_limits(custom, of.steps),
            ),
            overrides=_overrides(of.look),
        ),
    )


def names(of: Panel) -> list[str]:
    """Return what Grafana calls the queries of a panel: A to Z, then AA.

    >>> from types import SimpleNamespace
    >>> names(SimpleNamespace(queries=range(28)))[-3:]
    ['Z', 'AA', 'AB']
    """
    letters = ascii_uppercase
    return [
        (letters[index // len(letters) - 1] if index >= len(letters) else "") + letters[index % len(letters)]
        for index, _ in enumerate(of.queries)
    ]


def _target(query: Query, name: str, look: Look) -> prometheus.Dataquery:
    instant = isinstance(look, Table | Bars)
    formats = {Table: prometheus.PromQueryFormat.TABLE, Heatmap: prometheus.PromQueryFormat.HEATMAP}
    return prometheus.Dataquery(
        expr=query.expr,
        legend_format=query.legend,
        ref_id=name,
        datasource=SOURCE,
        editor_mode=prometheus.QueryEditorMode.CODE,
        format_val=formats.get(type(look), prometheus.PromQueryFormat.TIME_SERIES),
        instant=instant,
        range_val=not instant,
        exemplar=False,
    )


def _look(look: Look) -> tuple[str, object, object]:
    """Return Grafana's name of a kind of panel, and its options for the panel and for each field."""
    legend = common.VizLegendOptions(
        display_mode=common.LegendDisplayMode.LIST,
        placement=common.LegendPlacement.BOTTOM,
        show_legend=True,
        calcs=[],
    )
    together = common.VizTooltipOptions(
        mode=common.TooltipDisplayMode.MULTI, sort=common.SortOrder.DESCENDING
    )
    match look:
        case Lines():
            return "timeseries", timeseries.Options(legend=legend, tooltip=together), _lines(look)
        case Heatmap():
            return "heatmap", _heatmap(), heatmap.FieldConfig()
        case Number():
            return "stat", _number(), None
        case Bars():
            return "bargauge", _bars(), None
        case Table():
            shown = table.Options(show_header=True, cell_height=common.TableCellHeight.SM)
            return "table", shown, common.TableFieldOptions(filterable=True)
        case States():
            states = statetimeline.Options(
                show_value=common.VisibilityMode.NEVER, merge_values=True, legend=legend, tooltip=together
            )
            return "state-timeline", states, statetimeline.FieldConfig()
        case unknown:
            assert_never(unknown)


def _lines(look: Lines) -> common.GraphFieldConfig:
    stacking = common.StackingMode.NORMAL if look.stacked else common.StackingMode.NONE
    return common.GraphFieldConfig(
        draw_style=common.GraphDrawStyle.LINE,
        line_width=1,
        fill_opacity=25 if look.stacked else 0,
        stacking=common.StackingConfig(mode=stacking, group="A"),
        show_points=common.VisibilityMode.AUTO,
        span_nulls=False,  # a gap is no data, and shows as one
    )


def _heatmap() -> heatmap.Options:
    return heatmap.Options(
        calculate=False,
        color=heatmap.HeatmapColorOptions(
            mode=heatmap.HeatmapColorMode.SCHEME,
            scheme="Oranges",
            fill="dark-orange",
            scale=heatmap.HeatmapColorScale.EXPONENTIAL,
            exponent=0.5,
            steps=64,
        ),
        y_axis=heatmap.YAxisConfig(unit="s", axis_placement=common.AxisPlacement.LEFT),
        cell_values=heatmap.CellValues(unit="cps"),
        rows_frame=heatmap.RowsHeatmapOptions(layout=common.HeatmapCellLayout.AUTO),
        legend=heatmap.HeatmapLegend(show=True),
        tooltip=heatmap.HeatmapTooltip(
            mode=common.TooltipDisplayMode.SINGLE, y_histogram=True, show_color_scale=True
        ),
    )


def _number() -> stat.Options:
    return stat.Options(
        graph_mode=common.BigValueGraphMode.NONE,
        color_mode=common.BigValueColorMode.VALUE,
        text_mode=common.BigValueTextMode.VALUE,
        reduce_options=NEWEST,
        orientation=common.VizOrientation.AUTO,
    )


def _bars() -> bargauge.Options:
    return bargauge.Options(
        display_mode=common.BarGaugeDisplayMode.BASIC,
        value_mode=common.BarGaugeValueMode.COLOR,
        reduce_options=NEWEST,
        orientation=common.VizOrientation.HORIZONTAL,
    )


def _with_limits(custom: object, steps: Sequence[Step]) -> object:
    """Return the options of lines with their thresholds drawn as dashed lines, where there are any."""
    if isinstance(custom, common.GraphFieldConfig) and len(steps) > 1:
        mode = common.GraphThresholdsStyleMode.DASHED
        custom.thresholds_style = common.GraphThresholdsStyleConfig(mode=mode)
    return custom


def _decimals(look: Look) -> int | None:
    return look.decimals if isinstance(look, Lines | Number | Bars) else None


def _mappings(look: Look) -> list[dashboard.ValueMapping] | None:
    if not isinstance(look, States):
        return None
    results = {
        str(value): dashboard.ValueMappingResult(text=text, color=color, index=index)
        for index, (value, text, color) in enumerate(look.names)
    }
    return [dashboard.ValueMap(options=results)]


def _thresholds(steps: Sequence[Step]) -> dashboard.ThresholdsConfig | None:
    if not steps:
        return None
    return dashboard.ThresholdsConfig(
        mode=dashboard.ThresholdsMode.ABSOLUTE,
        steps=[dashboard.Threshold(value=step.value, color=step.color) for step in steps],
    )


def _color(of: Panel) -> dashboard.FieldColor:
    by_value = isinstance(of.look, Number | Bars | Table) and of.steps
    modes = dashboard.FieldColorModeId
    return dashboard.FieldColor(mode=modes.THRESHOLDS if by_value else modes.PALETTE_CLASSIC_BY_NAME)


def _link(link: Link) -> dashboard.DashboardLink:
    return dashboard.DashboardLink(title=link.title, url=link.url, target_blank=True)


def _overrides(look: Look) -> list[dashboard.DashboardFieldConfigSourceOverrides]:
    match look:
        case Lines(limits=limits):
            return [
                _override(limit, {"custom.lineStyle": DASHED, "color": _fixed("red")}) for limit in limits
            ]
        case Table(columns=columns):
            return [_override(column.title, _of_column(column)) for column in columns]
        case _:
            return []


def _of_column(column: Column) -> dict[str, object]:
    properties: dict[str, object] = {"unit": column.unit}
    if column.decimals is not None:
        properties["decimals"] = column.decimals
    if column.steps:
        properties["thresholds"] = _thresholds(column.steps)
        properties["color"] = dashboard.FieldColor(mode=dashboard.FieldColorModeId.THRESHOLDS)
        properties["custom.cellOptions"] = common.TableColorTextCellOptions()
    if column.link:
        properties["links"] = [_link(column.link)]
    return properties


def _override(field: str, properties: dict[str, object]) -> dashboard.DashboardFieldConfigSourceOverrides:
    return dashboard.DashboardFieldConfigSourceOverrides(
        matcher=dashboard.MatcherConfig(id_val="byName", options=field),
        properties=[
            dashboard.DynamicConfigValue(id_val=name, value=value) for name, value in properties.items()
        ],
    )


def _fixed(color: str) -> dashboard.FieldColor:
    return dashboard.FieldColor(mode=dashboard.FieldColorModeId.FIXED, fixed_color=color)


def _transformations(look: Look, queries: Sequence[str]) -> list[dashboard.DataTransformerConfig] | None:
    """Return what joins the queries of a table on their labels, and names its columns."""
    if not isinstance(look, Table):
        return None
    fields = _fields(look.columns, queries)
    organize = {
        "excludeByName": dict.fromkeys(("Time", *look.hidden), True),
        "indexByName": {field: index for index, field in enumerate(fields)},
        "renameByName": dict(zip(fields, (column.title for column in look.columns), strict=True)),
    }
    return [
        dashboard.DataTransformerConfig(id_val="merge", options={}),
        dashboard.DataTransformerConfig(id_val="organize", options=organize),
    ]


def _fields(columns: Iterable[Column], queries: Sequence[str]) -> list[str]:
    """Return what Grafana calls the fields of columns before they are renamed."""
    values = iter(["Value"] if len(queries) == 1 else [f"Value #{name}" for name in queries])
    return [column.label if column.label is not None else next(values) for column in columns]
