"""A server whose capacity is known by construction: it serves one request at a time, each in 5 ms or more.

So it carries less than 200 requests/s, whatever machine it runs on. Usage: one_at_a_time.py PORT
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from contextlib import suppress

SERVICE_TIME_S = 0.005
COUNTED = "http_server_request_duration_seconds"
LABELS = 'http_request_method="GET",http_route="/work",http_response_status_code="200"'


class Server:
    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        self.served = 0
        self.took_s = 0.0

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                body = await self.answer(head.split()[1])
                writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
                await writer.drain()
        writer.close()

    async def answer(self, path: str) -> str:
        if path == "/metrics":
            return (
                f"# TYPE {COUNTED} histogram\n"
                f'{COUNTED}_bucket{{{LABELS},le="+Inf"}} {self.served}\n'
                f"{COUNTED}_count{{{LABELS}}} {self.served}\n"
                f"{COUNTED}_sum{{{LABELS}}} {self.took_s}\n"
                "# TYPE process_cpu_seconds counter\n"
                f"process_cpu_seconds_total {time.process_time()}\n"
            )
        if path == "/work":
            began = time.perf_counter()
            async with self.turn:
                await asyncio.sleep(SERVICE_TIME_S)
            self.served += 1
            self.took_s += time.perf_counter() - began
        return "ok"


async def main(port: int) -> None:
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    listener = await asyncio.start_server(Server().connected, "127.0.0.1", port)
    await stopped.wait()
    listener.close()
    await asyncio.sleep(0.1)  # requests that were taken are answered


asyncio.run(main(int(sys.argv[1])))
