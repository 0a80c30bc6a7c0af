"""Several generator processes: to the subject and in the files they are one, and none is lost unnoticed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sloproof.analysis.samples import Phase
from sloproof.load.arrivals import Arrival, plan
from sloproof.load.files import read_jobs, read_samples
from sloproof.load.process import LoadError, LoadInputError
from sloproof.load.protocol import Audit
from sloproof.load.selfcheck import generator_problems, quantile
from sloproof.load.workers import Workers
from tests.integration.load.harness import order

if TYPE_CHECKING:
    from sloproof.load.process import LoadProcess
    from sloproof.load.protocol import Progress
    from tests.integration.load.harness import RunningSubject, StartLoad, WriteLocustfile

DEADLINE_S = 30
SEED = 4
OK = "@task\ndef ok(self):\n    self.client.get('/status/200')\n"
MIX = """
    @task(3)
    def often(self):
        self.client.get("/status/200", name="/often")

    @task
    def submit(self):
        self.client.post("/jobs", json={})
"""
TASKS = ("GET /often", "POST /jobs")
ORPHAN = """
import sys, time
from pathlib import Path
from sloproof.analysis.samples import Phase
from sloproof.load.arrivals import Arrival
from sloproof.load.process import LoadProcess
from sloproof.load.protocol import LoadConfig, RunPhase
from sloproof.load.workers import Workers
locustfile, host, output = sys.argv[1:]
config = LoadConfig(locustfile=Path(locustfile), host=host, output=Path(output), workers=Workers(local=2))
process = LoadProcess(config)
process.begin_phase(RunPhase(phase=Phase.LOAD, arrival=Arrival.CONSTANT, rate=10, duration_s=100, seed=1))
print(process.pid, flush=True)
time.sleep(600)
"""


def group_of(leader: int) -> set[int]:
    """Return the processes that a generator has started, itself included, which are alive."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, group = stat.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(group) == leader and state != "Z":
            found.add(int(stat.parent.name))
    return found


def workers_of(process: LoadProcess, count: int) -> list[int]:
    workers = sorted(group_of(process.pid) - {process.pid})
    assert len(workers) == count
    return workers


def await_end_of(leader: int) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while left := group_of(leader):
        assert time.monotonic() < deadline, f"left running: {left}"
        time.sleep(0.02)


