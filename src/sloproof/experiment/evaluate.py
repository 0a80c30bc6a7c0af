"""What one trial's files say: counts per objective and observer, integrity, and whether to believe them."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

from sloproof.analysis.results import Integrity, Observation, TrialResult
from sloproof.analysis.samples import Outcome, Phase
from sloproof.analysis.timeline import timelines
from sloproof.load.selfcheck import generator_problems
from sloproof.observe import client, server
from sloproof.observe.conventions import BUILD_INFO, PID_LABEL, PROCESS_CPU, WORKER_REQUESTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from sloproof.analysis.jobs import Jobs
    from sloproof.analysis.samples import Samples
    from sloproof.experiment.record import Stop, TrialRecord
    from sloproof.experiment.runfolder import TrialFolder
    from sloproof.observe.scrape import Scrape
    from sloproof.slo.definition import Definition

UNAVAILABLE = 503


def evaluate_trial(
    folder: TrialFolder, record: TrialRecord, definition: Definition, *, proxied: bool
) -> TrialResult:
    """Return everything that a trial's raw data say about the objectives.

    `proxied`: a port proxy stands before the subject, and takes connections in its place.

    Raises:
        OSError, ValueError: a file of the trial is missing or broken.

    """
    samples, jobs, gain = folder.samples(), folder.jobs(), folder.gain()
    requests = definition.metrics.requests
    problems = [*generator_problems(record.generator)]
    if gain is not None:
        counted = server.endpoint_counts(gain, requests=requests)
        problems += _count_problems(samples.select(phase=Phase.LOAD), counted)
    return TrialResult(
        folder=record.folder,
        block=record.block,
        configuration=record.configuration,
        repeat=record.repeat,
        started_at=record.started_at,
        seconds={part.value: seconds for part, seconds in record.seconds.items()},
        valid=not problems,
        problems=tuple(problems),
        generator=asdict(record.generator),
        observations={
            objective.name: Observation(
                client=client.count(objective.indicator, samples, jobs),
                server=None if gain is None else server.count(objective.indicator, gain, requests=requests),
            )
            for objective in definition.objectives
        },
        integrity=_integrity(samples.select(phase=Phase.DRAIN), jobs, record.stop, proxied=proxied),
        requests_by_worker={} if gain is None else _by_worker(gain),
        subject_cpu_s=gain.total(PROCESS_CPU) if gain is not None and gain.has(PROCESS_CPU) else None,
        subject_build={} if gain is None else next((labels for labels, _ in gain.select(BUILD_INFO)), {}),
        timelines=timelines([samples]),
        files=tuple(sorted(file.name for file in folder.path.iterdir() if _is_evidence(file))),
        rate_per_s=record.rate_per_s,
    )


def _is_evidence(file: Path) -> bool:
    """Return whether the trial left a file: pages are made of it, and dots mark what is half written."""
    return file.is_file() and file.suffix != ".html" and not file.name.startswith(".")


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


def _integrity(draining: Samples, jobs: Jobs, stop: Stop, *, proxied: bool) -> Integrity:
    sent = ~np.isnan(draining.start_s)
    turned_away = (draining.outcome == Outcome.REFUSED) | (
        draining.answered & (draining.status == UNAVAILABLE)
    )
    if proxied:
        turned_away |= _hung_up_by_proxy(draining)
    answered = draining.answered & ~turned_away
    unanswered = int((sent & ~answered & ~turned_away).sum())
    audited = stop.restart_failure is None
    lost, pending = (int(rows.sum()) if audited else 0 for rows in (jobs.lost, jobs.pending))
    doubled = int(jobs.doubled.sum())
    breaches = {
        f"{unanswered:,} requests around SIGTERM were taken and never answered": unanswered,
        f"{lost:,} of {len(jobs):,} accepted jobs were lost": lost,
        f"{pending:,} of {len(jobs):,} accepted jobs had not ended after a restart": pending,
        f"{doubled:,} of {len(jobs):,} accepted jobs ended more than once": doubled,
    }
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
        violations=(*_stop_violations(stop), *(words for words, count in breaches.items() if count)),
    )


def _hung_up_by_proxy(draining: Samples) -> NDArray[np.bool_]:
    """Return which requests a port proxy accepted and, finding no listener behind it, hung up on.

    To a client that is the same as a subject that drops what it took. They are told apart by the listener,
    which closes once: what began before the last request that was answered had found it open.
    """
    began_last = draining.start_s[draining.answered].max(initial=-np.inf)
    return np.asarray((draining.outcome == Outcome.RESET) & (draining.start_s > began_last))


def _stop_violations(stop: Stop) -> Iterator[str]:
    if stop.died_before:
        because = f" ({stop.ending})" if stop.ending else ""
        yield f"the subject ended by itself under load, with status {stop.exit_status}{because}"
    elif stop.exit_status is None:
        yield "the subject did not end after SIGTERM in the time it was given, and was killed"
    elif stop.exit_status != 0:
        yield f"the subject ended with status {stop.exit_status} after SIGTERM"
    if stop.restart_failure is not None:
        yield f"it did not come up again on its own store: {stop.restart_failure.splitlines()[0]}"


def _by_worker(gain: Scrape) -> dict[str, int]:
    served = {labels.get(PID_LABEL, ""): round(value) for labels, value in gain.select(WORKER_REQUESTS)}
    return dict(sorted(served.items(), key=lambda item: -item[1]))
