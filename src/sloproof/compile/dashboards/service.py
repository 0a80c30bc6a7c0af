"""The dashboard of services: rate, errors and durations of requests, worker processes, jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sloproof.compile import conventions as names
from sloproof.compile import promql
from sloproof.compile.dashboards import traces
from sloproof.compile.dashboards.board import (
    GREEN,
    RED,
    Annotation,
    Board,
    Choice,
    Heatmap,
    Lines,
    Link,
    Panel,
    Query,
    Row,
    Step,
    Text,
)
from sloproof.compile.dashboards.overview import NO_ALERT
from sloproof.compile.dashboards.processes import jobs, processes
from sloproof.compile.dashboards.queries import TARGETS, firing, requests, series, share, summed, timed
from sloproof.slo.definition import Availability

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from decimal import Decimal

    from sloproof.compile.dashboards.queries import Durations
    from sloproof.slo.definition import Definition, Metrics, Objective

UID = "sloproof-service"
ENDPOINT = (promql.METHOD, promql.ROUTE)
OF_ENDPOINT = f"{{{{{promql.METHOD}}}}} {{{{{promql.ROUTE}}}}}"
ACTIVE = "http_server_active_requests"
IDLE = "no requests: idle, or the metrics are gone"


def service(definitions: Sequence[Definition]) -> Board:
    """Return the dashboard of services, with a row for each service's requests."""
    counts = sorted({f"{d.metrics.requests}{'' if d.metrics.native else '_count'}" for d in definitions})
    metric = counts[0] if len(counts) == 1 else f'{{__name__=~"{"|".join(counts)}"}}'
    of_jobs = f'{{{names.JOB}=~"$job"}}' if len(counts) == 1 else None
    instances = f"{metric}{of_jobs}" if of_jobs else f'{metric[:-1]},{names.JOB}=~"$job"}}'
    return Board(
        uid=UID,
        title="Service RED and USE",
        description="Rate, errors and duration of requests with the limits that the objectives set, then"
        " what the worker processes and the queue of jobs are at. Click a value to see traces"
        " of that kind and time.",
        variables=(
            Choice(name="job", label="job", query=f"label_values({metric}, {names.JOB})", several=True),
            Choice(
                name="instance",
                label="instance",
                query=f"label_values({instances}, {names.INSTANCE})",
                several=True,
            ),
            Text(name=traces.NAME, label="Jaeger", value=traces.DEFAULT),
        ),
        annotations=(
            Annotation(
                name="Alerts",
                expr=f"max by (alertname, {names.SLO}, {names.TIER}) ({firing()})",
                color=RED,
                title=f"{{{{{names.SLO}}}}}: {{{{{names.TIER}}}}} fires",
                text="{{alertname}}",
                tags=(names.SLO, names.TIER),
                may_be_empty=NO_ALERT,
            ),
        ),
        rows=(
            *(Row(f"Requests of {each.service}", tuple(_requests(each))) for each in definitions),
            *(
                Row(f"Durations of {each.service} against its objectives", panels)
                for each in definitions
                if (panels := tuple(_durations(each)))
            ),
            Row("Worker processes", tuple(processes())),
            Row("Jobs", tuple(jobs())),
        ),
        newest="1h",
    )


def _requests(definition: Definition) -> Iterator[Panel]:
    all_requests = requests(definition.metrics, *TARGETS)
    link = traces.of_this_time(definition.service)
    yield Panel(
        title="Rate, by endpoint",
        description="Requests a second of each endpoint.",
        look=Lines(),
        queries=(Query(expr=all_requests.count(*ENDPOINT), legend=OF_ENDPOINT),),
        unit="reqps",
        no_value=IDLE,
        width=12,
        links=(link,),
    )
    yield Panel(
        title="Rate, by status",
        description="Requests a second by the status of their answer.",
        look=Lines(stacked=True),
        queries=(Query(expr=all_requests.count(promql.STATUS), legend=f"{{{{{promql.STATUS}}}}}"),),
        unit="reqps",
        no_value=IDLE,
        width=12,
        links=(link,),
    )
    yield _errors(definition, all_requests)
    yield Panel(
        title="In flight",
        description="Requests that are being answered, in all worker processes. It grows with load and with"
        " how long an answer takes.",
        look=Lines(stacked=True),
        queries=(Query(expr=_active(definition.metrics), legend=OF_ENDPOINT),),
        unit="short",
        no_value=f"no series {ACTIVE}",
        width=12,
    )


def _active(metrics: Metrics) -> str:
    exact = tuple(f"{name}={promql.quoted(value)}" for name, value in metrics.matchers.items())
    return summed(series(ACTIVE, *exact, *TARGETS), ENDPOINT)


def _errors(definition: Definition, all_requests: Durations) -> Panel:
    bad = all_requests.only(f"{promql.STATUS}=~{promql.quoted(promql.NOT_SERVED)}").count(*ENDPOINT)
    budgets = [
        float(each.budget) for each in definition.objectives if isinstance(each.indicator, Availability)
    ]
    limit = (Step(min(budgets), RED),) if budgets else ()
    return Panel(
        title="Errors",
        description="The share of requests that were not served: answered with 5xx or 429. The line is the"
        " error budget of the availability objective: above it, the budget burns faster than it"
        " lasts.",
        look=Lines(decimals=2),
        queries=(
            Query(expr=share(bad, all_requests.count(*ENDPOINT)), legend=OF_ENDPOINT, may_be_empty=IDLE),
        ),
        unit="percentunit",
        no_value=IDLE,
        width=12,
        steps=(Step(None, GREEN), *limit),
        links=(traces.failed(definition.service),),
    )


def _durations(definition: Definition) -> Iterator[Panel]:
    for objective in definition.objectives:
        found = timed(objective, definition.metrics, *TARGETS)
        if found is not None:
            durations, threshold_s = found
            link = traces.slow(definition, objective)
            yield _heatmap(objective, durations, threshold_s, link)
            yield _quantiles(objective, durations, threshold_s, link)


def _heatmap(objective: Objective, durations: Durations, threshold_s: Decimal, link: Link) -> Panel:
    limit = f"{threshold_s.normalize():f} s"
    return Panel(
        title=f"{objective.name}: durations (limit {limit})",
        description=f"How many lasted how long. The limit of {limit} is a bound of the buckets: what is in"
        " rows above it is bad. Grafana draws no line into a heatmap; the panel beside it has the line.",
        look=Heatmap(),
        queries=(Query(expr=durations.buckets(), legend="{{le}}"),),
        unit="s",
        no_value=IDLE,
        width=12,
        links=(link,),
    )


def _quantiles(objective: Objective, durations: Durations, threshold_s: Decimal, link: Link) -> Panel:
    percentage = f"{(objective.target * 100).normalize():f} %"
    limit = f"{threshold_s.normalize():f} s"
    return Panel(
        title=f"{objective.name}: {percentage} against {limit}",
        description=f"The duration that the target's share, {percentage}, and half of them stay within, read"
        f" off buckets; the line is the limit of {limit}. The objective itself is judged by exact counts,"
        " never by this estimate.",
        look=Lines(decimals=3),
        queries=(
            Query(expr=durations.quantile(f"{objective.target:f}"), legend=percentage, may_be_empty=IDLE),
            Query(expr=durations.quantile("0.5"), legend="50 %", may_be_empty=IDLE),
        ),
        unit="s",
        no_value=IDLE,
        width=12,
        steps=(Step(None, GREEN), Step(float(threshold_s), RED)),
        links=(link,),
    )