@pytest.mark.parametrize("workers", [2, 4])
def test_several_workers_send_the_plan_of_one_each_arrival_once_and_at_its_time(
    workers: int, subject: RunningSubject, locustfile: WriteLocustfile, load: StartLoad, tmp_path: Path
) -> None:
    process = load(locustfile(MIX), subject.host, users=18, workers=Workers(local=workers))
    warm_up = process.phase(order(phase=Phase.WARMUP, rate=50))
    facts = process.phase(order(arrival=Arrival.POISSON, rate=100, duration_s=2, seed=7))
    connections = subject.connections()
    audit = process.audit(Audit(host=subject.host))
    process.finish()

    assert process._child.returncode == 0
    assert (facts.scheduled, facts.sent, facts.completed, facts.unfinished, facts.bad) == (
        200,
        200,
        200,
        0,
        0,
    )
    assert [each.scheduled for each in facts.workers] == [200 // workers] * workers
    assert len({each.pid for each in facts.workers} - {process.pid}) == workers
    assert [each.clock_error_s for each in facts.workers] == [0.0] * workers
    seen = subject.seen()
    submitted = round(warm_up.sent / 4) + 50
    assert (seen["GET /status/200"], seen["POST /jobs"]) == (warm_up.sent + 200 - submitted, submitted)
    assert connections == 18

    samples = read_samples(tmp_path / "load")
    assert len(samples) == 250
    assert (np.diff(samples.intended_s) >= 0).all()
    scored = samples.select(phase=Phase.LOAD)
    whole = plan(Arrival.POISSON, rate=100, duration_s=2, weights=[3, 1], seed=7)
    assert scored.intended_s - scored.intended_s[0] == pytest.approx(whole.offsets_s - whole.offsets_s[0])
    assert scored.endpoint.tolist() == [TASKS[task] for task in whole.tasks]
    assert facts.dispatch_lag_p99_s == quantile(scored.dispatch_lag_s, 0.99)
    assert facts.start_lag_p99_s == quantile(scored.start_lag_s, 0.99)
    jobs = read_jobs(tmp_path / "load")
    assert audit.accepted == audit.ended == len(jobs) == submitted
    assert jobs.ended.all()


def test_each_worker_has_users_of_every_class(
    subject: RunningSubject, load: StartLoad, tmp_path: Path
) -> None:
    path = tmp_path / "two.py"
    path.write_text(
        "from locust import FastHttpUser, task\n"
        "class Reader(FastHttpUser):\n"
        "    @task\n"
        "    def read(self): self.client.get('/status/200')\n"
        "class Writer(FastHttpUser):\n"
        "    @task\n"
        "    def write(self): self.client.post('/status/201')\n"
    )
    process = load(path, subject.host, users=8, workers=Workers(local=2))
    facts = process.phase(order(rate=100))
    assert facts.completed == 100
    assert subject.seen() == {"GET /status/200": 50, "POST /status/201": 50}


def test_progress_is_that_of_all_and_a_phase_can_be_stopped(
    subject: RunningSubject, locustfile: WriteLocustfile, load: StartLoad
) -> None:
    process = load(locustfile(OK), subject.host, workers=Workers(local=2))
    seen: list[Progress] = []

    def stop_at_the_third_report(progress: Progress) -> None:
        seen.append(progress)
        if len(seen) == 3:
            process.stop_phase()

    process.begin_phase(order(rate=100, duration_s=600))
    facts = process.wait_phase(timeout_s=120, on_progress=stop_at_the_third_report)
    assert seen[0].sent < seen[2].sent <= facts.sent < seen[0].planned == 60_000
    assert facts.scheduled == facts.sent == facts.completed
    assert subject.seen() == {"GET /status/200": facts.sent}


def test_a_phase_that_is_stopped_before_it_began_sends_nothing(
    subject: RunningSubject, locustfile: WriteLocustfile, load: StartLoad
) -> None:
    process = load(locustfile(OK), subject.host, workers=Workers(local=2))
    process.begin_phase(order(duration_s=600))
    process.stop_phase()
    facts = process.wait_phase(timeout_s=60)
    assert facts.scheduled == facts.sent == sum(subject.seen().values())
    assert facts.scheduled < 100


def test_a_request_that_its_worker_never_began_is_named_after_what_another_knows(
    subject: RunningSubject, locustfile: WriteLocustfile, load: StartLoad, tmp_path: Path
) -> None:
    methods = """
        @task
        def one(self):
            self.client.get("/hang", name="/one")

        @task
        def other(self):
            self.client.get("/hang", name="/other")
    """
    process = load(locustfile(methods), subject.host, users=2, timeout_s=60, workers=Workers(local=2))
    planned = plan(Arrival.CONSTANT, rate=4, duration_s=1, weights=[1, 1], seed=SEED).tasks.tolist()
    assert planned in ([0, 1, 1, 0], [1, 0, 0, 1])  # each worker begins one task, and never the other
    facts = process.phase(order(rate=4, drain_s=0.2, seed=SEED))
    process.finish()
    assert (facts.scheduled, facts.sent, facts.unfinished, facts.queued) == (4, 2, 4, 2)
    names = ("GET /one", "GET /other")
    assert read_samples(tmp_path / "load").endpoint.tolist() == [names[task] for task in planned]


def test_locusts_own_statistics_on_the_master_count_what_all_workers_sent(
    subject: RunningSubject, load: StartLoad, tmp_path: Path
) -> None:
    path = tmp_path / "listening.py"
    path.write_text(
        "import json, os\n"
        "from pathlib import Path\n"
        "from locust import FastHttpUser, events, task\n"
        "@events.test_stop.add_listener\n"
        "def write(environment, **_):\n"
        "    stats = environment.stats.get('/status/200', 'GET')\n"
        "    heard = {'runner': type(environment.runner).__name__, 'host': environment.host,\n"
        "             'count': stats.num_requests}\n"
        f"    path = Path({str(tmp_path)!r}) / f'heard-{{os.getpid()}}.json'\n"
        "    path.write_text(json.dumps(heard))\n"
        "class Visitor(FastHttpUser):\n"
        "    @task\n"
        "    def ok(self): self.client.get('/status/200')\n"
    )
    process = load(path, subject.host, workers=Workers(local=2))
    process.phase(order(rate=100))
    process.finish()
    heard = [json.loads(file.read_text()) for file in tmp_path.glob("heard-*.json")]
    assert sorted(heard, key=lambda each: each["runner"]) == [
        {"runner": "MasterRunner", "host": subject.host, "count": 100},
        {"runner": "WorkerRunner", "host": subject.host, "count": 0},  # it has passed them on
        {"runner": "WorkerRunner", "host": subject.host, "count": 0},
    ]


def test_a_worker_that_is_killed_ends_the_load_with_its_name_and_leaves_nothing(
    subject: RunningSubject, locustfile: WriteLocustfile, load: StartLoad, tmp_path: Path
) -> None:
    process = load(locustfile(OK), subject.host, workers=Workers(local=2))
    victim = workers_of(process, 2)[1]

    def kill_it(_: Progress) -> None:
        with suppress(ProcessLookupError):  # it is dead already
            os.kill(victim, signal.SIGKILL)

    process.begin_phase(order(rate=50, duration_s=100))
    with pytest.raises(LoadError, match=r"load worker \d of 2 ended with status -9; its share would"):
        process.wait_phase(timeout_s=DEADLINE_S, on_progress=kill_it)
    process._child.wait(DEADLINE_S)
    await_end_of(process.pid)  # before anybody kills the rest
    assert not list((tmp_path / "load").glob("*.parquet*"))


def test_a_worker_that_is_killed_between_phases_is_missed_when_the_next_begins(
    subject: RunningSubject, locustfile: WriteLocustfile, load: StartLoad
) -> None:
    process = load(locustfile(OK), subject.host, workers=Workers(local=2))
    process.phase(order(rate=10))
    os.kill(workers_of(process, 2)[0], signal.SIGKILL)
    with pytest.raises(LoadError, match="ended with status -9"):
        process.phase(order(rate=10))


def test_workers_end_with_a_master_that_is_killed(
    subject: RunningSubject, locustfile: WriteLocustfile, load: StartLoad
) -> None:
    process = load(locustfile(OK), subject.host, workers=Workers(local=2))
    process.begin_phase(order(rate=50, duration_s=100))
    workers_of(process, 2)
    os.kill(process.pid, signal.SIGKILL)
    process._child.wait(DEADLINE_S)
    await_end_of(process.pid)


def test_workers_end_with_a_parent_that_is_killed(
    subject: RunningSubject, locustfile: WriteLocustfile, tmp_path: Path
) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", ORPHAN, str(locustfile(OK)), subject.host, str(tmp_path / "load")],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    leader = int(parent.stdout.readline())
    assert len(group_of(leader)) == 3
    parent.kill()
    parent.wait()
    parent.stdout.close()
    await_end_of(leader)


def test_one_worker_that_was_stopped_for_300_ms_makes_the_whole_late(
    subject: RunningSubject, locustfile: WriteLocustfile, load: StartLoad
) -> None:
    process = load(locustfile(OK), subject.host, workers=Workers(local=2))
    victim = workers_of(process, 2)[0]
    stopped: list[int] = []

    def stop_once(_: Progress) -> None:
        if not stopped:
            os.kill(victim, signal.SIGSTOP)
            time.sleep(0.3)
            os.kill(victim, signal.SIGCONT)
            stopped.append(victim)

    process.begin_phase(order(rate=200, duration_s=3))
    facts = process.wait_phase(timeout_s=60, on_progress=stop_once)
    late = next(each for each in facts.workers if each.pid == victim)
    assert (facts.scheduled, facts.sent) == (600, 600)
    assert facts.dispatch_lag_max_s > 0.2
    assert late.dispatch_lag_p99_s > 0.2
    assert "the generator was late" in " ".join(generator_problems(facts))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("def (:\n", ":1:5: invalid syntax", id="that_no_process_can_read"),
        pytest.param(
            "from locust import FastHttpUser, task\n"
            "class A(FastHttpUser):\n"
            "    def on_start(self): raise LookupError('no key')\n"
            "    @task\n"
            "    def a(self): pass\n",
            ": a user did not start: LookupError('no key') (load worker ",
            id="whose_users_do_not_start",
        ),
        pytest.param(
            "from locust import FastHttpUser, task\n"
            "class A(FastHttpUser):\n    @task\n    def a(self): pass\n"
            "class B(FastHttpUser):\n    @task\n    def b(self): pass\n",
            ": 3 users are too few for A, B in 2 workers: each worker needs one of each",
            id="with_a_class_too_many",
        ),
    ],
)
def test_a_locust_file_is_refused_with_its_place(
    text: str, message: str, load: StartLoad, tmp_path: Path
) -> None:
    path = tmp_path / "bad.py"
    path.write_text(text)
    with pytest.raises(LoadInputError) as error:
        load(path, "http://127.0.0.1:1", users=3, workers=Workers(local=2))
    assert str(error.value).startswith(f"{path}{message}")


def test_a_port_that_is_taken_is_named(
    load: StartLoad, locustfile: WriteLocustfile, subject: RunningSubject
) -> None:
    port = int(subject.host.rpartition(":")[2])
    with pytest.raises(LoadError, match=f"cannot listen at 127.0.0.1:{port}"):
        load(locustfile(OK), subject.host, workers=Workers(local=2, bind_port=port))
