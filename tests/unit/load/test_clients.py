from __future__ import annotations

import errno
import socket
from contextlib import closing

import pytest

from sloproof.load.clients import OneTryClients, connected


class Unconnectable:
    """A socket whose peer resets it before the connection stands, which no server does on demand."""

    def connect(self, address: object) -> None:
        raise ConnectionResetError(errno.ECONNRESET, f"reset by {address}")


def test_a_reset_before_the_connection_stands_is_a_refusal() -> None:
    with pytest.raises(ConnectionRefusedError, match="reset before it was connected"):
        connected(Unconnectable(), ("127.0.0.1", 1))


def test_a_socket_that_connects_is_given_back() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server, closing(socket.socket()) as client:
        assert connected(client, server.getsockname()) is client
        assert client.getpeername() == server.getsockname()


def test_every_client_of_the_pool_connects_that_way() -> None:
    client = OneTryClients(()).get_client("http://127.0.0.1:1/")

    assert client._connection_pool._connect_socket is connected
