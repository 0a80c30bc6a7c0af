"""A connection that a session keeps from request to request; it knows bytes, and where plain answers end."""

from __future__ import annotations

import errno
import select
from typing import TYPE_CHECKING, TypeAlias

from gevent import monkey
from geventhttpclient.response import HTTPSocketPoolResponse
from locust.contrib.fasthttp import FAILURE_EXCEPTIONS

from sloproof.load.answers import PLAIN

if TYPE_CHECKING:
    import re

    from gevent.socket import socket as Socket  # noqa: N812 - it is a class
    from geventhttpclient.client import HTTPClient

    Plain: TypeAlias = tuple[bytes, re.Match[bytes]]

BLOCK = 16_384
LARGE_BLOCK = 1_048_576
poll = monkey.get_original("select", "poll")


class Unplain(HTTPSocketPoolResponse):
    """An answer that is no plain one, of which the head was read.

    ``waited_s`` is the time that took, and ``failure`` what has ended the body, if anything did.
    """

    waited_s = 0.0
    failure: BaseException | None = None

    def read(self, length: int | None = None) -> bytes:
        """Read the body. Raises what has ended it."""
        if self.failure is not None:
            raise self.failure
        return super().read(length)


class Line:
    """The connection of one client, taken from its pool and given back there when others need it.

    To give a connection out, look whether it still stands and take it back costs 1 µs here, 8 µs in the pool.
    """

    def __init__(self, client: HTTPClient) -> None:
        self._client = client
        self._pool = client._connection_pool  # noqa: SLF001 - it has no other name
        self._kept: Socket | None = None
        self._polled: Socket | None = None
        self._poll = poll()

    def exchange(self, method: str, request: bytes) -> Plain | Unplain:
        """Send a request and read its answer, as far as its head where that is not plain.

        The connection is closed when that fails or is interrupted. Raises what sockets and the parser raise.
        """
        sock = self._take()
        failure: BaseException | None = None
        try:
            raw = _send(sock, request)
            plain = PLAIN.match(raw)
        except BaseException:
            self._pool.release_socket(sock)
            raise
        if plain is not None:
            missing = plain.end() + int(plain[2]) - len(raw)
            if missing > 0:
                raw, failure = self._rest(sock, raw, missing)
            if len(raw) == plain.end() + int(plain[2]):
                self._kept = sock
                return raw, plain
        return self._parse(sock, method, request, raw, failure)

    def give_back(self) -> None:
        """Let the pool have the connection."""
        if self._kept is not None:
            self._pool.return_socket(self._kept)
            self._kept = None

    def close(self) -> None:
        """Close the connection."""
        if self._kept is not None:
            self._pool.release_socket(self._kept)
            self._kept = None

    def _take(self) -> Socket:
        if self._kept is not None:
            if not self._poll.poll(0):  # nothing to read: neither its end nor what nobody has asked for
                sock, self._kept = self._kept, None
                return sock
            self.close()
        sock = self._pool.get_socket()
        if sock is not self._polled:
            self._polled, self._poll = sock, poll()
            self._poll.register(sock.fileno(), select.POLLIN)
        return sock

    def _rest(self, sock: Socket, raw: bytes, missing: int) -> tuple[bytes, BaseException | None]:
        """Read on; return as well what ended that early, if anything did but the end of the connection."""
        received = bytearray(raw)
        try:
            while missing > 0 and (more := sock.recv(min(missing, LARGE_BLOCK))):
                received += more
                missing -= len(more)
        except FAILURE_EXCEPTIONS as exc:
            return bytes(received), exc
        except BaseException:
            self._pool.release_socket(sock)
            raise
        return bytes(received), None

    def _parse(
        self, sock: Socket, method: str, request: bytes, raw: bytes, failure: BaseException | None
    ) -> Unplain:
        """Have geventhttpclient read what is no plain answer, or none; it closes or returns the socket."""
        response = Unplain(
            sock,
            self._pool,
            block_size=self._client.block_size,
            method=method,
            headers_type=self._client.headers_type,
            pre_buffered=raw,
        )
        response._sent_request = request.partition(b"\r\n\r\n")[0].decode("latin-1")  # noqa: SLF001 - as HTTPClient does
        response.failure = failure
        if failure is not None:
            response.release()
        return response


def _send(sock: Socket, request: bytes) -> bytes:
    """Send a request and return what first comes back, nothing where the peer has closed the connection."""
    try:
        sent = sock._sock.send(request)  # noqa: SLF001 - spares three calls, 5 µs
        if sent < len(request):
            sock.sendall(memoryview(request)[sent:])
    except OSError as exc:
        if exc.errno not in {errno.ECONNRESET, errno.EPIPE}:
            raise
        return b""  # there may be an answer that says why
    sock.hub.wait(sock._read_event)  # noqa: SLF001 - an answer is never there yet: not to look first spares 3 µs
    first: bytes = sock.recv(BLOCK)
    return first
