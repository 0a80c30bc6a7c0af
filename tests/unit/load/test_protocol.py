from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sloproof.analysis.samples import Phase
from sloproof.load.arrivals import Arrival
from sloproof.load.protocol import (
    Audit,
    AuditFacts,
    Failed,
    Finish,
    Finished,
    LoadConfig,
    PhaseFacts,
    Progress,
    ProtocolError,
    Ready,
    RunPhase,
    StopPhase,
    check_host,
    encode,
    parse_command,
    parse_config,
    parse_event,
)
from sloproof.load.shapes import Diurnal, Ramp, Replay, Spike, Step, Steps

if TYPE_CHECKING:
    from sloproof.load.protocol import Command, Event

PHASE = {"phase": Phase.LOAD, "arrival": Arrival.POISSON, "rate": 300.0, "duration_s": 7.0, "seed": 11}
CONFIG = {"locustfile": Path("locustfile.py"), "host": "http://127.0.0.1:8000", "output": Path("out")}
COMMANDS: list[Command] = [
    RunPhase(**PHASE),  # type: ignore[arg-type]
    *(
        RunPhase(**PHASE, shape=shape)  # type: ignore[arg-type]
        for shape in (
            Ramp(to_per_s=9, over_s=2),
            Steps(steps=(Step(at_s=1, to_per_s=9), Step(at_s=2, to_per_s=3))),
            Spike(to_per_s=9, at_s=1, for_s=2),
            Diurnal(to_per_s=9, period_s=2),
            Replay(file=Path("arrivals.txt"), speed=2),
        )
    ),
    StopPhase(),
    Audit(host="http://127.0.0.1:8000"),
    Finish(),
]
EVENTS: list[Event] = [
    Ready(pid=7, tasks=("A.a", "A.b"), epoch_unix_s=1.5),
    Progress(phase=Phase.WARMUP, planned=9, sent=5, completed=4, bad=1, elapsed_s=0.5),
    PhaseFacts(
        phase=Phase.DRAIN,
        scheduled=10,
        sent=10,
        completed=9,
        bad=1,
        queued=2,
        backlog_at_start=0,
        backlog_max=2,
        unfinished=1,
        elapsed_s=1.0,
        dispatch_lag_p50_s=0.001,
        dispatch_lag_p99_s=0.002,
        dispatch_lag_max_s=0.003,
        start_lag_p99_s=math.inf,
        cpu_ratio=0.1,
        wait_ratio=None,
    ),
    AuditFacts(accepted=3, ended=1, failed=0, lost=1, doubled=0, pending=1, lost_locations=("/jobs/1",)),
    Finished(),
    Failed(message="two\nlines and “quotes”"),
    Failed(message="x.py:3: no tasks", wrong_input=True),
]


def kind(message: object) -> str:
    return type(message).__name__


@pytest.mark.parametrize("command", COMMANDS, ids=kind)
def test_a_command_survives_the_way_to_the_generator(command: Command) -> None:
    line = encode(command)
    assert line.count("\n") == 1
    assert parse_command(line) == command


@pytest.mark.parametrize("event", EVENTS, ids=kind)
def test_an_event_survives_the_way_to_the_parent(event: Event) -> None:
    line = encode(event)
    assert line.count("\n") == 1
    assert parse_event(line) == event


def test_a_configuration_survives_its_file() -> None:
    config = LoadConfig(**CONFIG, users=9, timeout_s=1.5, allow_hosts=("staging",))  # type: ignore[arg-type]
    assert parse_config(encode(config)) == config


@pytest.mark.parametrize(
    "line",
    ["", "no json", "[]", "3", '{"command": "dance"}', '{"event": "ready"}', '{"command": ["phase"]}'],
    ids=["empty", "no_json", "a_list", "a_number", "unknown", "not_a_command", "not_a_word"],
)
def test_what_is_no_command_is_refused_with_the_commands_there_are(line: str) -> None:
    with pytest.raises(ProtocolError, match="'command' is one of phase, stop_phase, audit, finish"):
        parse_command(line)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        pytest.param({"rate": 0}, "must be more than 0", id="no_rate"),
        pytest.param({"rate": math.nan}, "must be more than 0", id="rate_is_no_number"),
        pytest.param({"duration_s": -1}, "must be more than 0", id="negative_duration"),
        pytest.param({"drain_s": -1}, "must be more than 0", id="negative_drain"),
        pytest.param({"rate": 0.1, "duration_s": 1}, "a phase has 1 to 2,000,000", id="no_arrival"),
        pytest.param({"rate": 1e6, "duration_s": 3}, "3e+06 arrivals", id="too_many_arrivals"),
        pytest.param(
            {"shape": {"kind": "ramp", "to_per_s": 0}}, "of a shape is more than 0", id="a_ramp_to_nothing"
        ),
        pytest.param(
            {"shape": {"kind": "spike", "to_per_s": 1e7, "at_s": 1, "for_s": 2}},
            "2.00015e+07 arrivals; a phase has 1 to 2,000,000",
            id="too_high_a_spike",
        ),
        pytest.param(
            {"shape": {"kind": "zigzag"}}, "shape: Input tag 'zigzag' found", id="a_shape_there_is_not"
        ),
        pytest.param({"phase": "lunch"}, "phase: Input should be 'warmup', 'load' or 'drain'", id="phase"),
        pytest.param({"rate": "fast"}, "rate: Input should be a valid number", id="rate_is_a_word"),
    ],
)
def test_a_phase_that_makes_no_sense_is_refused_in_words(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(ProtocolError) as error:
        parse_command(json.dumps({"command": "phase", **PHASE, **changed}))
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        pytest.param({"users": 0}, "users is 0; a pool has 1 to 900", id="no_users"),
        pytest.param({"users": 901}, "a pool has 1 to 900", id="too_many_users"),
        pytest.param({"timeout_s": 0}, "timeout_s is 0; it must be more than 0 seconds", id="no_time"),
        pytest.param({"host": "127.0.0.1:80"}, "write it like http://127.0.0.1:8000", id="no_scheme"),
        pytest.param({"host": "ftp://127.0.0.1"}, "write it like http://127.0.0.1:8000", id="no_http"),
        pytest.param({"host": "http://prod"}, "must be allowed by name in allow_hosts", id="another_host"),
    ],
)
def test_a_configuration_that_makes_no_sense_or_could_do_harm_is_refused(
    changed: dict[str, Any], message: str
) -> None:
    with pytest.raises(ProtocolError) as error:
        LoadConfig(**{**CONFIG, **changed})
    assert message in str(error.value)


@pytest.mark.parametrize(
    "host", ["http://127.0.0.1:1", "http://localhost", "https://[::1]:8443/base", "http://STAGING"]
)
def test_this_machine_and_hosts_allowed_by_name_may_be_loaded(host: str) -> None:
    check_host(host, ("staging",))


@pytest.mark.parametrize(
    "host",
    ["http://127.0.0.1.example.com", "http://localhost@example.com", "http://10.0.0.1", "http://0.0.0.0"],
)
def test_what_only_looks_like_this_machine_may_not(host: str) -> None:
    with pytest.raises(ProtocolError):
        check_host(host, ("staging",))


def test_an_audit_needs_time_and_hands() -> None:
    with pytest.raises(ProtocolError, match="both must be above 0"):
        Audit(host="http://127.0.0.1", concurrency=0)
    with pytest.raises(ProtocolError, match="both must be above 0"):
        Audit(host="http://127.0.0.1", deadline_s=0)
