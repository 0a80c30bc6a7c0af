"""What one trial's files say: counts per objective and observer, integrity, and whether to believe them."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

from sloproof.analysis.results import Integrity, Observation, TrialResult
from sloproof.analysis.samples import Outcome, Phase
from sloproof.load.selfcheck import generator_problems
from sloproof.observe import client, server
from sloproof.observe.conventions import BUILD_INFO, PID_LABEL, PROCESS_CPU, WORKER_REQUESTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sloproof.analysis.jobs import Jobs
    from sloproof.analysis.samples import Samples
    from sloproof.experiment.record import Stop, TrialRecord
    from sloproof.experiment.runfolder import TrialFolder
    from sloproof.observe.scrape import Scrape
    from sloproof.slo.definition import Definition

UNAVAILABLE = 503


def evaluate_trial(folder: TrialFolder, record: TrialRecord, definition: Definition) -> TrialResult:
    """Return everything that a trial's raw data say about the objectives.

    Raises:
        OSError, ValueError: a file of the trial is missing or broken.

    """
    samples, jobs, gain = folder.samples(), folder.jobs(), folder.gain()
    requests = definition.metrics.requests
    return TrialResult(
        folder=record.folder,
        block=record.block,
        configuration=record.configuration,
        repeat=record.repeat,
        started_at=record.started_at,
        seconds={part.value: seconds for part, seconds in record.seconds.items()},
        problems=(
            *generator_problems(record.generator),
            *_count_problems(
                samples.select(phase=Phase.LOAD), server.endpoint_counts(gain, requests=requests)
            ),
        ),
        generator=asdict(record.generator),
        observations={
            objective.name: Observation(
                client=client.count(objective.indicator, samples, jobs),
                server=server.count(objective.indicator, gain, requests=requests),
            )
            for objective in definition.objectives
        },
        integrity=_integrity(samples.select(phase=Phase.DRAIN), jobs, record.stop),
        requests_by_worker=_by_worker(gain),
        subject_cpu_s=gain.total(PROCESS_CPU) if gain.has(PROCESS_CPU) else None,
        subject_build=next((labels for labels, _ in gain.select(BUILD_INFO)), {}),
    )


def _count_problems(scored: Samples, counted: dict[str, int]) -> Iterator[str]:
    """Yield each endpoint whose counts contradict each other.

    The subject must have counted every request that was answered, and none that was never sent; it may or may
    not have counted those that the clients gave up on. A subject without such a metric contradicts nobody.
    """
    if not counted:
        return
    for endpoint in scored.endpoints:
        mine = scored.select(endpoint=endpoint)
        sent = int((~np.isnan(mine.start_s) & (mine.outcome != Outcome.REFUSED)).sum())
        answered = int(mine.answered.sum())
        if not answered <= (theirs := counted.get(endpoint, 0)) <= sent:
            yield (
                f"{endpoint}: the subject counted {theirs:,} requests, "
                f"the clients sent {sent:,} and had {answered:,} answered"
            )


def _integrity(draining: Samples, jobs: Jobs, stop: Stop) -> Integrity:
    turned_away = (draining.outcome == Outcome.REFUSED) | (
        draining.answered & (draining.status == UNAVAILABLE)
    )
    answered = draining.answered & ~turned_away
    unanswered = len(draining) - int(answered.sum()) - int(turned_away.sum())
    known = jobs.state != ""
    lost, pending, doubled = int((~known).sum()), int((known & ~jobs.ended).sum()), int(jobs.doubled.sum())
    return Integrity(
        accepted=len(jobs),
        ended=int(jobs.ended.sum()),
        failed=int((jobs.ended & ~jobs.succeeded).sum()),
        lost=lost,
        pending=pending,
        doubled=doubled,
        answered=int(answered.sum()),
        refused=int(turned_away.sum()),
        unanswered=unanswered,
        exit_status=stop.exit_status,
        violations=(
            *_stop_violations(stop),
            *([f"{unanswered:,} requests were taken after SIGTERM and never answered"] if unanswered else []),
            *([f"{lost:,} of {len(jobs):,} accepted jobs were lost"] if lost else []),
            *(
                [f"{pending:,} of {len(jobs):,} accepted jobs had not ended after a restart"]
                if pending
                else []
            ),
            *([f"{doubled:,} of {len(jobs):,} accepted jobs ended more than once"] if doubled else []),
        ),
    )


def _stop_violations(stop: Stop) -> Iterator[str]:
    if stop.died_before:
        yield f"the subject ended by itself under load, with status {stop.exit_status}"
    elif stop.exit_status is None:
        yield "the subject did not end after SIGTERM in the time it was given, and was killed"
    elif stop.exit_status != 0:
        yield f"the subject ended with status {stop.exit_status} after SIGTERM"


def _by_worker(gain: Scrape) -> dict[str, int]:
    served = {labels.get(PID_LABEL, ""): round(value) for labels, value in gain.select(WORKER_REQUESTS)}
    return dict(sorted(served.items(), key=lambda item: -item[1]))
