"""What the three observers of one trial say of each objective, and where they differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sloproof.analysis.accounting import EventCounts, bad_events, time_spent
from sloproof.analysis.findings import PROMETHEUS, SERVER, blind_in_trial, differences, unequal
from sloproof.analysis.results import Observation
from sloproof.experiment.prometheus import reading
from sloproof.observe import client, server
from sloproof.slo.definition import Latency

if TYPE_CHECKING:
    from sloproof.analysis.accounting import BadEvents, TimeSpent
    from sloproof.analysis.counts import Counts
    from sloproof.analysis.scored import Scored
    from sloproof.experiment.prometheus.reading import Answers, Reading
    from sloproof.observe.scrape import Scrape
    from sloproof.slo.definition import Definition, Indicator, Objective


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What there is of a trial's load phase: of its clients, of the subject's own metrics, of Prometheus."""

    scored: Scored
    gain: Scrape | None
    reading: Reading | None
    requests: str

    def observations(self, definition: Definition) -> dict[str, Observation]:
        """Return what each observer saw of each objective."""
        answers = self.reading.objectives if self.reading else {}
        return {each.name: self._observation(each, answers.get(each.name)) for each in definition.objectives}

    def spent(self) -> dict[str, TimeSpent]:
        """Return where the time of the answered requests went, by endpoint."""
        found = {}
        for endpoint, requests in self.scored.requests.items():
            theirs = None
            if self.gain is not None:
                theirs = server.seconds(self.gain, requests=self.requests, endpoint=endpoint)
            if (spent := time_spent(requests, server=theirs)) is not None:
                found[endpoint] = spent
        return found

    def _observation(self, objective: Objective, answers: Answers | None) -> Observation:
        indicator = objective.indicator
        clients = client.count(indicator, self.scored)
        servers = None
        if self.gain is not None:
            servers = server.count(indicator, self.gain, requests=self.requests)
        prometheus = reading.estimate(answers)
        counts = self._counts(indicator, servers, answers)
        found = differences(
            clients,
            servers,
            prometheus,
            server_gained=counts is not None and counts.missed_at_edges == 0,
        )
        found += unequal(counts)
        others = {
            name: each.ratio
            for name, each in ((SERVER, servers), (PROMETHEUS, prometheus))
            if each is not None
        }
        if blind := blind_in_trial(float(objective.target), clients.ratio if clients else None, others):
            found.insert(0, blind)
        return Observation(
            client=clients,
            server=servers,
            prometheus=prometheus,
            counts=counts,
            bad=self._bad(indicator),
            finding="; ".join(found) or None,
        )

    def _counts(
        self, indicator: Indicator, servers: Counts | None, answers: Answers | None
    ) -> EventCounts | None:
        fates = client.fates(indicator, self.scored)
        if fates is None:
            return None
        theirs = None if servers is None else servers.total
        return EventCounts(clients=fates, server=theirs, prometheus=reading.gain(answers))

    def _bad(self, indicator: Indicator) -> BadEvents | None:
        if not isinstance(indicator, Latency):
            return None
        endpoint = f"{indicator.method} {indicator.route}"
        late = None
        if self.gain is not None:
            late = server.late(indicator, self.gain, requests=self.requests)
        return bad_events(
            self.scored.of_endpoint(endpoint),
            threshold_s=float(indicator.threshold_s),
            server_late=late,
        )
