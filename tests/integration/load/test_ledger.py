"""Every accepted job is entered into the ledger and asked after until it has ended or is known to be lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from sloproof.load.files import read_jobs, read_samples
from sloproof.load.protocol import Audit
from tests.integration.load.harness import order

if TYPE_CHECKING:
    from pathlib import Path

    from sloproof.load.process import LoadProcess
    from tests.integration.load.harness import RunningSubject, StartLoad, WriteLocustfile

FATES = ("succeeded", "failed", "doubled", "lost", "pending")
EACH = 4


@pytest.fixture
def submitted(subject: RunningSubject, locustfile: WriteLocustfile, load: StartLoad) -> LoadProcess:
    tasks = [
        f"@task\ndef {fate}(self):\n    self.client.post('/jobs', json={{'fate': '{fate}'}}, name='{fate}')\n"
        for fate in FATES
    ]
    process = load(locustfile("".join(tasks)), subject.host)
    count = EACH * len(FATES)
    facts = process.phase(order(rate=count))
    assert facts.completed == count
    assert facts.bad == 0
    return process


def test_the_audit_finds_what_was_lost_doubled_failed_or_never_ended(
    submitted: LoadProcess, subject: RunningSubject, tmp_path: Path
) -> None:
    facts = submitted.audit(Audit(host=subject.host, deadline_s=1))
    submitted.finish()
    assert (facts.accepted, facts.ended, facts.failed) == (5 * EACH, 3 * EACH, EACH)
    assert (facts.doubled, facts.lost, facts.pending) == (EACH, EACH, EACH)
    table = pq.read_table(tmp_path / "load" / "jobs.parquet").to_pydict()
    assert set(facts.lost_locations) == {
        location for location, found in zip(table["location"], table["found"], strict=True) if not found
    }
    jobs = read_jobs(tmp_path / "load")
    assert int(jobs.ended.sum()) == 3 * EACH
    assert int(jobs.doubled.sum()) == EACH


def test_a_jobs_acceptance_counts_from_the_intended_start_on_the_wall_clock(
    submitted: LoadProcess, tmp_path: Path
) -> None:
    submitted.finish()
    samples, jobs = read_samples(tmp_path / "load"), read_jobs(tmp_path / "load")
    starts = sorted((samples.intended_s + submitted.ready.epoch_unix_s).tolist())
    assert sorted(jobs.intended_at_s.tolist()) == pytest.approx(starts, rel=0, abs=1e-5)
    metadata = pq.read_schema(tmp_path / "load" / "samples.parquet").metadata
    assert float(metadata[b"epoch_unix_s"]) == submitted.ready.epoch_unix_s


def test_an_audit_that_reaches_nobody_leaves_every_job_pending(
    submitted: LoadProcess, tmp_path: Path
) -> None:
    facts = submitted.audit(Audit(host="http://127.0.0.1:1", deadline_s=0.5))
    submitted.finish()
    assert (facts.accepted, facts.ended, facts.lost, facts.pending) == (5 * EACH, 0, 0, 5 * EACH)
    assert set(pq.read_table(tmp_path / "load" / "jobs.parquet")["found"].to_pylist()) == {None}


def test_an_audit_without_time_for_every_job_leaves_the_rest_pending_and_takes_none_for_lost(
    subject: RunningSubject, locustfile: WriteLocustfile, load: StartLoad, tmp_path: Path
) -> None:
    process = load(
        locustfile("@task\ndef submit(self):\n    self.client.post('/jobs', json={})\n"), subject.host
    )
    accepted = process.phase(order(rate=400, duration_s=5)).completed
    before = subject.connections()
    facts = process.audit(Audit(host=subject.host, concurrency=4, deadline_s=0.02))
    assert subject.connections() - before <= 4
    assert (facts.accepted, facts.lost) == (accepted, 0)
    assert facts.pending > 0
    assert process.audit(Audit(host=subject.host, concurrency=4, deadline_s=60)).ended == accepted
    process.finish()
    assert not read_jobs(tmp_path / "load").pending.any()


def test_an_answer_that_never_ends_does_not_hold_the_audit_up(
    subject: RunningSubject, locustfile: WriteLocustfile, load: StartLoad
) -> None:
    task = "@task\ndef submit(self):\n    self.client.post('/jobs', json={'fate': 'dripping'})\n"
    process = load(locustfile(task), subject.host)
    process.phase(order(rate=5))
    assert process.audit(Audit(host=subject.host, deadline_s=0.5)).pending == 5


def test_a_subject_that_accepts_no_jobs_has_an_empty_ledger(
    subject: RunningSubject, locustfile: WriteLocustfile, load: StartLoad, tmp_path: Path
) -> None:
    process = load(locustfile("@task\ndef ok(self):\n    self.client.get('/status/202')\n"), subject.host)
    process.phase(order(rate=10))
    facts = process.audit(Audit(host=subject.host))
    process.finish()
    assert (facts.accepted, facts.pending) == (0, 0)
    assert len(read_jobs(tmp_path / "load")) == 0
