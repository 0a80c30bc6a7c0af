"""A small HTTP server that behaves as badly as its paths ask for, and counts what reached it.

``python subject.py`` prints its port, and serves until stdin ends. It is a process of its own, so that what
it does to its event loop slows neither the generator nor the tests.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter

WORK_S = 0.02
STALL_S = 1.0
CUT = {  # what is sent before the connection ends
    "/close": b"",
    "/cut/head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "/cut/body": b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
    "/junk": b"I speak no HTTP\r\n\r\n",
}


@dataclass
class Subject:
    """Its state: what it has seen, when it is to stall, and its jobs."""

    stall_at: int = 0
    requests: Counter[str] = field(default_factory=Counter)
    connections: int = 0
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    async def connect(self, reader: StreamReader, writer: StreamWriter) -> None:
        known = False
        try:
            while head := await _head(reader):
                method, path, headers = head
                if path == "/deaf":
                    await asyncio.sleep(3600)
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                if path.startswith("/control/"):
                    self.control(path, body, writer)
                else:
                    self.connections += not known
                    known = True
                    self.requests[f"{method} {path}"] += 1
                    writer.write(CUT.get(path, b""))
                    await self.answer(method, path, body, writer)
                await writer.drain()
                if path in CUT or headers.get("connection", "").lower() == "close":
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def answer(self, method: str, path: str, body: bytes, writer: StreamWriter) -> None:
        match method, path.strip("/").split("/"):
            case _, ["abort"]:
                writer.transport.abort()
            case _, ["work"]:
                if self.requests[f"{method} {path}"] == self.stall_at:
                    time.sleep(STALL_S)  # noqa: ASYNC251 - stalling the event loop is what it is for
                await asyncio.sleep(WORK_S)
                _respond(writer, 200)
            case _, ["hang"]:
                await asyncio.sleep(3600)
            case _, ["drip"]:
                await _drip(writer)
            case _, ["redirect"]:
                _respond(writer, 302, location="http://example.com/")
            case "POST", ["jobs"]:
                _respond(writer, 202, location=self.submit(json.loads(body)))
            case "GET", ["jobs", number]:
                job = self.jobs.get(number)
                _respond(writer, 200 if job else 404, body=job)
            case _, ["status", status]:
                _respond(writer, int(status))

    def control(self, path: str, body: bytes, writer: StreamWriter) -> None:
        """Answer the test, which asks what was seen, or says when to stall and to forget what was seen."""
        if path == "/control/stall_at":
            self.stall_at = int(body)
            self.requests.clear()
        _respond(writer, 200, body={"requests": self.requests, "connections": self.connections})

    def submit(self, wanted: dict[str, Any]) -> str:
        """Accept a job whose ``fate`` is lost, doubled, failed, pending or dripping, or else to succeed."""
        number = str(next(self.numbers))
        fate = wanted.get("fate", "succeeded")
        if fate != "lost":
            ended = fate != "pending"
            self.jobs[number] = {
                "id": number,
                "state": "failed" if fate == "failed" else "succeeded" if ended else "running",
                "attempt": 1,
                "completions": 2 if fate == "doubled" else int(ended),
                "finished_at": time.time() if ended else None,
            }
        return "/drip" if fate == "dripping" else f"/jobs/{number}"


async def _head(reader: StreamReader) -> tuple[str, str, dict[str, str]] | None:
    try:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    except asyncio.IncompleteReadError:
        return None
    method, path, _ = lines[0].split(" ")
    headers = (line.split(": ", 1) for line in lines[1:] if line)
    return method, path, {name.lower(): value for name, value in headers}


def _respond(
    writer: StreamWriter, status: int, *, body: dict[str, Any] | None = None, location: str = ""
) -> None:
    text = json.dumps(body or {})
    head = f"HTTP/1.1 {status} Any\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n"
    head += f"Location: {location}\r\n" if location else ""
    writer.write(f"{head}\r\n{text}".encode())


async def _drip(writer: StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
    while True:
        writer.write(b".")
        await writer.drain()
        await asyncio.sleep(0.05)


async def _serve() -> None:
    server = await asyncio.start_server(Subject().connect, "127.0.0.1", 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - how its parent learns the port
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()

    def wait_for_eof() -> None:
        sys.stdin.read()
        loop.call_soon_threadsafe(stopped.set)

    threading.Thread(target=wait_for_eof, daemon=True).start()
    await stopped.wait()


if __name__ == "__main__":
    asyncio.run(_serve())
