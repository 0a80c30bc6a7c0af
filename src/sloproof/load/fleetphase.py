"""One phase of all workers: they are armed, begin at one moment, and their facts and samples become one."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

import gevent

from sloproof.load import rpc
from sloproof.load.merging import Part, decode_rows, merge_facts, merge_rows
from sloproof.load.protocol import PhaseFacts, Progress, StopPhase

if TYPE_CHECKING:
    from collections.abc import Callable

    from sloproof.analysis.samples import Samples
    from sloproof.load.clocks import Zero
    from sloproof.load.members import Member, Members
    from sloproof.load.protocol import RunPhase

ARM_WITHIN_S = 25.0
GRACE_S = 25.0
LEAD_S = 0.05
PROGRESS_EVERY_S = 0.5


class FleetPhase:
    """One phase, from its plan to its facts; it runs once. ``keep`` gets the samples of all workers."""

    def __init__(
        self,
        order: RunPhase,
        members: Members,
        zero: Zero,
        *,
        report: Callable[[Progress], None],
        keep: Callable[[Samples], None],
    ) -> None:
        self._order = order
        self._members = members
        self._zero = zero
        self._report = report
        self._keep = keep
        self._begun = self._stopped = False

    def stop(self) -> None:
        """Let no further arrival come due."""
        self._stopped = True
        if self._begun:
            self._members.tell(StopPhase())

    def run(self) -> PhaseFacts:
        """Have all arrivals dispatched, wait for what the workers have to say of it, and put it together.

        Raises WorkerError: a worker is gone, so its share is missing.
        """
        order, members = self._order, self._members
        for member in members:
            member.progress = None
        members.tell(order)
        self._begun = True
        if self._stopped:
            members.tell(StopPhase())
        armed = members.gather(rpc.Armed, within_s=ARM_WITHIN_S)
        members.tell(rpc.Begin(self._begin_s()))
        ticker = gevent.spawn(self._tick, sum(each.planned for each in armed.values()))
        try:
            facts = members.gather(PhaseFacts, within_s=order.duration_s + order.drain_s + GRACE_S)
        finally:
            ticker.kill()
        return self._merged(facts)

    def _begin_s(self) -> float:
        """Return a moment so far off that every worker knows of it before."""
        farthest_s = max(member.clock.error_s for member in self._members)
        return perf_counter() - self._zero.clock_s + LEAD_S + 4 * farthest_s

    def _tick(self, planned: int) -> None:
        while True:
            gevent.sleep(PROGRESS_EVERY_S)
            seen = [member.progress for member in self._members if member.progress is not None]
            if seen:
                self._report(
                    Progress(
                        phase=self._order.phase,
                        planned=planned,
                        sent=sum(each.sent for each in seen),
                        completed=sum(each.completed for each in seen),
                        bad=sum(each.bad for each in seen),
                        elapsed_s=max(each.elapsed_s for each in seen),
                    )
                )

    def _merged(self, facts: dict[int, PhaseFacts]) -> PhaseFacts:
        parts = [part_of(member, facts[member.number]) for member in self._members]
        rows = merge_rows([part.rows for part in parts])
        self._keep(rows.samples)
        return merge_facts(parts, rows)


def part_of(member: Member, facts: PhaseFacts) -> Part:
    """Return what a worker has done, its samples as they were sent before the facts."""
    return Part(
        worker=member.number,
        machine=member.hello.machine,
        pid=member.hello.pid,
        clock_error_s=member.clock.error_s,
        facts=facts,
        rows=decode_rows(member.take_rows()),
    )
