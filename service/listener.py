"""The listening socket of the service: how it is opened, and how it is closed without resetting anybody."""

import asyncio
import ctypes
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress

BACKLOG = 2048

_REFUSAL = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\n"
    b"Content-Type: application/json\r\nContent-Length: 37\r\n\r\n"
    b'{"detail":"the service is shut down"}'
)
_FAREWELL_S = 1.0
_HANDSHAKE_S = 0.05
_SO_ATTACH_FILTER = 26  # asm-generic/socket.h; the socket module has no name for it
_DROP_SYN = (  # classic BPF: code, jump if true, jump if false, operand
    (0x30, 0, 0, 13),  # load the byte with the TCP flags
    (0x54, 0, 0, 0x02),  # keep SYN
    (0x15, 0, 1, 0),  # go on if it is not set, else skip one
    (0x06, 0, 0, 0xFFFF),  # let the packet pass
    (0x06, 0, 0, 0),  # drop it
)


def open_listener(host: str, port: int) -> socket.socket:
    """Listen on the address. Raise OSError where that is not possible."""
    family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    # Given the protocol, asyncio and uvloop set TCP_NODELAY; without it answers wait 40 ms for an ACK.
    listener = socket.socket(family, kind, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    listener.setblocking(False)  # noqa: FBT003  # the argument's only name is its position
    return listener


async def close_listener(listener: socket.socket) -> int:
    """Answer 503 to the connections that no worker accepted, then close; return how many they were.

    The kernel completes connections on its own. Those still in the queue when the last copy of the socket
    is closed would be reset, so first it is kept from beginning any more.
    """
    _ignore_new_connections(listener)
    await asyncio.sleep(_HANDSHAKE_S)
    farewells = [asyncio.create_task(_refuse(connection)) for connection in _accept_all(listener)]
    listener.close()
    if farewells:
        await asyncio.wait(farewells)
    return len(farewells)


def _ignore_new_connections(listener: socket.socket) -> None:
    """Have the kernel drop SYNs to the listener: the client repeats its own after a second, and is refused.

    Where the kernel cannot, a connection completed in the moment before the socket is closed is reset.
    Source: Linux, Documentation/networking/filter.rst.
    """
    if sys.platform != "linux":
        return
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in _DROP_SYN))
    program = struct.pack("HP", len(_DROP_SYN), ctypes.addressof(code))
    with suppress(OSError):
        listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)


def _accept_all(listener: socket.socket) -> Iterator[socket.socket]:
    while True:
        try:
            connection, _ = listener.accept()
        except BlockingIOError:
            return
        connection.setblocking(False)  # noqa: FBT003  # as above
        yield connection


async def _refuse(connection: socket.socket) -> None:
    """Answer, then read to the client's end: closed with unread bytes, it would be reset before it reads."""
    loop = asyncio.get_running_loop()
    with connection, suppress(OSError, TimeoutError):  # the client left, or never does
        async with asyncio.timeout(_FAREWELL_S):
            await loop.sock_sendall(connection, _REFUSAL)
            connection.shutdown(socket.SHUT_WR)
            while await loop.sock_recv(connection, 65536):
                pass
