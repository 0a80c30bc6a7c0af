"""One objective over a configuration's valid trials: what each observer would decide, where they differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sloproof.analysis.accounting import pool_bad, pool_counts
from sloproof.analysis.estimates import pooled
from sloproof.analysis.findings import PROMETHEUS, SERVER, differences, finding, unequal
from sloproof.analysis.verdicts import judge, judge_estimates

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from sloproof.analysis.accounting import BadEvents, EventCounts
    from sloproof.analysis.counts import Counts
    from sloproof.analysis.estimates import Estimate
    from sloproof.analysis.results import Observation
    from sloproof.analysis.verdicts import Judgement


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """What all trials show together; an observer that saw none of them has no counts.

    `by_prometheus` is what Prometheus would decide, ``None`` where it says nothing of any trial.
    """

    client: Counts | None
    server: Counts | None
    prometheus: Estimate | None
    by_prometheus: Judgement | None
    counts: EventCounts | None
    bad: BadEvents | None
    finding: str | None


def together(target: Decimal, seen: Sequence[Observation]) -> Together:
    """Return what the observers of some trials say of an objective with a target."""
    clients = [each.client for each in seen if each.client is not None]
    servers = [each.server for each in seen if each.server is not None]
    estimates = [each.prometheus for each in seen if each.prometheus is not None]
    counts = pool_counts(each.counts for each in seen)
    by_client, by_server, by_prometheus = (
        judge(target, clients),
        judge(target, servers),
        judge_estimates(target, estimates),
    )
    client = by_client.total if clients else None
    server = by_server.total if servers else None
    prometheus = pooled(estimates)
    differing = differences(
        client, server, prometheus, server_gained=counts is not None and counts.missed_at_edges == 0
    )
    others = {SERVER: by_server.verdict, PROMETHEUS: by_prometheus.verdict}
    return Together(
        client=client,
        server=server,
        prometheus=prometheus,
        by_prometheus=by_prometheus if any(each.ratio is not None for each in estimates) else None,
        counts=counts,
        bad=pool_bad(each.bad for each in seen),
        finding=finding(by_client.verdict, others, [*differing, *unequal(counts)]),
    )
