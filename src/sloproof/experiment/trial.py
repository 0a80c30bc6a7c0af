"""Run one trial: start, warm up, load, settle, stop under light load, start again, check the ledger."""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import httpx

from sloproof.analysis.samples import Phase
from sloproof.experiment.plan import derived_seed
from sloproof.experiment.readiness import await_ready, client, fail
from sloproof.experiment.record import Part, Stop, TrialRecord
from sloproof.load.arrivals import Arrival
from sloproof.load.process import LoadProcess
from sloproof.load.protocol import Audit, LoadConfig, RunPhase
from sloproof.load.shapes import CONSTANT
from sloproof.observe.accounts import reading
from sloproof.observe.conventions import JOBS_IN_STATE, STATE_LABEL, UNFINISHED_STATES
from sloproof.observe.pressure import gained
from sloproof.observe.scrape import Scrape, ScrapeError
from sloproof.subject.interrupts import deferred
from sloproof.subject.port import Cell, Instance, SubjectError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sloproof.experiment.plan import PlannedTrial
    from sloproof.experiment.prometheus.watch import Watch
    from sloproof.experiment.runfolder import TrialFolder
    from sloproof.experiment.spec import Experiment
    from sloproof.experiment.traffic import LoadSpec
    from sloproof.load.protocol import PhaseFacts
    from sloproof.load.shapes import Shape
    from sloproof.load.workers import Workers
    from sloproof.observe.pressure import Pressure
    from sloproof.subject.port import Subject

POLL_S = 0.02
SETTLE_WITHIN_S = 10.0
AUDIT_WITHIN_S = 20.0
AUDIT_READS_PER_S = 100.0  # far fewer than any service that could take this load can answer
LAST_ANSWERS_WITHIN_S = 30.0


