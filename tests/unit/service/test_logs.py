"""Log lines: secrets are replaced, and each is one JSON object that fits into a pipe at once."""

import json
import subprocess
import sys
from textwrap import dedent

import pytest
import structlog

from service.adapters.logs import REDACTED, job_context, redact
from service.domain.job import Lease, LeasedJob, Origin


@pytest.mark.parametrize(
    "key",
    [
        "authorization",
        "Authorization",
        "Proxy-Authorization",
        "cookie",
        "set-cookie",
        "password",
        "db_passwd",
        "client_secret",
        "access_token",
        "X-Api-Key",
        "apikey",
        "private-key",
        "aws_credentials",
    ],
)
def test_the_value_of_a_key_that_names_a_secret_is_replaced(key: str) -> None:
    assert redact(None, "info", {key: "PLANTED", "event": "x"}) == {key: REDACTED, "event": "x"}


def test_secrets_are_found_at_any_depth() -> None:
    event = {"request": {"headers": [{"name": "a", "token": "PLANTED"}, ("b", {"secret": ["PLANTED"]})]}}
    assert "PLANTED" not in str(redact(None, "info", event))


@pytest.mark.parametrize("key", ["keyboard", "kind", "author", "passed", "job_id"])
def test_other_keys_are_left_alone(key: str) -> None:
    assert redact(None, "info", {key: "value"}) == {key: "value"}


def test_everything_logged_in_a_process_is_one_json_object_a_line() -> None:
    program = """
        import logging, structlog
        from service.adapters import logs

        logs.configure("info")
        log = structlog.get_logger()
        log.info("with_odd_values", path=object, password="PLANTED", text="a\\nb")
        log.debug("too_quiet")
        logging.getLogger("uvicorn.error").warning("of %s", "a library", extra={"token": "PLANTED"})
        logging.getLogger("uvicorn.access").info("of the server, about a request")
        for long in ("a" * 9000, "\\0" * 9000, "\\U0001f600" * 9000, ["a"] * 9000, {"a": 9000 * "b"}):
            log.info("long", path=long, error=long, kind=long, job_id="j1")
        logging.getLogger("x").info("begin" + "\\0" * 9000 + "end")

        def deep(n):
            return 1 / 0 if n == 0 else deep(n - 1)

        for name, level in (("own", log.exception), ("foreign", logging.getLogger("x").exception)):
            try:
                deep(200 if name == "own" else 400)
            except ZeroDivisionError:
                level(name)
    """
    ended = subprocess.run(
        [sys.executable, "-c", dedent(program)], capture_output=True, check=True, timeout=60
    )
    lines = [json.loads(line) for line in ended.stderr.splitlines()]
    *events, foreign_long, own, foreign = (line["event"] for line in lines)
    assert events == ["with_odd_values", "of a library", *["long"] * 5]
    assert (own, foreign) == ("own", "foreign")
    assert foreign_long.startswith("begin")
    assert foreign_long.endswith("end")
    assert all(line["job_id"] == "j1" for line in lines if line["event"] == "long"), "short values stay whole"
    assert all({"level", "timestamp", "process"} <= line.keys() for line in lines)
    assert lines[0]["password"] == REDACTED
    assert lines[1].items() >= {"logger": "uvicorn.error", "level": "warning"}.items()
    assert b"PLANTED" not in ended.stderr
    for line in lines[-2:]:
        assert line["exception"].endswith("ZeroDivisionError: division by zero")
    # POSIX writes up to PIPE_BUF = 4096 bytes in one piece, so lines of several processes do not mix.
    assert max(len(line) for line in ended.stderr.splitlines(keepends=True)) <= 4096


def test_the_lines_of_a_job_name_it_and_its_origin_and_only_while_it_runs() -> None:
    job = LeasedJob(
        lease=Lease("j1", "me", 2),
        kind="sleep",
        params={},
        origin=Origin(request_id="r1"),
        submitted_at=0,
        available_at=0,
        started_at=0,
    )
    with job_context(job):
        bound = structlog.contextvars.get_contextvars()
    assert bound == {"job_id": "j1", "kind": "sleep", "request_id": "r1"}
    assert structlog.contextvars.get_contextvars() == {}
