"""The report, and the page of each trial, as HTML that opens from disk: no server, nothing fetched."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from sloproof.analysis.capacity.result import CAPACITY
from sloproof.report import answer, comparing
from sloproof.report.charts import capacity_charts, configuration_charts, percentile_charts, trial_charts
from sloproof.report.facts import facts, searched, traffics
from sloproof.report.observers import estimated, estimated_sli, tally, time_parts, watching
from sloproof.report.pressure import pressure_label
from sloproof.report.text import (
    SYMBOLS,
    asks,
    bounds,
    counted,
    duration,
    label,
    margins,
    percent,
    probability,
    quantity,
    sli,
    straight,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sloproof.analysis.results import Results, TrialResult

ASSETS = "assets"
LINKED = ("uplot.css", "report.css", "uplot.js", "report.js")
"""What the pages of trials share, beside the report in `assets`; the report itself holds its own copy."""
MOST_NOTES = 8
MOST_AT_EASE = 6
"""Configurations whose verdicts have room on a first screen with their intervals."""
MOST_DRAWN = 8
"""Configurations that are drawn until the reader picks others: as many as there are colours."""


def page(results: Results) -> str:
    """Return the whole report as HTML."""
    percentiles, over_time = list(percentile_charts(results)), configuration_charts(results)
    notes, carried = list(answer.notes(results)), list(capacity_charts(results))
    return _render(
        "report.html.j2",
        results=results,
        headline=answer.headline(results),
        overall=answer.overall(results).name,
        traffic="; ".join(traffics(results.plan)),
        trials=answer.trials(results),
        started=_minute(datetime.fromisoformat(results.started_at)),
        confidence=answer.confidence(results),
        notes=notes[:MOST_NOTES],
        notes_left=len(notes[MOST_NOTES:]),
        most_notes=MOST_NOTES,
        notable=comparing.notable(results.comparisons),
        tally=comparing.tally(results.comparisons),
        percentiles=percentiles,
        over_time=[
            (configuration, list(charts))
            for configuration, charts in itertools.groupby(
                over_time, key=lambda chart: chart["configuration"]
            )
        ],
        carried=carried,
        chart_data={"charts": [*carried, *percentiles, *over_time], "picked": _picked(results)},
        dense=len(results.configurations) > MOST_AT_EASE,
        many=len(results.configurations) > MOST_DRAWN,
        quantiles=_quantiles(results),
        watching=list(watching(results)),
        spent=any(endpoint.spent for each in results.configurations for endpoint in each.endpoints),
        facts=list(facts(results)),
        assets={name: asset(name) for name in LINKED},
    )


def trial_page(results: Results, trial: TrialResult) -> str:
    """Return the page of one trial; it lies two folders below the report and shares its assets."""
    charts = trial_charts(trial, results)
    return _render(
        "trial.html.j2",
        results=results,
        trial=trial,
        started=_minute(datetime.fromtimestamp(trial.started_at, UTC)),
        charts=charts,
        chart_data={"charts": charts, "picked": []},
    )


def asset(name: str) -> str:
    """Return the text of a style sheet or script that the pages need."""
    return resources.files(__package__).joinpath(ASSETS, name).read_text(encoding="utf-8")


def _picked(results: Results) -> list[str]:
    """Return the configurations to draw at first: those whose verdicts weigh most."""
    weights = {verdict: weight for weight, verdict in enumerate(answer.BY_WEIGHT)}
    by_weight = sorted(results.configurations, key=lambda each: weights[answer.worst(each)])
    return [each.id for each in by_weight[:MOST_DRAWN]]


def _quantiles(results: Results) -> list[str]:
    """Return the percentiles that some endpoint has, rising; none has one without those below it."""
    found = {
        each.q for c in results.configurations for endpoint in c.endpoints for each in endpoint.percentiles
    }
    return [f"p{100 * q:g}" for q in sorted(found)]


def _minute(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _build(labels: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted(labels.items()))


def _outside(trial: TrialResult) -> float:
    return sum(seconds for part, seconds in trial.seconds.items() if part not in ("warm-up", "load"))


def _script_data(value: object) -> Markup:
    """Return data as JSON that cannot end its script, with names as the page shows them."""
    return Markup(straight(htmlsafe_json_dumps(value, ensure_ascii=False)))  # noqa: S704 - safe by its maker


def _render(template: str, **values: Any) -> str:  # noqa: ANN401 - each template has values of its own
    return _environment().get_template(template).render(values)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(__package__, ASSETS),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        finalize=lambda value: (
            straight(value) if type(value) is str else value
        ),  # and no markup, which is ours
    )
    environment.globals.update(symbols=SYMBOLS, capacity_name=CAPACITY)
    environment.filters.update(
        asks=asks,
        searched=searched,
        percent=percent,
        probability=probability,
        duration=duration,
        bounds=bounds,
        counts=counted,
        sli=sli,
        estimated=estimated,
        estimated_sli=estimated_sli,
        tally=tally,
        time_parts=time_parts,
        quantity=quantity,
        label=label,
        pressure=pressure_label,
        build=_build,
        margins=margins,
        sentence=comparing.sentence,
        pair=comparing.pair,
        estimate=comparing.estimate,
        interval=comparing.interval,
        confidence=comparing.confidence,
        robust=comparing.robust,
        outside=_outside,
        path=quote,
        script_data=_script_data,
    )
    return environment
