"""A task and Locust's listeners can't tell the generator's session from Locust's own, nor can the subject."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TWINS = Path(__file__).parent / "twins.py"
LEAST_CASES = 70


@pytest.fixture(scope="module")
def twins() -> dict[str, list[dict[str, Any]]]:
    ended = subprocess.run(
        [sys.executable, str(TWINS)], capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 0, ended.stderr
    cases: dict[str, list[dict[str, Any]]] = json.loads(ended.stdout)
    return cases


@pytest.mark.parametrize("side", ["server", "connections", "events", "task"])
def test_whatever_is_sent_and_answered_both_sessions_do_the_same(
    side: str, twins: dict[str, list[dict[str, Any]]]
) -> None:
    assert len(twins) >= LEAST_CASES
    original = {case: found[side] for case, (found, _) in twins.items()}
    assert {case: found[side] for case, (_, found) in twins.items()} == original


def test_usual_requests_do_not_fall_back_on_the_original(twins: dict[str, list[dict[str, Any]]]) -> None:
    quick = {
        case for case, (_, found) in twins.items() if found["kind"] in {"PlainResponse", "CaughtResponse"}
    }
    fell_back = twins.keys() - quick
    answered = {"json", "latin", "typeless", "empty", "created", "unknown", "busy", "broken", "large", "late"}
    assert {f"get /{path}" for path in answered} <= quick
    assert {"caught", "headers", "query", "text", "own type", "PUT with and without a body"} <= quick
    assert {"get /chunked", "get /redirect", "get /nothing", "head", "form", "params"} <= fell_back


def test_the_cases_are_what_they_are_meant_to_be(twins: dict[str, list[dict[str, Any]]]) -> None:
    assert [event["status"] for event in twins["get /busy"][1]["events"]] == [429]
    assert [line[0] for line in twins["get /redirect"][1]["server"]] == [
        "GET /redirect HTTP/1.1\r\n",
        "GET /json HTTP/1.1\r\n",
    ]
    assert "cookie: session=1\r\n" in twins["cookie kept"][1]["server"][2]
    assert twins["get /late"][1]["task"]["body"][0] == len('{"text": "Gr__e", "number": 1}') + 2
    assert [event["status"] for event in twins["left while idle"][1]["events"]] == [200, 200]
    assert twins["left while idle"][1]["connections"] == 2
    assert "LookupError" in twins["caught and raised"][1]["task"]
    assert twins["get /cut"][1]["events"][0]["status"] == 200
