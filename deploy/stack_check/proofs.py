"""The proofs: each asks the running stack and says what it found; none starts or changes anything."""

from __future__ import annotations

import json
import time
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

import httpx
import yaml

from deploy.stack_check import dashboards
from deploy.stack_check.images import SUBJECT
from deploy.stack_check.prometheus import Prometheus, QueryError
from deploy.stack_check.proof import Proof, few, until

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from docker.models.containers import Container

    from deploy.stack_check.images import Json

JOB = "jobs"
ID = "sloth_id"
HEALTHY_WITHIN_S = 120
FOUND_WITHIN_S = 30
SCRAPED_WITHIN_S = 60
# Two scrapes, then an evaluation of each group: 15 s and 30 s apart.
RECORDED_WITHIN_S = 150
SHOWN_WITHIN_S = 60
TRACED_WITHIN_S = 45
# The engine's words where the program of a health check is not in the image; a time-out has the same status.
NO_PROBE = "executable file not found"


def healthy(part: str, container: Container) -> Proof:
    """Prove that a container's own health check succeeds."""

    def health() -> Json:
        container.reload()
        return container.attrs["State"]

    return _health(part, until(health, good=_is_decided, within_s=HEALTHY_WITHIN_S, every_s=0.5))


def _health(name: str, state: Json) -> Proof:
    if state["Status"] != "running":
        return Proof(held=False, what=f"{name} is {state['Status']}, with status {state['ExitCode']}")
    if _cannot_tell(state):
        return Proof(held=True, what=f"{name} runs; its image lacks the program of its health check")
    status, log = state["Health"]["Status"], state["Health"].get("Log") or [{}]
    said = f": {log[-1].get('Output', '').strip()}" if status != "healthy" else ""
    return Proof(held=status == "healthy", what=f"{name} is running and {status}{said}")


def _is_decided(state: Json) -> bool:
    return state["Status"] != "running" or state["Health"]["Status"] != "starting" or _cannot_tell(state)


def _cannot_tell(state: Json) -> bool:
    log = state["Health"].get("Log") or [{}]
    return NO_PROBE in log[-1].get("Output", "")


def target_up(prometheus: Prometheus) -> Proof:
    """Prove that Prometheus reads the service."""

    def ours() -> list[Json]:
        return [each for each in prometheus.targets() if each["labels"]["job"] == JOB]

    def read(targets: list[Json]) -> bool:
        return bool(targets) and all(each["health"] == "up" for each in targets)

    targets = until(ours, good=read, within_s=SCRAPED_WITHIN_S)
    if not targets:
        return Proof(held=False, what=f'no target has job="{JOB}"; the files in deploy/targets name them')
    told = ", ".join(f"{each['scrapeUrl']} {each['health']}{_manner(each)}" for each in targets)
    return Proof(held=read(targets), what=f'target of job="{JOB}": {told}')


def _manner(target: Json) -> str:
    if target["health"] == "up":
        return f", read in {target['lastScrapeDuration']:.3f} s"
    return f" ({target['lastError']})" if target["lastError"] else ""


def alerts_go_somewhere(prometheus: Prometheus) -> Proof:
    """Prove that Prometheus has found an Alertmanager."""
    found = until(prometheus.alertmanagers, good=bool, within_s=FOUND_WITHIN_S)
    return Proof(bool(found), f"alerts go to {few(found) or 'nobody'}")


def expected_groups(folder: Path) -> dict[str, list[Json]]:
    """Return the rules of the generated files by group."""
    files = sorted(folder.glob("*.rules.yaml"))
    documents = [yaml.load(each.read_text(), Loader=yaml.CSafeLoader) for each in files]
    return {group["name"]: group["rules"] for each in documents for group in each["groups"]}


def rules_loaded(prometheus: Prometheus, expected: Mapping[str, Sequence[Json]]) -> Proof:
    """Prove that Prometheus has every rule of the files, and evaluates each without an error."""

    def loaded() -> dict[str, list[Json]]:
        return {each["name"]: each["rules"] for each in prometheus.rule_groups()}

    def complete(groups: Mapping[str, list[Json]]) -> bool:
        return all(
            len(groups.get(name, ())) == len(rules)
            and not any(each["health"] == "unknown" for each in groups[name])
            for name, rules in expected.items()
        )

    groups = until(loaded, good=complete, within_s=RECORDED_WITHIN_S)
    if missing := [name for name, rules in expected.items() if len(groups.get(name, ())) != len(rules)]:
        return Proof(held=False, what=f"rules of {few(missing)} are not loaded as they are in their files")
    rules = [each for name in expected for each in groups[name]]
    health = Counter(each["health"] for each in rules)
    errors = [f"{each['name']}: {each.get('lastError')}" for each in rules if each["health"] == "err"]
    told = ", ".join(f"{count} {state}" for state, count in sorted(health.items()))
    return Proof(
        held=set(health) == {"ok"},
        what=f"{len(rules)} rules in {len(expected)} groups are loaded: {told}"
        + (f"; {few(errors)}" if errors else ""),
    )