@dataclass(slots=True, kw_only=True)
class Trial:
    """One trial about to run; `notice` is told of each part as it begins."""

    experiment: Experiment
    planned: PlannedTrial
    attempt: int
    repeat: int
    subject: Subject
    port: int
    folder: TrialFolder
    workers: Workers
    notice: Callable[[Part], None]
    watch: Watch
    seconds: dict[Part, float] = field(default_factory=dict, init=False)

    @property
    def cell(self) -> Cell:
        """Return where the instances of the subject live, one after the other."""
        return Cell(
            factors=self.planned.configuration.factors,
            folder=self.folder.state,
            log=self.folder.log,
            port=self.port,
        )

    @property
    def traffic(self) -> LoadSpec:
        """Return the traffic that the configuration is to take."""
        traffic, rate_per_s = self.experiment.traffic(self.planned.configuration), self.planned.rate_per_s
        return traffic if rate_per_s is None else traffic.at(rate_per_s)

    def run(self) -> TrialRecord:
        """Run the trial and return its facts; its files are in its folder when this returns.

        Raises:
            SubjectError: the subject did not start, did not become ready, or could not be read.
            LoadError: the load generator failed.

        """
        started_at = time.time()
        self.folder.state.mkdir(parents=True)
        cell = self.cell
        with ExitStack() as running:
            with self._part(Part.START):  # the subject boots while the generator does
                self.watch.begin(self.port)
                instance = self._start(running, cell)
                with deferred():
                    load = running.enter_context(LoadProcess(self._load_config(), wait=False))
                load.await_ready()
                await_ready(instance, self.experiment.subject)
            generator, pressure = self._measure(instance, load)
            stop = self._stop(instance, load)
            stop = replace(stop, restart_failure=self._audit(running, cell, load))
            load.finish()
        return TrialRecord(
            folder=self.folder.path.name,
            block=self.planned.block,
            attempt=self.attempt,
            configuration=self.planned.configuration.id,
            repeat=self.repeat,
            seed=self.planned.seed,
            started_at=started_at,
            seconds=self.seconds,
            generator=generator,
            stop=stop,
            pressure=pressure,
            rate_per_s=self.planned.rate_per_s,
        )

    def _measure(self, instance: Instance, load: LoadProcess) -> tuple[PhaseFacts, Pressure]:
        """Warm up and load; counters are read when nothing is under way, so that they gain whole requests."""
        traffic = self.traffic
        with self._part(Part.WARMUP):
            load.phase(self._phase(Phase.WARMUP, traffic.warmup))  # at the rate with which the load begins
        with self._part(Part.SETTLE):
            self._settle(instance, self.folder.metrics_before)
            self.watch.before_load()
        with self._part(Part.LOAD):
            pid = instance.pid
            before = reading(pid)
            generator = load.phase(self._phase(Phase.LOAD, traffic.load_s, traffic.shape.shape()))
            pressure = gained(before, reading(pid))
        with self._part(Part.SETTLE):
            self._settle(instance, self.folder.metrics_after)
            self.watch.after_load()
        return generator, pressure

    def _stop(self, instance: Instance, load: LoadProcess) -> Stop:
        """Send SIGTERM while light traffic goes on, and wait for the end."""
        with self._part(Part.STOP):
            spec, within_s = self.experiment.stop, self.experiment.subject.stop_within
            load.begin_phase(
                RunPhase(
                    phase=Phase.DRAIN,
                    arrival=Arrival.CONSTANT,
                    rate=spec.rate,
                    duration_s=spec.lead + within_s,
                    seed=self.planned.seed,
                )
            )
            time.sleep(spec.lead)
            died_before = instance.exit_status() is not None
            instance.terminate()
            exit_status = instance.wait(within_s)
            ending = instance.ending()
            instance.kill()
            load.stop_phase()
            load.wait_phase(timeout_s=LAST_ANSWERS_WITHIN_S)
            return Stop(died_before=died_before, exit_status=exit_status, ending=ending)

    def _audit(self, running: ExitStack, cell: Cell, load: LoadProcess) -> str | None:
        """Read every accepted job back from a fresh start on the same store: what counts is what was kept.

        Return why that start failed, if it did: the subject's doing, and no reason to lose the trial.
        """
        try:
            with self._part(Part.RESTART):
                again = self._start(running, cell)
                await_ready(again, self.experiment.subject)
        except SubjectError as error:
            return str(error)
        with self._part(Part.AUDIT):
            most_jobs = self.traffic.requests
            load.audit(Audit(host=again.url, deadline_s=AUDIT_WITHIN_S + most_jobs / AUDIT_READS_PER_S))
        return None

    def _start(self, running: ExitStack, cell: Cell) -> Instance:
        with deferred():
            return running.enter_context(self.subject.start(cell))

    @contextmanager
    def _part(self, part: Part) -> Iterator[None]:
        self.notice(part)
        began = time.monotonic()
        yield
        self.seconds[part] = self.seconds.get(part, 0.0) + time.monotonic() - began

    def _load_config(self) -> LoadConfig:
        traffic, host = self.traffic, self.workers.subject_host
        return LoadConfig(
            locustfile=traffic.locustfile,
            host=f"http://{host}:{self.port}",
            output=self.folder.path,
            users=traffic.users,
            seed=self.planned.seed,
            timeout_s=traffic.timeout,
            allow_hosts=(host,),  # whoever named it as the subject's has allowed it
            workers=self.workers,
        )

    def _phase(self, phase: Phase, duration_s: float, shape: Shape = CONSTANT) -> RunPhase:
        # Warm-up and load draw different arrivals from the block's one seed.
        traffic = self.traffic
        return RunPhase(
            phase=phase,
            arrival=traffic.law,
            rate=traffic.rate,
            duration_s=duration_s,
            drain_s=traffic.timeout,  # no answer is given up before its own time is over
            seed=derived_seed(self.planned.seed, phase),
            shape=shape,
        )

    def _settle(self, instance: Instance, target: Path) -> None:
        """Wait until no job is queued or running, and keep the scrape that says so.

        A subject without jobs has nothing to wait for. One whose jobs do not end in time is scraped as it is:
        its ledger will show it. One that has died, or does not answer, leaves no scrape.
        """
        deadline = time.monotonic() + SETTLE_WITHIN_S
        with client(instance, timeout_s=SETTLE_WITHIN_S) as http:
            while True:
                try:
                    text = http.get(self.experiment.subject.metrics).raise_for_status().text
                    scrape = Scrape.parse(text)
                except httpx.TransportError:
                    return
                except (httpx.HTTPStatusError, ScrapeError) as error:
                    fail(instance, f"gives no metrics at {self.experiment.subject.metrics}: {error}")
                if not _unfinished_jobs(scrape) or time.monotonic() > deadline:
                    break
                time.sleep(POLL_S)
        target.write_text(text)


def _unfinished_jobs(scrape: Scrape) -> float:
    return scrape.total(JOBS_IN_STATE, **{STATE_LABEL: UNFINISHED_STATES.__contains__})
