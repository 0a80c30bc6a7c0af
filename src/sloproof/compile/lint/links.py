"""What is wrong with an objective beside its numbers: events nobody sees, links that stay templates."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sloproof.compile.lint.findings import Level, listed
from sloproof.slo.definition import EventLatency

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from sloproof.compile.lint.findings import Finding, Source

PLACEHOLDER = re.compile(r"\{\{\s*([^}]*?)\s*\}\}")
KNOWN = ("{{service}}", "{{objective}}")


def check(source: Source, *, seen_events: Collection[str]) -> Iterator[Finding]:
    """Yield what is wrong; `seen_events` are those that the clients of a load test can tell the end of."""
    for index, objective in source.objectives():
        match objective.indicator:
            case EventLatency(event=event) if event not in seen_events:
                seen = listed(sorted(seen_events))
                yield source.finding(
                    source.line("objectives", index, "indicator", "latency", "event"),
                    Level.WARNING,
                    what=f"a load test cannot judge '{objective.name}' by its clients",
                    because=f"they see the end of {seen} only, and not of {event}",
                    cure=f"write event: {seen} if it is that, or rely on the service's histogram",
                )
            case _:
                pass
        yield from _links(source, index)


def _links(source: Source, index: int) -> Iterator[Finding]:
    alerting = source.definition.objectives[index].alerting
    for key, link in (("runbook", alerting.runbook), ("dashboard", alerting.dashboard)):
        strays = [each for each in PLACEHOLDER.finditer(link or "") if each[0] not in KNOWN]
        own = ("objectives", index, "alerting", key)
        if strays:
            yield source.finding(
                source.line(*(own if source.has(*own) else ("alerting", key))),
                Level.ERROR,
                what=f"the link alerting.{key} holds {strays[0][0]}, which stays as it is",
                because=(
                    f"only {listed(KNOWN)} are replaced, and Prometheus takes the rest for its own template"
                ),
                cure=f"write {listed(KNOWN, word='or')}, or the text itself",
            )
