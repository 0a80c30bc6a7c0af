"""A service of one endpoint whose event loop stands still once for a second; its metrics do not notice."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time

from prometheus_client import CollectorRegistry, Histogram, generate_latest

HEAD = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n"
STALL_S, LAST_ANSWERS_S = 1.0, 0.3


class Service:
    """Answers /hello, /readyz and /metrics; after so many greetings it stands still."""

    def __init__(self, stall_after: int) -> None:
        self.registry = CollectorRegistry()
        self.seconds = Histogram(
            "http_server_request_duration_seconds",
            "Durations by the server's own clock.",
            ["http_request_method", "http_route", "http_response_status_code"],
            registry=self.registry,
            buckets=(0.01, 0.1, 1.0),
        )
        self.left = stall_after

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                while (await reader.readline()).strip():
                    pass
                body = self.answer(line.split()[1].decode())
                writer.write(HEAD.format(len(body)).encode() + body)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    def answer(self, path: str) -> bytes:
        if path == "/metrics":
            return generate_latest(self.registry)
        if path == "/hello":
            began = time.perf_counter()
            self.left -= 1
            if not self.left:  # not in this request, but in all that wait for the loop
                asyncio.get_running_loop().call_soon(time.sleep, STALL_S)
            self.seconds.labels("GET", path, "200").observe(time.perf_counter() - began)
        return b"hello"


async def main() -> None:
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    service = Service(int(sys.argv[2]))
    listening = await asyncio.start_server(service.serve, "127.0.0.1", int(sys.argv[1]))
    await ended.wait()
    listening.close()
    await asyncio.sleep(LAST_ANSWERS_S)
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main())
