"""How the listener is closed: who was connected is told, who was not is not reset."""

import asyncio
import ctypes
import socket
import struct
from contextlib import closing
from typing import get_args

import pytest

from service.listener import _ignore_new_connections, close_listener, open_listener
from service.servers.loop import ListenerLoop, LoopName, loop_factory


def may_filter() -> bool:
    """Say whether this process may filter its own sockets, which some containers forbid."""
    accept_all = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0xFFFF))
    with socket.socket() as probe:
        try:
            probe.setsockopt(socket.SOL_SOCKET, 26, struct.pack("HP", 1, ctypes.addressof(accept_all)))
        except OSError:
            return False
    return True


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


filters = pytest.mark.skipif(not may_filter(), reason="this process may not filter its own sockets")
ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 loopback")


def exchange(client: socket.socket) -> bytes:
    client.settimeout(30)
    client.sendall(b"POST /jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
    answer = b""
    with closing(client):
        while received := client.recv(4096):
            answer += received
    return answer


def test_connections_that_nobody_accepted_are_answered_503_and_later_ones_refused() -> None:
    listener = open_listener("127.0.0.1", 0)
    address = listener.getsockname()
    clients = [socket.create_connection(address) for _ in range(20)]

    async def close() -> tuple[int, list[bytes]]:
        answers = [asyncio.to_thread(exchange, client) for client in clients]
        refused, *answered = await asyncio.gather(close_listener(listener), *answers)
        assert isinstance(refused, int)
        return refused, [answer for answer in answered if isinstance(answer, bytes)]

    refused, answers = asyncio.run(close())
    assert refused == 20
    for answer in answers:
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
        assert b"Retry-After: 1" in head
        assert b"Connection: close" in head
        assert f"Content-Length: {len(body)}".encode() in head
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)


def test_a_client_that_stays_does_not_hold_up_the_end() -> None:
    listener = open_listener("127.0.0.1", 0)
    with closing(socket.create_connection(listener.getsockname())):
        assert asyncio.run(close_listener(listener)) == 1


@filters
def test_a_connection_begun_at_the_very_end_is_not_completed_and_those_before_are() -> None:
    with closing(open_listener("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
        with closing(socket.create_connection(address)) as early:
            _ignore_new_connections(listener)
            with pytest.raises(TimeoutError):
                socket.create_connection(address, timeout=0.2)
            accepted, _ = listener.accept()
            with closing(accepted):
                early.sendall(b"still heard")
                assert accepted.recv(100) == b"still heard"


@filters
def test_while_the_listener_is_closed_no_new_connection_is_completed() -> None:
    async def scenario() -> int:
        listener = open_listener("127.0.0.1", 0)
        address = listener.getsockname()
        closing_ = asyncio.create_task(close_listener(listener))
        await asyncio.sleep(0)  # it has begun, and goes on only when this scenario waits again
        with pytest.raises(TimeoutError):
            socket.create_connection(address, timeout=0.05)
        return await closing_

    assert asyncio.run(scenario()) == 0


def test_the_listener_is_tcp_by_name_so_that_nagle_is_switched_off() -> None:
    with closing(open_listener("127.0.0.1", 0)) as listener:
        assert listener.proto == socket.IPPROTO_TCP


@ipv6
def test_an_ipv6_address_is_listened_on_too() -> None:
    with closing(open_listener("::1", 0)) as listener:
        socket.create_connection(listener.getsockname()[:2]).close()


@pytest.mark.parametrize("name", get_args(LoopName))
def test_a_loop_that_stopped_listening_still_serves_the_connections_it_has(name: LoopName) -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readexactly(5))
        writer.close()

    async def scenario() -> bytes:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, ListenerLoop)
        assert not loop.listening.is_set()
        server = await asyncio.start_server(echo, sock=open_listener("127.0.0.1", 0))
        assert loop.listening.is_set()
        address = server.sockets[0].getsockname()
        reader, writer = await asyncio.open_connection(*address)
        loop.stop_listening()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(*address)
        writer.write(b"hello")
        answer = await reader.read()
        writer.close()
        return answer

    with asyncio.Runner(loop_factory=loop_factory(name)) as runner:
        assert runner.run(scenario()) == b"hello"
