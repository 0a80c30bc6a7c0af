from __future__ import annotations

import pytest

from sloproof.analysis.samples import Phase
from sloproof.load import rpc
from sloproof.load.arrivals import Arrival
from sloproof.load.clocks import Zero
from sloproof.load.protocol import Failed, PhaseFacts, Progress, ProtocolError, Ready, RunPhase, StopPhase
from tests.invention import facts

MESSAGES: list[rpc.Message] = [
    rpc.Hello(number=None, pid=7, machine="b", boot="0c1d", version="1", locustfile="ab"),
    rpc.Ask(1.5),
    rpc.Answer(1.5, 2.5),
    rpc.Refused("all seats are taken"),
    rpc.Enlist(config={"users": 4}, users=2, index=1, of=2, zero=Zero(clock_s=1.0, unix_s=2.0)),
    rpc.Enlisted(),
    rpc.Armed(100),
    rpc.Begin(0.25),
    rpc.HandOver(),
    rpc.Rows(),
    rpc.HandedOver({"V.a": "GET /a"}),
    Ready(pid=7, tasks=("V.a",), epoch_unix_s=1.5),
    Progress(phase=Phase.LOAD, planned=9, sent=5, completed=4, bad=1, elapsed_s=0.5),
    facts(start_lag_p99_s=float("inf"), wait_ratio=None),
    Failed("x.py:3: no tasks", wrong_input=True),
    RunPhase(phase=Phase.LOAD, arrival=Arrival.POISSON, rate=3.0, duration_s=7.0, seed=1),
    StopPhase(),
]


def test_every_kind_of_message_is_among_these() -> None:
    assert {type(message) for message in MESSAGES} == set(rpc.KINDS.values())
    assert PhaseFacts in rpc.NAMES


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: rpc.NAMES[type(message)])
def test_a_message_and_its_bytes_survive_the_way(message: rpc.Message) -> None:
    assert rpc.unpack(rpc.pack(message, b"\x00\xff")) == (message, b"\x00\xff")


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"line": "no json", "rows": b""},
        {"line": '["dance", {}]', "rows": b""},
        {"line": '["ask", {"asked_s": "soon"}]', "rows": b""},
        {"line": '["ask", {"asked_s": 1.5}]'},
    ],
    ids=["nothing", "no_json", "an_unknown_kind", "a_wrong_type", "no_bytes"],
)
def test_what_is_no_message_is_refused(data: dict[str, object]) -> None:
    with pytest.raises(ProtocolError, match="cannot read a message between the generator's processes"):
        rpc.unpack(data)


@pytest.mark.parametrize("length", [0, 1, rpc.PIECE_BYTES, 2 * rpc.PIECE_BYTES + 1])
def test_bytes_are_cut_into_pieces_that_make_them_again(length: int) -> None:
    whole = bytes(range(256)) * (length // 256) + b"\x07" * (length % 256)
    cut = list(rpc.pieces(whole))
    assert b"".join(cut) == whole
    assert all(len(piece) <= rpc.PIECE_BYTES for piece in cut)
