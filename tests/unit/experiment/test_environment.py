from __future__ import annotations

import json
import platform
import socket
from getpass import getuser
from pathlib import Path

from sloproof.experiment.environment import environment
from sloproof.experiment.resume import differences


def test_a_machine_is_as_it_was_a_moment_ago() -> None:
    before, after = environment(Path.cwd()), environment(Path.cwd())

    assert list(differences(json.loads(json.dumps(before)), after)) == []


def test_it_says_what_may_change_a_measurement(tmp_path: Path) -> None:
    facts = environment(tmp_path)

    assert facts["limits"].keys() == {"cpus", "memory_bytes"}  # type: ignore[attr-defined]
    assert isinstance(facts["container"], bool)
    assert {"governor", "boost", "clock_source", "uptime_s"} <= facts.keys()
    assert facts["commit"] is None  # of a folder that is in no repository


def test_it_names_no_person_and_no_host(tmp_path: Path) -> None:
    facts = environment(tmp_path)

    texts = [str(value) for name, value in facts.items() if name != "kernel"]  # its release is the vendor's
    assert platform.release() in str(facts["kernel"])
    assert socket.gethostname() not in texts
    assert getuser() not in texts
