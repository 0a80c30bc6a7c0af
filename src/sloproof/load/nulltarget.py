"""A server that does nothing, ``python -m sloproof.load.nulltarget PORT``: it answers every request alike.

What clients measure of it is the noise of the machine and of the clients. It understands requests without a
body, keeps connections open, and serves until it is ended.
"""

from __future__ import annotations

import asyncio
import gc
import sys

HOST = "127.0.0.1"
END = b"\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nok\n"


class Nothing(asyncio.Protocol):
    """A connection on which each request gets the same answer at once."""

    def __init__(self) -> None:
        self._begun = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a connection's
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that has arrived whole."""
        *whole, self._begun = (self._begun + data).split(END)
        self._transport.write(ANSWER * len(whole))


async def serve(port: int) -> None:
    """Serve on a port of the loopback interface until the process is ended. Raises OSError: it is taken."""
    server = await asyncio.get_running_loop().create_server(Nothing, HOST, port, backlog=1024)
    gc.disable()  # it makes no cycles, and would only stop to look for them
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
