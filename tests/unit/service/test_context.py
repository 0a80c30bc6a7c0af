"""Whose request it is: taken from headers that are well-formed, made up or left out otherwise."""

import asyncio

import pytest

from service.adapters.http.context import current_origin, enter
from service.domain.job import Origin

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def entered(*headers: tuple[str, str], span: str | None = None) -> Origin:
    raw = [(name.encode(), value.encode()) for name, value in headers]
    origin = enter({"headers": raw}, traceparent=span, new_request_id=lambda: "made")
    assert asyncio.run(current_origin()) is origin
    return origin


@pytest.mark.parametrize(
    ("value", "taken"),
    [
        pytest.param("order-17_a.b", "order-17_a.b", id="an ordinary one"),
        pytest.param("x" * 128, "x" * 128, id="a long one"),
        pytest.param("x" * 129, "made", id="too long"),
        pytest.param("", "made", id="empty"),
        pytest.param("two words", "made", id="with a blank"),
        pytest.param("a\nb", "made", id="with a line break"),
        pytest.param("grüße", "made", id="beyond ASCII"),
    ],
)
def test_a_request_id(value: str, taken: str) -> None:
    assert entered(("x-request-id", value)) == Origin(request_id=taken)


def test_a_user_id_is_taken_or_left_out() -> None:
    assert entered(("x-user-id", "anna")).user_id == "anna"
    assert entered(("x-user-id", "anna smith")).user_id is None


@pytest.mark.parametrize(
    ("value", "trace_id"),
    [
        pytest.param(TRACEPARENT, "4bf92f3577b34da6a3ce929d0e0e4736", id="a valid one"),
        pytest.param(TRACEPARENT.upper(), None, id="in capitals"),
        pytest.param(TRACEPARENT[:-1], None, id="cut off"),
        pytest.param(f"00-{'0' * 32}-00f067aa0ba902b7-01", None, id="with an empty trace"),
        pytest.param(f"00-{'a' * 32}-{'0' * 16}-01", None, id="with an empty span"),
    ],
)
def test_a_traceparent(value: str, trace_id: str | None) -> None:
    assert entered(("traceparent", value)).trace_id == trace_id


def test_the_span_around_the_request_wins_over_the_clients() -> None:
    own = f"00-{'b' * 32}-{'c' * 16}-01"
    assert entered(("traceparent", TRACEPARENT), span=own).traceparent == own
