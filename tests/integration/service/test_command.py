"""The command line: mistakes are named one a line with exit status 2, never a traceback."""

import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.integration.service.harness import ROOT, environment

PORT_OUT_OF_RANGE = (
    "SERVICE_PORT: '70000' is not accepted; give a port from 1 to 65535, or 0 for any that is free"
)


def run(*options: str, folder: Path, **settings: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "service", *options],
        cwd=folder,
        env={**environment(**settings), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("options", "settings", "lines"),
    [
        pytest.param(
            ["--workers", "many"],
            {},
            ["--workers: 'many' is not accepted; give a whole number from 1 to 64"],
            id="an option that is no number",
        ),
        pytest.param(
            ["--server", "gunicorn"],
            {},
            ["--server: 'gunicorn' is not accepted; give uvicorn or hypercorn"],
            id="a server that is not known",
        ),
        pytest.param(
            [],
            {"port": 70000, "lease_s": 0},
            [
                PORT_OUT_OF_RANGE,
                "SERVICE_LEASE_S: '0' is not accepted; give seconds from 0.3 to 3600",
            ],
            id="two variables out of range, both named",
        ),
        pytest.param(
            [],
            {"workres": 4},
            ["SERVICE_WORKRES: unknown setting, did you mean SERVICE_WORKERS?"],
            id="a variable with a typing error",
        ),
        pytest.param(
            ["--database", "nowhere/jobs.db"],
            {},
            ["--database: there is no folder 'nowhere'; give the path of a file in an existing folder"],
            id="a database in no folder",
        ),
    ],
)
def test_wrong_options_and_settings_are_named(
    tmp_path: Path, options: list[str], settings: dict[str, object], lines: list[str]
) -> None:
    ended = run(*options, folder=tmp_path, **settings)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.splitlines() == lines


def test_an_unknown_option_is_named(tmp_path: Path) -> None:
    ended = run("--wrokers", "4", folder=tmp_path)
    assert ended.returncode == 2
    assert ended.stderr.splitlines()[-1] == "python -m service: error: unrecognized arguments: --wrokers 4"


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        ended = run("--port", str(port), folder=tmp_path)
    assert ended.returncode == 1
    assert ended.stderr.splitlines() == [
        f"cannot listen on 127.0.0.1:{port}: Address already in use; choose another --host or --port"
    ]


def test_a_host_that_is_not_of_this_machine_is_named(tmp_path: Path) -> None:
    ended = run("--host", "no.such.host.invalid", "--port", "0", folder=tmp_path)
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith("cannot listen on no.such.host.invalid:0: ")
