"""What it means that observers of one objective disagree: a blind spot by name, or a difference; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sloproof.analysis.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sloproof.analysis.accounting import EventCounts
    from sloproof.analysis.counts import Counts
    from sloproof.analysis.estimates import Estimate

CONTRADICTION = "a contradiction"
SERVER, PROMETHEUS = "the server's own metrics", "Prometheus"
# Counters of one histogram are extrapolated each by itself: what differs by less is that.
HAIR = 1e-6


def finding(client: Verdict, others: Mapping[str, Verdict], differences: Sequence[str]) -> str | None:
    """Return what is to be said of observers that disagree; ``None`` where there is nothing.

    `others` are the verdicts of further observers by their names, `differences` what is known in words of
    SLIs that differ on equal counts.

    >>> finding(Verdict.VIOLATED, {SERVER: Verdict.MET, PROMETHEUS: Verdict.MET}, [])
    "a blind spot: the server's own metrics and Prometheus say MET, its clients VIOLATED"
    """
    decided = {name: each for name, each in others.items() if each is not Verdict.INCONCLUSIVE}
    parts = []
    if client is Verdict.VIOLATED and (blind := [n for n, each in decided.items() if each is Verdict.MET]):
        parts.append(f"a blind spot: {_say(blind)} MET, its clients VIOLATED")
    if client is Verdict.MET and (strict := [n for n, each in decided.items() if each is Verdict.VIOLATED]):
        parts.append(f"{CONTRADICTION}: {_say(strict)} VIOLATED, its clients MET")
    return "; ".join([*parts, *differences]) or None


def is_contradiction(found: str | None) -> bool:
    """Tell whether a finding says that another observer's verdict is worse than the clients'."""
    return found is not None and found.startswith(CONTRADICTION)


def differences(
    client: Counts | None, server: Counts | None, prometheus: Estimate | None, *, server_gained: bool
) -> list[str]:
    """Return in words where SLIs differ though their observers counted the same events.

    `server_gained`: Prometheus saw all that the server counted, and nothing else.
    """
    found = []
    if client and server and client.total == server.total and client.good != server.good:
        gap = server.good - client.good
        whose = "bad for the clients alone" if gap > 0 else "bad for the server alone"
        found.append(f"SLIs differ on equal counts: {abs(gap):,} of {client.total:,} events are {whose}")
    theirs = None if server is None else server.ratio
    if server_gained and prometheus and prometheus.ratio is not None and theirs is not None:
        apart = abs(prometheus.ratio - theirs)
        if apart > HAIR:
            found.append(
                "SLIs differ on equal counts: "
                f"{prometheus.ratio:.4%} by Prometheus, {theirs:.4%} by the server"
            )
    return found


def unequal(counts: EventCounts | None) -> list[str]:
    """Return in words why observers counted different numbers of events; nothing where they are equal.

    >>> from sloproof.analysis.accounting import EventCounts
    >>> unequal(EventCounts(clients={"answered": 98, "timeout": 2}, server=99, prometheus=None))
    ['counts differ: the clients scheduled 100 (98 answered, 2 timeout), the server counted 99']
    """
    if counts is None:
        return []
    found = []
    if counts.server is not None and counts.server != counts.scheduled:
        became = ", ".join(f"{count:,} {name}" for name, count in counts.clients.items())
        found.append(
            f"counts differ: the clients scheduled {counts.scheduled:,} ({became}), "
            f"the server counted {counts.server:,}"
        )
    if (missed := counts.missed_at_edges or 0) > 0:
        found.append(f"counts differ: {missed:,} that the server counted lie outside of Prometheus' scrapes")
    elif missed < 0:
        found.append(f"counts differ: {-missed:,} that Prometheus counted lie outside of the load")
    return found


def blind_in_trial(target: float, client: float | None, others: Mapping[str, float | None]) -> str | None:
    """Return the blind spot that one trial's SLIs show by themselves; a verdict takes more trials.

    >>> blind_in_trial(0.99, 0.9, {SERVER: 0.999, PROMETHEUS: None})
    "a blind spot: by the server's own metrics this trial meets the target, by its clients it misses it"
    """
    if client is None or client >= target:
        return None
    blind = [name for name, ratio in others.items() if ratio is not None and ratio >= target]
    if not blind:
        return None
    return f"a blind spot: by {_and(blind)} this trial meets the target, by its clients it misses it"


def _say(names: Sequence[str]) -> str:
    return f"{_and(names)} {'says' if names == [PROMETHEUS] else 'say'}"


def _and(names: Sequence[str]) -> str:
    return " and ".join(names)
