"""What one trial's files say: counts per objective and observer, integrity, and whether to believe them."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

from sloproof.analysis.percentiles import QUANTILES, percentile
from sloproof.analysis.results import Integrity, TrialPercentile, TrialResult
from sloproof.analysis.samples import Outcome, Phase
from sloproof.analysis.timeline import timelines
from sloproof.experiment.observations import Observed
from sloproof.experiment.prometheus.reading import scrapes
from sloproof.load.selfcheck import generator_problems
from sloproof.observe import server
from sloproof.observe.conventions import BUILD_INFO, JOB_COMPLETED, PID_LABEL, PROCESS_CPU, WORKER_REQUESTS
from sloproof.slo.definition import EventLatency

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from sloproof.analysis.jobs import Jobs
    from sloproof.analysis.samples import Samples
    from sloproof.experiment.record import Stop, TrialRecord
    from sloproof.experiment.runfolder import TrialFolder
    from sloproof.observe.scrape import Scrape
    from sloproof.slo.definition import Definition, Indicator

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
    observed = Observed(samples=samples, jobs=jobs, gain=gain, reading=folder.reading(), requests=requests)
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
        observations=observed.observations(definition),
        percentiles=tuple(_percentiles(samples.select(phase=Phase.LOAD), jobs, definition)),
        integrity=_integrity(samples.select(phase=Phase.DRAIN), jobs, record.stop, proxied=proxied),
        requests_by_worker={} if gain is None else _by_worker(gain),
        subject_pressure=None if record.pressure is None else record.pressure.figures(),
        subject_cpu_s=gain.total(PROCESS_CPU) if gain is not None and gain.has(PROCESS_CPU) else None,
        subject_build={} if gain is None else next((labels for labels, _ in gain.select(BUILD_INFO)), {}),
        timelines=timelines([samples]),
        files=tuple(sorted(file.name for file in folder.path.iterdir() if _is_evidence(file))),
        scrapes=scrapes(observed.reading),
        spent=observed.spent(),
        rate_per_s=record.rate_per_s,
    )


def _percentiles(scored: Samples, jobs: Jobs, definition: Definition) -> Iterator[TrialPercentile]:
    """Yield those that the trial has requests enough for: of each endpoint, then of what clients see end."""
    latencies_s = {each: scored.select(endpoint=each).latency_s for each in scored.endpoints}
    if any(_is_of_jobs(objective.indicator) for objective in definition.objectives):
        latencies_s[JOB_COMPLETED] = jobs.select(phase=Phase.LOAD).latency_s
    for about, latency_s in latencies_s.items():
        for q in QUANTILES:
            if (value_s := percentile(latency_s, q)) is not None:
                yield TrialPercentile(about=about, q=q, value_s=value_s)


def _is_of_jobs(indicator: Indicator) -> bool:
    return isinstance(indicator, EventLatency) and indicator.event == JOB_COMPLETED


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
    sent = scored.endpoint.count(~np.isnan(scored.start_s) & (scored.outcome != Outcome.REFUSED))
    answered = scored.endpoint.count(scored.answered)
    for endpoint in scored.endpoints:
        if not answered[endpoint] <= (theirs := counted.get(endpoint, 0)) <= sent[endpoint]:
            yield (
                f"{endpoint}: the subject counted {theirs:,} requests, "
                f"the clients sent {sent[endpoint]:,} and had {answered[endpoint]:,} answered"
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
