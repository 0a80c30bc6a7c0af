"""Observers that disagree are named; those that agree, or cannot be compared, are not."""

from __future__ import annotations

import pytest

from sloproof.analysis.accounting import EventCounts, Gain
from sloproof.analysis.counts import Counts
from sloproof.analysis.estimates import Estimate, pooled
from sloproof.analysis.findings import (
    PROMETHEUS,
    SERVER,
    blind_in_trial,
    differences,
    finding,
    is_contradiction,
    unequal,
)
from sloproof.analysis.verdicts import Verdict

MET, VIOLATED, INCONCLUSIVE = Verdict.MET, Verdict.VIOLATED, Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("client", "server", "prometheus", "found"),
    [
        pytest.param(MET, MET, MET, None, id="all agree"),
        pytest.param(VIOLATED, VIOLATED, VIOLATED, None, id="all see it"),
        pytest.param(
            VIOLATED,
            MET,
            INCONCLUSIVE,
            "a blind spot: the server's own metrics say MET",
            id="the server is blind",
        ),
        pytest.param(
            VIOLATED, INCONCLUSIVE, MET, "a blind spot: Prometheus says MET", id="Prometheus is blind"
        ),
        pytest.param(
            VIOLATED, MET, MET, "a blind spot: the server's own metrics and Prometheus say MET", id="both are"
        ),
        pytest.param(
            MET,
            VIOLATED,
            INCONCLUSIVE,
            "a contradiction: the server's own metrics say VIOLATED",
            id="only it sees",
        ),
        pytest.param(INCONCLUSIVE, MET, MET, None, id="nothing is decided by the clients"),
    ],
)
def test_observers_that_decide_differently_are_named(
    client: Verdict, server: Verdict, prometheus: Verdict, found: str | None
) -> None:
    said = finding(client, {SERVER: server, PROMETHEUS: prometheus}, [])

    assert (said or "").startswith(found or "")
    assert (said is None) == (found is None)
    assert is_contradiction(said) == (client is MET and server is VIOLATED)


def test_slis_that_differ_on_equal_counts_are_a_finding_and_on_others_are_accounted_for_elsewhere() -> None:
    def differ(client: Counts, server: Counts) -> list[str]:
        return differences(client, server, None, server_gained=False)

    assert differ(Counts(90, 100), Counts(100, 100)) == [
        "SLIs differ on equal counts: 10 of 100 events are bad for the clients alone"
    ]
    assert "bad for the server alone" in differ(Counts(100, 100), Counts(99, 100))[0]
    assert differ(Counts(90, 100), Counts(90, 100)) == []
    assert differ(Counts(90, 100), Counts(90, 99)) == []


@pytest.mark.parametrize(
    ("good", "gained", "differs"),
    [
        pytest.param(99.5, True, False, id="extrapolated alike"),
        pytest.param(90.0, True, True, id="another share of the same events"),
        pytest.param(90.0, False, False, id="other events"),
    ],
)
def test_prometheus_differs_from_the_server_only_where_it_saw_the_same_events(
    good: float, gained: bool, differs: bool
) -> None:
    estimate = Estimate.of(good=good, total=100.5)
    server = Counts(good=19_900, total=20_100)

    assert bool(differences(None, server, estimate, server_gained=gained)) == differs


def test_one_trial_shows_a_blind_spot_by_its_slis() -> None:
    assert "by Prometheus this trial meets the target" in (
        blind_in_trial(0.99, 0.8, {SERVER: 0.95, PROMETHEUS: 0.999}) or ""
    )
    assert blind_in_trial(0.99, 0.8, {SERVER: 0.8}) is None
    assert blind_in_trial(0.99, 0.99, {SERVER: 1.0}) is None
    assert blind_in_trial(0.99, None, {SERVER: 1.0}) is None


def test_estimates_are_pooled_by_their_counts_and_ratios_alone_are_not() -> None:
    counted = Estimate.of(good=99.0, total=100.0)

    assert pooled([counted, Estimate.of(good=0.0, total=300.0)]) == Estimate.of(good=99.0, total=400.0)
    assert pooled([counted, Estimate(good=None, total=None, ratio=0.5)]) is None
    assert pooled([]) is None
    assert Estimate.of(good=0.0, total=0.0).ratio is None
    assert Estimate.of(good=100.1, total=100.0).ratio == 1.0


def test_counts_that_differ_are_told_with_what_became_of_the_events() -> None:
    def counted(server: int | None, between_scrapes: int | None) -> list[str]:
        gain = None if between_scrapes is None else Gain(between_scrapes=between_scrapes, increase=1.0)
        return unequal(EventCounts(clients={"answered": 100}, server=server, prometheus=gain))

    assert counted(100, 100) == counted(None, None) == counted(100, None) == unequal(None) == []
    assert counted(100, 90) == [
        "counts differ: 10 that the server counted lie outside of Prometheus' scrapes"
    ]
    assert counted(100, 103) == ["counts differ: 3 that Prometheus counted lie outside of the load"]
