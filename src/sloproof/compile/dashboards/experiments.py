"""The dashboard of experiments: the configurations of one run side by side, with marks of injected faults."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sloproof.compile import conventions as names
from sloproof.compile import promql
from sloproof.compile.dashboards.board import (
    GREEN,
    ORANGE,
    RED,
    Annotation,
    Bars,
    Board,
    Choice,
    Column,
    Lines,
    Panel,
    Query,
    Row,
    Step,
    table,
)
from sloproof.compile.dashboards.queries import (
    RANGE,
    RATE,
    Durations,
    good_share,
    requests,
    series,
    share,
    summed,
    timed,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sloproof.slo.definition import Definition, Objective

UID = "sloproof-experiments"
RUN, TRIAL, CONFIGURATION = "run", "trial", "configuration"
"""The labels that the Prometheus of a run gives to each target."""
CHOSEN = (f'{RUN}="$run"', f'{CONFIGURATION}=~"$configuration"', f'{TRIAL}=~"$trial"', f'{names.JOB}=~"$job"')
FAULT = "sloproof_fault_active"
"""1 while a fault is injected, with its name in the label `fault`."""
LEGEND = f"{{{{{CONFIGURATION}}}}}"
IDLE = "no requests in this time"
NO_FAULT = "no fault was injected"
NOT_DOWN = "no target was down"


def experiments(definitions: Sequence[Definition]) -> Board:
    """Return the dashboard that compares configurations."""
    metrics = definitions[0].metrics
    counted = metrics.requests if metrics.native else f"{metrics.requests}_count"
    in_a_run = series(counted, f'{RUN}!=""')
    return Board(
        uid=UID,
        title="Experiments",
        description="The configurations of one run side by side: how each met the objectives over the time"
        " shown, and how rate, errors, durations and resources compare. Marks show injected"
        " faults and targets that are down. Verdicts and their intervals are in the run's"
        " report: nothing here says whether a difference is chance.",
        variables=(
            Choice(name=RUN, label="Run", query=f"label_values({in_a_run}, {RUN})"),
            Choice(
                name=CONFIGURATION,
                label="Configuration",
                query=f"label_values({series(counted, CHOSEN[0])}, {CONFIGURATION})",
                several=True,
            ),
            Choice(
                name=TRIAL,
                label="Trial",
                query=f"label_values({series(counted, *CHOSEN[:2])}, {TRIAL})",
                several=True,
            ),
            Choice(
                name="job",
                label="job",
                query=f"label_values({series(counted, CHOSEN[0])}, {names.JOB})",
                several=True,
            ),
        ),
        annotations=(
            Annotation(
                name="Faults",
                expr=f"max by ({CONFIGURATION}, {TRIAL}, fault) ({series(FAULT, CHOSEN[0])}) == 1",
                color=ORANGE,
                title="fault: {{fault}}",
                text=f"{LEGEND}, trial {{{{{TRIAL}}}}}",
                tags=("fault", CONFIGURATION),
                may_be_empty=NO_FAULT,
            ),
            Annotation(
                name="Down",
                expr=f"{series(names.UP, *CHOSEN)} == 0",
                color=RED,
                title="target down",
                text=f"{LEGEND}, trial {{{{{TRIAL}}}}}",
                tags=(CONFIGURATION,),
                may_be_empty=NOT_DOWN,
            ),
        ),
        rows=(
            Row("Objectives, over the time shown", (*_objectives(definitions), _trials(definitions))),
            Row("Requests", tuple(_requests(definitions))),
            Row("Resources", tuple(_resources(definitions[0]))),
        ),
        newest="30m",
        refresh="10s",
    )


def _compared(
    definitions: Sequence[Definition], by: tuple[str, ...]
) -> Iterator[tuple[Definition, Objective, str]]:
    """Yield the objectives that can be told apart by configuration, and their share of good events."""
    for definition in definitions:
        for objective in definition.objectives:
            good = good_share(objective, definition.metrics, *CHOSEN, by=by)
            if good is not None:
                yield definition, objective, good


def _objectives(definitions: Sequence[Definition]) -> Iterator[Panel]:
    for definition, objective, good in _compared(definitions, (CONFIGURATION,)):
        target = float(objective.target)
        yield Panel(
            title=f"{definition.service} {objective.name}: SLI",
            description="The share of good events of each configuration over the time shown, all its"
            " trials together; green from the target of"
            f" {(objective.target * 100).normalize():f} % on.",
            look=Bars(low=max(0.0, 1 - 10 * float(objective.budget)), high=1, decimals=3),
            queries=(Query(expr=good, legend=LEGEND, may_be_empty=IDLE),),
            unit="percentunit",
            no_value=IDLE,
            width=6,
            height=7,
            steps=(Step(None, RED), Step(target, GREEN)),
        )


def _trials(definitions: Sequence[Definition]) -> Panel:
    by = (CONFIGURATION, TRIAL)
    count = requests(definitions[0].metrics, *CHOSEN).count(*by, over=RANGE, function="increase")
    return table(
        Column(title="Configuration", label=CONFIGURATION),
        Column(title="Trial", label=TRIAL),
        Column(title="Requests", unit="short", decimals=0, query=Query(expr=count, legend="Requests")),
        *(
            Column(
                title=f"{definition.service} {objective.name}",
                unit="percentunit",
                decimals=3,
                steps=(Step(None, RED), Step(float(objective.target), GREEN)),
                query=Query(expr=good, legend=objective.name, may_be_empty=IDLE),
            )
            for definition, objective, good in _compared(definitions, by)
        ),
        title="Trials",
        description="Each trial with the requests that Prometheus saw (extrapolated to the ends of the time"
        " shown) and its SLI for each objective. The trial is the unit of replication: how far"
        " trials of one configuration lie apart tells what a difference between configurations"
        " is worth.",
        no_value=IDLE,
        height=9,
    )


def _requests(definitions: Sequence[Definition]) -> Iterator[Panel]:
    for definition in definitions:
        of_run = requests(definition.metrics, *CHOSEN)
        bad = of_run.only(f"{promql.STATUS}=~{promql.quoted(promql.NOT_SERVED)}")
        yield _lines(
            f"{definition.service}: rate",
            "Requests a second of each configuration.",
            _of_each(of_run.count(CONFIGURATION)),
            unit="reqps",
        )
        yield _lines(
            f"{definition.service}: errors",
            "The share of each configuration's requests that were not served: answered with 5xx or 429.",
            _of_each(share(bad.count(CONFIGURATION), of_run.count(CONFIGURATION)), may_be_empty=IDLE),
            unit="percentunit",
        )
        for objective in definition.objectives:
            if (found := timed(objective, definition.metrics, *CHOSEN)) is None:
                continue
            durations, threshold_s = found
            percentage = f"{(objective.target * 100).normalize():f}"
            yield _lines(
                f"{definition.service} {objective.name}: {percentage} % within",
                f"The duration that the target's share ({percentage} %) stays within, read off buckets,"
                " against the limit. The SLI above is counted exactly.",
                _of_each(durations.quantile(f"{objective.target:f}", CONFIGURATION), may_be_empty=IDLE),
                unit="s",
                steps=(Step(None, GREEN), Step(float(threshold_s), RED)),
            )


def _resources(definition: Definition) -> Iterator[Panel]:
    def rate(name: str, function: str = "rate", over: str = RATE) -> str:
        return summed(f"{function}({series(name, *CHOSEN)}[{over}])", (CONFIGURATION,))

    lag = Durations(histogram="event_loop_lag_seconds", matchers=CHOSEN, native=False)
    queued = series("jobs_in_state", *CHOSEN, 'state="queued"')
    count = requests(definition.metrics, *CHOSEN).count(CONFIGURATION, over=RANGE, function="increase")
    cpu = "process_cpu_seconds_total"
    yield _lines(
        "In flight",
        "Requests that are being answered.",
        _of_each(summed(series("http_server_active_requests", *CHOSEN), (CONFIGURATION,))),
        unit="short",
    )
    yield _lines(
        "Queue depth",
        "Jobs that wait for a worker.",
        _of_each(f"sum by ({CONFIGURATION}) (max by ({CONFIGURATION}, {TRIAL}, kind) ({queued}))"),
        unit="short",
    )
    yield _lines(
        "Event-loop lag, 99 %",
        "How late the event loops resume a task, read off buckets.",
        _of_each(lag.quantile("0.99", CONFIGURATION), may_be_empty="the event loops are not measured"),
        unit="s",
    )
    yield _lines("CPU", "Cores that all worker processes use together.", _of_each(rate(cpu)), unit="none")
    yield _lines(
        "Memory",
        "Resident memory of all worker processes together.",
        _of_each(summed(series("process_resident_memory_bytes", *CHOSEN), (CONFIGURATION,))),
        unit="bytes",
    )
    yield Panel(
        title="CPU time a request",
        description="What a request costs: seconds of CPU of all worker processes, jobs included, by the"
        " requests of the time shown.",
        look=Bars(low=0),
        queries=(
            Query(expr=f"{rate(cpu, 'increase', RANGE)} / ({count} > 0)", legend=LEGEND, may_be_empty=IDLE),
        ),
        unit="s",
        no_value=IDLE,
        width=12,
    )


def _lines(title: str, description: str, query: Query, *, unit: str, steps: tuple[Step, ...] = ()) -> Panel:
    return Panel(
        title=title,
        description=description,
        look=Lines(),
        queries=(query,),
        unit=unit,
        no_value=query.may_be_empty or "the service has no such series",
        width=12,
        steps=steps,
    )


def _of_each(expr: str, *, may_be_empty: str | None = None) -> Query:
    return Query(expr=expr, legend=LEGEND, may_be_empty=may_be_empty)
