"""The generator's process: what it refuses, how it ends, and that its parent can rely on both."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sloproof.load.process import LoadError, LoadInputError
from sloproof.load.protocol import Audit, LoadConfig, ProtocolError
from sloproof.load.selfcheck import generator_problems
from tests.integration.load.harness import order

if TYPE_CHECKING:
    from tests.integration.load.harness import RunningSubject, StartLoad, WriteLocustfile

HANG = "@task\ndef hang(self):\n    self.client.get('/hang')\n"
OK = "@task\ndef ok(self):\n    self.client.get('/status/200')\n"
DEADLINE_S = 30
LOAD = order(rate=300, duration_s=4)
ORPHAN = """
import sys, time
from pathlib import Path
from sloproof.analysis.samples import Phase
from sloproof.load.arrivals import Arrival
from sloproof.load.process import LoadProcess
from sloproof.load.protocol import LoadConfig, RunPhase
locustfile, host, output = sys.argv[1:]
process = LoadProcess(LoadConfig(locustfile=Path(locustfile), host=host, output=Path(output)))
process.begin_phase(RunPhase(phase=Phase.LOAD, arrival=Arrival.CONSTANT, rate=10, duration_s=100, seed=1))
print(process.pid, flush=True)
time.sleep(600)
"""


def is_gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"  # dead, and orphaned to somebody who does not reap


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        pytest.param("def (:\n", ":1:5: ", "invalid syntax", id="syntax_error"),
        pytest.param("x = 1\nraise ValueError('no')\n", ":2: ", "ValueError: no", id="fails_on_import"),
        pytest.param("import nowhere\n", ":1: ", "No module named 'nowhere'", id="missing_module"),
        pytest.param("x = 1\n", ": ", "no user class; define one", id="no_user_class"),
        pytest.param(
            "from locust import HttpUser, task\nclass A(HttpUser):\n    @task\n    def a(self): pass\n",
            ":2: A ",
            "is no FastHttpUser; derive it from",
            id="another_client",
        ),
        pytest.param(
            "from locust import HttpUser\nA = type('A', (HttpUser,), {})\n",
            ": A ",
            "is no FastHttpUser; derive it from",
            id="a_class_without_lines",
        ),
        pytest.param(
            "from locust import FastHttpUser\n\nclass A(FastHttpUser):\n    pass\n",
            ":3: A ",
            "has no tasks; mark its methods with @task",
            id="no_tasks",
        ),
        pytest.param(
            "from locust import FastHttpUser, TaskSet, task\nclass A(FastHttpUser):\n    @task\n"
            "    class Browse(TaskSet):\n        @task\n        def a(self): pass\n",
            ":2: A ",
            "move the @task methods of Browse to A",
            id="nested_task_set",
        ),
        pytest.param(
            "from locust import FastHttpUser, task\nclass A(FastHttpUser):\n    fixed_count = 3\n"
            "    @task\n    def a(self): pass\n",
            ":2: A ",
            "set weight",
            id="fixed_count",
        ),
        pytest.param(
            "from locust import FastHttpUser, task\nclass A(FastHttpUser):\n"
            "    def on_start(self): raise LookupError('no key')\n    @task\n    def a(self): pass\n",
            ": ",
            "a user did not start: LookupError('no key')",
            id="fails_on_start",
        ),
        pytest.param(
            "from locust import FastHttpUser, task\n"
            "class A(FastHttpUser):\n    @task\n    def a(self): pass\n"
            "class B(FastHttpUser):\n    @task\n    def b(self): pass\n",
            ": ",
            "1 users are too few for A, B",
            id="fewer_users_than_classes",
        ),
    ],
)
def test_a_locust_file_that_cannot_be_run_is_refused_with_its_place(
    text: str, line: str, message: str, load: StartLoad, tmp_path: Path
) -> None:
    path = tmp_path / "bad.py"
    path.write_text(text)
    with pytest.raises(LoadInputError) as error:
        load(path, "http://127.0.0.1:1", users=1)
    assert str(error.value).startswith(f"{path}{line}")
    assert message in str(error.value)
    assert "Traceback" not in str(error.value)


def test_a_missing_locust_file_is_named(load: StartLoad, tmp_path: Path) -> None:
    with pytest.raises(LoadInputError, match=r"gone\.py: no such file; name a Locust file"):
        load(tmp_path / "gone.py", "http://127.0.0.1:1")


@pytest.mark.parametrize("path", ["http://example.com/", "/redirect"], ids=["absolute", "by_redirect"])
def test_a_task_cannot_send_load_to_a_host_that_was_not_allowed(
    path: str, subject: RunningSubject, locustfile: WriteLocustfile, load: StartLoad, tmp_path: Path
) -> None:
    process = load(locustfile(f"@task\ndef stray(self):\n    self.client.get({path!r})\n"), subject.host)
    facts = process.phase(order(rate=5))
    assert (facts.completed, facts.bad) == (5, 5)
    assert (tmp_path / "load" / "load.log").read_text().count("ProtocolError: host 'example.com'") == 5


def test_an_audit_of_a_host_that_was_not_allowed_is_refused(
    subject: RunningSubject, locustfile: WriteLocustfile, load: StartLoad
) -> None:
    process = load(locustfile(OK), subject.host)
    with pytest.raises(LoadInputError, match="is not this machine"):
        process.audit(Audit(host="http://example.com"))


def test_what_a_locust_file_prints_goes_to_the_log_and_not_among_the_events(
    subject: RunningSubject, locustfile: WriteLocustfile, load: StartLoad, tmp_path: Path
) -> None:
    process = load(locustfile("@task\ndef chat(self):\n    print('hello', flush=True)\n"), subject.host)
    process.phase(order(rate=5))
    process.finish()
    assert (tmp_path / "load" / "load.log").read_text().count("hello") == 5


def test_a_finished_generator_has_exited_with_0_and_left_whole_files_only(
    subject: RunningSubject, locustfile: WriteLocustfile, load: StartLoad, tmp_path: Path
) -> None:
    process = load(locustfile(OK), subject.host)
    process.finish()
    assert process._child.returncode == 0
    names = {path.name for path in (tmp_path / "load").iterdir()}
    assert names == {"load.json", "load.log", "samples.parquet", "jobs.parquet"}


def test_a_wrong_configuration_ends_the_generator_with_status_2_and_its_reason(tmp_path: Path) -> None:
    path = tmp_path / "load.json"
    path.write_text('{"locustfile": "x.py", "host": "http://example.com", "output": "."}')
    ended = subprocess.run(
        [sys.executable, "-m", "sloproof.load", str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 2
    assert "'example.com' is not this machine" in ended.stdout


@pytest.mark.parametrize("end", ["sigterm", "killed", "parent_killed"])
def test_a_generator_is_gone_at_once_in_the_middle_of_a_phase(
    end: str,
    subject: RunningSubject,
    locustfile: WriteLocustfile,
    load: StartLoad,
    tmp_path: Path,
) -> None:
    if end == "parent_killed":
        parent = subprocess.Popen(
            [sys.executable, "-c", ORPHAN, str(locustfile(HANG)), subject.host, str(tmp_path / "load")],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
        parent.wait()
        parent.stdout.close()
        deadline = time.monotonic() + DEADLINE_S
        while not is_gone(pid):
            assert time.monotonic() < deadline
            time.sleep(0.02)
    else:
        process = load(locustfile(HANG), subject.host)
        process.begin_phase(LOAD)
        if end == "killed":
            process.kill()
        else:
            os.kill(process.pid, signal.SIGTERM)
            with pytest.raises(LoadError, match="ended with status 143"):
                process.wait_phase(timeout_s=DEADLINE_S)
        assert process._child.poll() is not None
    assert not list((tmp_path / "load").glob("*.parquet*"))


def test_a_phase_that_takes_longer_than_the_caller_waits_can_be_waited_for_again(
    subject: RunningSubject, locustfile: WriteLocustfile, load: StartLoad
) -> None:
    process = load(locustfile(OK), subject.host)
    process.begin_phase(order(rate=50))
    with pytest.raises(LoadError, match="'phase_ended' within 0 s"):
        process.wait_phase(timeout_s=0)
    assert process.wait_phase(timeout_s=60).completed == 50


def test_a_second_phase_may_not_begin_before_the_first_has_ended(
    subject: RunningSubject, locustfile: WriteLocustfile, load: StartLoad
) -> None:
    process = load(locustfile(HANG), subject.host)
    process.begin_phase(LOAD)
    process.begin_phase(LOAD)
    with pytest.raises(LoadError, match="came before the previous command was done"):
        process.wait_phase(timeout_s=DEADLINE_S)


def test_a_generator_that_was_stopped_for_300_ms_is_found_to_have_been_late(
    subject: RunningSubject, locustfile: WriteLocustfile, load: StartLoad
) -> None:
    process = load(locustfile(OK), subject.host)
    stopped: list[bool] = []

    def stop_once(_: object) -> None:
        if not stopped:
            os.kill(process.pid, signal.SIGSTOP)
            time.sleep(0.3)
            os.kill(process.pid, signal.SIGCONT)
            stopped.append(True)

    facts = process.phase(LOAD, on_progress=stop_once)
    assert facts.scheduled == facts.completed == 1200
    assert facts.dispatch_lag_max_s >= 0.25
    assert any("was late" in problem for problem in generator_problems(facts))
    # In a phase of a minute the p99 would be none the worse for it.
    in_a_long_phase = generator_problems(facts, dispatch_lag_p99_limit_s=math.inf, wait_limit_ratio=1)
    assert ["stood still" in problem for problem in in_a_long_phase] == [True]


def test_what_is_asked_of_a_generator_that_is_gone_says_so(
    subject: RunningSubject, locustfile: WriteLocustfile, load: StartLoad
) -> None:
    process = load(locustfile(OK), subject.host)
    os.kill(process.pid, signal.SIGKILL)
    process._child.wait()
    with pytest.raises(LoadError, match="ended with status -9") as error:
        process.phase(LOAD)
    assert not isinstance(error.value, LoadInputError)
    process.kill()


def test_what_a_locust_file_started_is_killed_although_the_generator_has_ended_before(
    subject: RunningSubject, load: StartLoad, tmp_path: Path
) -> None:
    path, pid_file = tmp_path / "parental.py", tmp_path / "pid"
    path.write_text(
        "import subprocess, sys\n"
        "from pathlib import Path\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"Path({str(pid_file)!r}).write_text(str(child.pid))\n"
        "from locust import FastHttpUser, task\n"
        "class Visitor(FastHttpUser):\n"
        "    @task\n"
        "    def ok(self): self.client.get('/status/200')\n"
    )
    process = load(path, subject.host)
    os.kill(process.pid, signal.SIGKILL)
    process._child.wait()
    process.kill()
    deadline = time.monotonic() + DEADLINE_S
    while not is_gone(int(pid_file.read_text())):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_neither_load_nor_audit_goes_through_a_proxy_that_the_environment_names(
    subject: RunningSubject, locustfile: WriteLocustfile, load: StartLoad, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")  # where nobody listens
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    process = load(
        locustfile("@task\ndef submit(self):\n    self.client.post('/jobs', json={})\n"), subject.host
    )
    facts = process.phase(order(rate=5))
    assert (facts.completed, facts.bad) == (5, 0)
    assert process.audit(Audit(host=subject.host)).ended == 5


def test_a_configuration_that_could_harm_others_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(ProtocolError, match="load on it must be allowed by name in allow_hosts"):
        LoadConfig(locustfile=tmp_path, host="http://192.0.2.1", output=tmp_path)
