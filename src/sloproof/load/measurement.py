"""What becomes of arrivals, written down as it happens: records, ledger and running counts; it sends nothing.

Seconds count from its epoch. Once a phase is over nothing changes what was counted in it: requests that were
unanswered then stay unfinished. A job accepted by such a late answer still enters the ledger.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING

from sloproof.analysis.samples import FIRST_SERVER_ERROR, TOO_MANY_REQUESTS, Outcome
from sloproof.load.clocks import Zero
from sloproof.load.ledger import Accepted
from sloproof.load.records import UNPLANNED, Records

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sloproof.analysis.samples import Phase


@dataclass(slots=True)
class Tally:
    """Running counts of a phase: arrivals that came due, and the requests they led to."""

    scheduled: int = 0
    sent: int = 0
    completed: int = 0
    bad: int = 0


@dataclass(slots=True, kw_only=True, eq=False)
class Iteration:
    """One run of a task, for one arrival; ``row`` is the record of its first request."""

    phase: Phase
    task: int
    row: int
    intended_s: float
    requests: list[Request] = field(default_factory=list)


@dataclass(slots=True, kw_only=True, eq=False)
class Request:
    """A request under way; ``closed`` once it has been counted."""

    phase: Phase
    row: int
    intended_s: float
    start_s: float
    closed: bool = False


class Measurement:
    """Everything a generator learns between its start and the writing of its files.

    Its seconds count from ``zero``, by default from now.
    """

    def __init__(self, tasks: Sequence[str], zero: Zero | None = None) -> None:
        zero = zero or Zero.now()
        self._epoch = zero.clock_s
        self.epoch_unix_s = zero.unix_s
        self.records = Records(tasks)
        self.ledger: list[Accepted] = []
        self.tally = Tally()
        self._sealed = 0

    def now(self) -> float:
        """Return the seconds since the epoch."""
        return perf_counter() - self._epoch

    def begin_phase(self) -> None:
        """Count anew."""
        self.tally = Tally()

    def end_phase(self) -> None:
        """Let nothing change the records so far: what is unanswered is unfinished."""
        self._sealed = len(self.records)

    def dispatch(self, phase: Phase, *, task: int, intended_s: float) -> Iteration:
        """Note that an arrival's time has come."""
        self.tally.scheduled += 1
        row = self.records.open(phase, task=task, intended_s=intended_s, dispatched_s=self.now())
        return Iteration(phase=phase, task=task, row=row, intended_s=intended_s)

    def start(self, iteration: Iteration, endpoint: str) -> Request:
        """Note that an iteration begins a request.

        Only its first request was planned; each further one is intended when it starts.
        """
        start_s = self.now()
        row, intended_s = iteration.row, iteration.intended_s
        counts = row >= self._sealed
        if iteration.requests:
            intended_s = start_s
            if counts:
                row = self.records.open(
                    iteration.phase, task=UNPLANNED, intended_s=start_s, dispatched_s=start_s
                )
        if counts:
            self.records.start(row, start_s=start_s, endpoint=endpoint)
            self.tally.sent += 1
        request = Request(phase=iteration.phase, row=row, intended_s=intended_s, start_s=start_s)
        iteration.requests.append(request)
        return request

    def close(self, request: Request, *, end_s: float, status: int, outcome: Outcome) -> None:
        """Note how a request ended."""
        request.closed = True
        self._close(request.row, end_s=end_s, status=status, outcome=outcome)

    def accept(self, request: Request, location: str) -> None:
        """Enter the job that a request's answer has promised into the ledger."""
        intended_at_s = self.epoch_unix_s + request.intended_s
        self.ledger.append(Accepted(location=location, phase=request.phase, intended_at_s=intended_at_s))

    def end(self, iteration: Iteration) -> None:
        """Note that an iteration is over; what it did not report, or did not even send, is an error."""
        unreported = [request.row for request in iteration.requests if not request.closed]
        for row in unreported if iteration.requests else [iteration.row]:
            self._close(row, end_s=self.now(), status=0, outcome=Outcome.ERROR)

    def _close(self, row: int, *, end_s: float, status: int, outcome: Outcome) -> None:
        if row < self._sealed:
            return
        self.records.close(row, end_s=end_s, status=status, outcome=outcome)
        self.tally.completed += 1
        refused = status >= FIRST_SERVER_ERROR or status == TOO_MANY_REQUESTS
        self.tally.bad += outcome is not Outcome.ANSWERED or refused
