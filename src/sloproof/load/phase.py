"""Runs one phase: hands each arrival to a user when its time has come, and says how well that went."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import gevent

from sloproof.analysis.samples import Phase
from sloproof.load.arrivals import plan
from sloproof.load.merging import Rows
from sloproof.load.protocol import PhaseFacts, Progress
from sloproof.load.recording import read_recording
from sloproof.load.selfcheck import processor_time, quantile, spent
from sloproof.load.shapes import Replay
from sloproof.load.sharing import WHOLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from sloproof.load.crew import Crew
    from sloproof.load.protocol import RunPhase
    from sloproof.load.selfcheck import Spent
    from sloproof.load.shapes import RateShape, Recording, Shape
    from sloproof.load.sharing import Share

LEAD_S = 0.02
PROGRESS_EVERY_S = 0.5
DRAIN_POLL_S = 0.005


def _recalled(shape: Shape) -> RateShape | Recording:
    """Return a shape that needs no file any more. Raises InvalidFile."""
    return read_recording(shape.file).played(shape.speed) if isinstance(shape, Replay) else shape


class PhaseRun:
    """One phase, from its plan to its facts; it runs once."""

    def __init__(
        self, order: RunPhase, crew: Crew, report: Callable[[Progress], None], share: Share = WHOLE
    ) -> None:
        self._order = order
        self._crew = crew
        self._report = report
        whole = plan(
            order.arrival,
            rate=order.rate,
            duration_s=order.duration_s,
            weights=[task.weight for task in crew.tasks],
            seed=order.seed,
            shape=_recalled(order.shape),
        )
        self._plan = share.part(whole)
        self.rows: Rows | None = None  # once it has ended
        self._began_s = self._first_s = 0.0
        self._dispatcher = gevent.Greenlet(self._dispatch)

    @property
    def planned(self) -> int:
        """The number of arrivals."""
        return len(self._plan)

    def stop(self) -> None:
        """Let no further arrival come due."""
        self._dispatcher.kill(block=False)

    def run(self, agree: Callable[[], float] | None = None) -> PhaseFacts:
        """Dispatch all arrivals, wait for their answers as long as the order allows, and return the facts.

        ``agree`` is called when all is ready, and returns when to begin.
        """
        crew = self._crew
        backlog_at_start, first_row = crew.busy(), len(crew.measurement.records)
        crew.pool.begin(touch_all=self._order.phase is Phase.WARMUP)
        crew.measurement.begin_phase()
        gc.collect()
        gc.freeze()  # what lives now lives to the end: collections during the phase need not look at it
        first_s = None if agree is None else agree()
        before = processor_time()
        self._began_s = crew.measurement.now()
        self._first_s = self._began_s + LEAD_S if first_s is None else first_s
        ticker = gevent.spawn(self._tick)
        self._dispatcher.start()
        self._dispatcher.get()
        work = spent(before, processor_time(), wall_s=crew.measurement.now() - self._began_s)
        self._drain()
        ticker.kill()
        crew.pool.abandon()
        crew.measurement.end_phase()
        return self._facts(first_row, backlog_at_start, work)

    def _dispatch(self) -> None:
        pool, measurement, tasks = self._crew.pool, self._crew.measurement, self._crew.tasks
        for offset_s, task in zip(self._plan.offsets_s.tolist(), self._plan.tasks.tolist(), strict=True):
            intended_s = self._first_s + offset_s
            # Late or not, the schedule stays: an arrival that is overdue goes out at once.
            while (early_s := intended_s - measurement.now()) > 0:
                gevent.sleep(early_s)
            iteration = measurement.dispatch(self._order.phase, task=task, intended_s=intended_s)
            if (seat := pool.take(iteration, tasks[task].kind)) is not None:
                seat.set(iteration)

    def _drain(self) -> None:
        with gevent.Timeout(self._order.drain_s, exception=False):
            while self._crew.busy() or self._crew.pool.backlog:
                gevent.sleep(DRAIN_POLL_S)

    def _tick(self) -> None:
        while True:
            gevent.sleep(PROGRESS_EVERY_S)
            tally = self._crew.measurement.tally
            self._report(
                Progress(
                    phase=self._order.phase,
                    planned=self.planned,
                    sent=tally.sent,
                    completed=tally.completed,
                    bad=tally.bad,
                    elapsed_s=self._crew.measurement.now() - self._began_s,
                )
            )

    def _facts(self, first_row: int, backlog_at_start: int, work: Spent) -> PhaseFacts:
        measurement, pool = self._crew.measurement, self._crew.pool
        samples = measurement.records.samples(first_row)
        planned = measurement.records.planned(first_row)
        self.rows = Rows(samples, planned)
        dispatch_lag_s, start_lag_s = samples.dispatch_lag_s[planned], samples.start_lag_s[planned]
        return PhaseFacts(
            phase=self._order.phase,
            scheduled=measurement.tally.scheduled,
            sent=measurement.tally.sent,
            completed=measurement.tally.completed,
            bad=measurement.tally.bad,
            queued=pool.queued,
            backlog_at_start=backlog_at_start,
            backlog_max=pool.backlog_max,
            unfinished=len(samples) - measurement.tally.completed,
            elapsed_s=measurement.now() - self._began_s,
            dispatch_lag_p50_s=quantile(dispatch_lag_s, 0.5),
            dispatch_lag_p99_s=quantile(dispatch_lag_s, 0.99),
            dispatch_lag_max_s=quantile(dispatch_lag_s, 1),
            start_lag_p99_s=quantile(start_lag_s, 0.99),
            cpu_ratio=work.cpu_ratio,
            wait_ratio=work.wait_ratio,
        )
