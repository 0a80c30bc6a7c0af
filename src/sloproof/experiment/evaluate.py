"""What one trial's files say: counts per objective and observer, integrity, and whether to believe them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from sloproof.analysis.percentiles import QUANTILES, RARE_QUANTILES, percentiles
from sloproof.analysis.results import Integrity, TrialPercentile, TrialResult
from sloproof.analysis.samples import Outcome, Phase
from sloproof.analysis.scored import Scored
from sloproof.analysis.timeline import Overlay
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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evaluated:
    """A trial's result, and what was read and worked out for it that not it alone is made of.

    ``percentiles`` are those of the result, and the rare ones.
    """

    result: TrialResult
    scored: Scored
    gain: Scrape | None
    overlay: Overlay
    percentiles: tuple[TrialPercentile, ...]


def evaluate_trial(
    folder: TrialFolder, record: TrialRecord, definition: Definition, *, proxied: bool
) -> TrialResult:
    """Return everything that a trial's raw data say about the objectives. As `evaluate`."""
    return evaluate(folder, record, definition, proxied=proxied).result


def evaluate(folder: TrialFolder, record: TrialRecord, definition: Definition, *, proxied: bool) -> Evaluated:
    """Read a trial's raw data, and return what they say about the objectives with what else is told of them.

    `proxied`: a port proxy stands before the subject, and takes connections in its place.

    Raises:
        OSError, ValueError: a file of the trial is missing or broken.

    """
    samples, jobs, gain = folder.samples(), folder.jobs(), folder.gain()
    requests = definition.metrics.requests
    integrity = _integrity(samples.select(phase=Phase.DRAIN), jobs, record.stop, proxied=proxied)
    scored = Scored.of(samples, jobs)
    del samples, jobs  # what is left to tell is told of the copy that is by endpoint
    observed = Observed(scored=scored, gain=gain, reading=folder.reading(), requests=requests)
    overlay = Overlay.of(scored.requests)
    found = tuple(_percentiles(scored, definition))
    problems = [*generator_problems(record.generator)]
    if gain is not None:
        counted = server.endpoint_counts(gain, requests=requests)
        problems += _count_problems(scored, counted)
    result = TrialResult(
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
        percentiles=tuple(each for each in found if each.q in QUANTILES),
        integrity=integrity,
        requests_by_worker={} if gain is None else _by_worker(gain),
        subject_pressure=None if record.pressure is None else record.pressure.figures(),
        subject_cpu_s=gain.total(PROCESS_CPU) if gain is not None and gain.has(PROCESS_CPU) else None,
        subject_build={} if gain is None else _build(gain),
        timelines=overlay.timelines(),
        files=tuple(sorted(file.name for file in folder.path.iterdir() if _is_evidence(file))),
        scrapes=scrapes(observed.reading),
        spent=observed.spent(),
        rate_per_s=record.rate_per_s,
    )
    return Evaluated(result=result, scored=scored, gain=gain, overlay=overlay, percentiles=found)


def _percentiles(scored: Scored, definition: Definition) -> Iterator[TrialPercentile]:
    """Yield those that the trial has requests enough for: of each endpoint, then of what clients see end."""
    latencies_s = {endpoint: requests.latency_s for endpoint, requests in scored.requests.items()}
    if any(_is_of_jobs(objective.indicator) for objective in definition.objectives):
        latencies_s[JOB_COMPLETED] = scored.jobs.latency_s
    for about, latency_s in latencies_s.items():
        for q, value_s in percentiles(latency_s, (*QUANTILES, *RARE_QUANTILES)).items():
            if value_s is not None:
                yield TrialPercentile(about=about, q=q, value_s=value_s)


def _is_of_jobs(indicator: Indicator) -> bool:
    return isinstance(indicator, EventLatency) and indicator.event == JOB_COMPLETED


def _is_evidence(file: Path) -> bool:
    """Return whether the trial left a file: pages are made of it, and dots mark what is half written."""
    return file.is_file() and file.suffix != ".html" and not file.name.startswith(".")


def _count_problems(scored: Scored, counted: dict[str, int]) -> Iterator[str]:
    """Yield each endpoint whose counts contradict each other.

    The subject must have counted every request that was answered, and none that was never sent; it may or may
    not have counted those that the clients gave up on. A subject without such a metric contradicts nobody.
    """
    if not counted:
        return
    for endpoint, each in scored.requests.items():
        sent = np.count_nonzero(~np.isnan(each.start_s) & (each.outcome != Outcome.REFUSED))
        answered = np.count_nonzero(each.answered)
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


def _build(gain: Scrape) -> dict[str, str]:
    """Return what the subject says it is, in an order of its own: labels have none, and differ each time."""
    return dict(sorted(next((labels for labels, _ in gain.select(BUILD_INFO)), {}).items()))


def _by_worker(gain: Scrape) -> dict[str, int]:
    served = {labels.get(PID_LABEL, ""): round(value) for labels, value in gain.select(WORKER_REQUESTS)}
    return dict(sorted(served.items(), key=lambda item: -item[1]))