def recording(prometheus: Prometheus, expected: Mapping[str, Sequence[Json]]) -> Iterator[Proof]:
    """Prove for each objective that every series it records has a value."""
    wanted: dict[str, set[str]] = {}
    for rule in (each for rules in expected.values() for each in rules if "record" in each):
        wanted.setdefault(rule["labels"][ID], set()).add(rule["record"])

    def recorded() -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for labels, _ in prometheus.values(f'{{{ID}!=""}}'):
            found.setdefault(labels[ID], set()).add(labels["__name__"])
        return found

    def complete(found: Mapping[str, set[str]]) -> bool:
        return all(names <= found.get(of, set()) for of, names in wanted.items())

    found = until(recorded, good=complete, within_s=RECORDED_WITHIN_S)
    for of, names in sorted(wanted.items()):
        absent = names - found.get(of, set())
        yield Proof(
            held=not absent,
            what=f"{of}: {len(names) - len(absent)} of {len(names)} recorded series have a value"
            + (f", without: {few(sorted(absent))}" if absent else ""),
        )


def dashboard_answers(prometheus: Prometheus, file: Path, may_be_empty: Collection[str]) -> Proof:
    """Prove that Prometheus answers every query of a dashboard, with data unless it may have none."""
    document = json.loads(file.read_text())
    try:
        values = dict(dashboards.variables(document, prometheus.label_values))
        asked = [(each, dashboards.fill(each.expression, values)) for each in dashboards.queries(document)]
    except (dashboards.DashboardError, QueryError) as error:
        return Proof(held=False, what=f"{file.name}: {error}")
    empty, refused = [], []
    deadline = time.monotonic() + SHOWN_WITHIN_S
    for query, expression in asked:
        patience_s = 0.0 if query.of in may_be_empty else deadline - time.monotonic()
        try:
            if not until(partial(_answer, prometheus, query, expression), good=bool, within_s=patience_s):
                empty.append(query.of)
        except QueryError as error:
            refused.append(f"{query.of}: {error}")
    rightly = [each for each in empty if each in may_be_empty]
    lacking = [each for each in empty if each not in may_be_empty]
    return Proof(
        held=bool(asked) and not refused and not lacking,
        what=f"{file.name}: {len(asked) - len(refused)} of {len(asked)} queries answered"
        + _empty(rightly, len(asked))
        + (f"; no data, and it should have: {few(lacking)}" if lacking else "")
        + (f"; {few(refused)}" if refused else ""),
    )


def _empty(rightly: Sequence[str], asked: int) -> str:
    if not rightly:
        return ""
    if len(rightly) == asked:
        return ", all of them rightly with no data"
    return f", {len(rightly)} of them rightly with no data ({few(rightly)})"


def _answer(prometheus: Prometheus, query: dashboards.Query, expression: str) -> list[Json]:
    if query.instant:
        return prometheus.instant(expression)
    return prometheus.over_time(expression, now_s=time.time())


def every_dashboard(
    prometheus: Prometheus, folder: Path, may_be_empty: Mapping[str, Collection[str]]
) -> Iterator[Proof]:
    """Prove it of every dashboard there is; that there is none is no proof."""
    files = sorted(folder.glob("*.json"))
    if not files:
        yield Proof(held=False, what=f"{folder} has no dashboard; `sloproof generate` writes them")
    for file in files:
        yield dashboard_answers(prometheus, file, may_be_empty.get(file.name, ()))


def trace_found(jaeger: str, job: str, log: Callable[[], Iterator[str]]) -> Proof:
    """Prove that the trace which a job's log line names is in Jaeger: the request's span and the run's."""

    def logged() -> str | None:
        for line in map(_parsed, log()):
            if line.get("event") == "job_finished" and line.get("job_id") == job:
                return str(line.get("trace_id"))
        return None

    trace = until(logged, good=bool, within_s=TRACED_WITHIN_S)
    if trace is None:
        return Proof(held=False, what=f"no log line of {SUBJECT} says that job {job} has finished")
    with httpx.Client(base_url=jaeger, timeout=10, trust_env=False) as client:
        spans = until(
            lambda: _spans(client, trace), good=lambda names: len(names) > 1, within_s=TRACED_WITHIN_S
        )
    return Proof(
        held=len(spans) > 1,
        what=f"trace {trace}, which the log line of job {job} names, is "
        + (
            f"in Jaeger: {', '.join(spans)}"
            if len(spans) > 1
            else f"not whole in Jaeger: {few(spans) or 'no span'}"
        ),
    )


def _parsed(line: str) -> dict[str, Json]:
    try:
        parsed = json.loads(line)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _spans(client: httpx.Client, trace: str) -> list[str]:
    """Return the names of a trace's spans, by the API that has been in Jaeger since 1.20 and stays."""
    try:
        answer = client.get(f"/api/v3/traces/{trace}")
    except httpx.HTTPError:
        return []
    if not answer.is_success:
        return []
    resources = answer.json().get("result", {}).get("resourceSpans", ())
    return sorted(
        span["name"] for each in resources for scope in each["scopeSpans"] for span in scope["spans"]
    )
