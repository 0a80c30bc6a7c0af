"""What `sloproof validate` finds out beside the files: from an exposition, and from a Prometheus."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from prometheus_client.parser import text_string_to_metric_families

from sloproof.cli.coverage import covered
from sloproof.compile import promql
from sloproof.compile.lint import matches
from sloproof.compile.lint.given import Exposition, Live, Match
from sloproof.compile.lint.queries import is_valid
from sloproof.compile.status import search
from sloproof.observe.address import Address
from sloproof.observe.prometheus import read_metrics
from sloproof.slo.problems import WrongInput
from sloproof.slo.tiers import DAY

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sloproof.compile.lint.findings import Source
    from sloproof.compile.selectors import Selector
    from sloproof.observe.prometheus import Prometheus, Sample
    from sloproof.slo.definition import Definition


def exposition(place: Address | Path) -> Exposition:
    """Return what a service exposes, now or when its metrics were written to a file.

    Raises:
        WrongInput: it is not the text format of Prometheus.

    """
    text = read_metrics(place) if isinstance(place, Address) else _file(place)
    try:
        families = list(text_string_to_metric_families(text))
    except ValueError as error:
        raise WrongInput(f"{place}: not in the Prometheus text format: {error}") from error
    if not families:
        raise WrongInput(f"{place}: holds no metric: record it by curl, from the service's /metrics")
    return Exposition(
        name=str(place),
        histograms={
            family.name: tuple(each.labels for each in family.samples if each.name == f"{family.name}_bucket")
            for family in families
            if family.type == "histogram"
        },
        metrics=frozenset(each.name for family in families for each in family.samples),
    )


def _file(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise WrongInput(f"{path}: not in the Prometheus text format: it is no UTF-8") from error
    except OSError as error:
        raise WrongInput(
            f"{path}: cannot be read ({error.strerror}): name a file, or write http://…"
        ) from error


class Inquiry:
    """Questions to one Prometheus about SLO files; what several files ask is asked once."""

    def __init__(self, prometheus: Prometheus) -> None:
        self._prometheus = prometheus
        self._now_s = prometheus.now_s()
        self._retention_s = prometheus.retention_s()
        self._intervals_s = {
            (each.job, each.instance): each.scrape_interval_s for each in prometheus.targets()
        }
        self._series: dict[Selector, list[Sample]] = {}
        self._metrics: list[str] | None = None

    def about(self, source: Source) -> Live:
        """Return what it has of one file."""
        uses = list(matches.uses(source.definition))
        needed = [each.selector for each in uses if each.role is matches.Role.NEEDED]
        return Live(
            name=str(self._prometheus.address),
            retention_s=self._retention_s,
            scrape_interval_s=self._scrape_interval_s(needed),
            matches={each.selector: self._match(each.selector) for each in uses},
            traffic=self._traffic(source.definition),
        )

    def _of(self, selector: Selector) -> list[Sample]:
        """Return how many series a selector has by job and instance, or had within the last day."""
        if selector not in self._series:
            self._series[selector] = self._query(matches.counting(selector)) or self._query(
                matches.counting_before(selector)
            )
        return self._series[selector]

    def _match(self, selector: Selector) -> Match:
        jobs: dict[str, int] = {}
        for sample in self._of(selector):
            job = sample.labels.get("job", "")
            jobs[job] = jobs.get(job, 0) + int(sample.value)
        if jobs:
            return Match(jobs=jobs)
        values = {
            label: [each.labels.get(label, "") for each in self._query(query)]
            for label, query in matches.values_of(selector).items()
        }
        if self._metrics is None:
            self._metrics = self._prometheus.metrics()
        return matches.explain(selector, values, self._metrics)

    def _scrape_interval_s(self, selectors: list[Selector]) -> int | None:
        """Return the longest interval at which any target with these series is scraped."""
        targets = {
            (each.labels.get("job", ""), each.labels.get("instance", ""))
            for selector in selectors
            for each in self._of(selector)
        }
        found = [interval for each in targets if (interval := self._intervals_s.get(each)) is not None]
        return max(1, round(max(found))) if found else None

    def _traffic(self, definition: Definition) -> Mapping[int, Decimal]:
        """Return the events per second of each objective over the last day, or since its data began."""
        found: dict[int, Decimal] = {}
        for index, objective in enumerate(definition.objectives):
            if not is_valid(objective.indicator):
                continue
            day = replace(objective, window_s=Decimal(DAY))
            covered_s = covered(self._prometheus, search(day, definition.metrics, now_s=self._now_s))
            events = promql.events(objective.indicator, definition.metrics, covered_s or 1)
            if covered_s and events is not None:
                total = self._prometheus.number(events.total, at_s=self._now_s)
                found[index] = Decimal(total or 0) / covered_s
        return found

    def _query(self, query: str) -> list[Sample]:
        return self._prometheus.query(query, at_s=self._now_s)
