"""What a request costs a load generator, and how many a generator sends on one processor: `make bench-load`.

All clients load the same server, in turns and in another order each round, with 32 connections, on one
processor; the server has another one. Flat out, so that no client waits: those with a closed loop as fast as
they get answers, sloproof (its real process, in a real phase) from a schedule of more arrivals than it can
serve. What a request costs is the processor time of the client's process, user and system, between two
moments, divided by the requests that the server has answered between them. hey, wrk, vegeta and k6 take part
where they are on PATH.

sloproof's highest rate is the highest of a ladder at which its phase was sound (`generator_problems`) and
over in time; the dispatch lag is that of phases at half of it. All takes 2 to 3 minutes. It reports, and
asserts nothing.
"""

# ruff: noqa: T201 - the figures are what it is run for
from __future__ import annotations

import asyncio
import mmap
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import monotonic, perf_counter, sleep
from typing import TYPE_CHECKING

from sloproof.analysis.samples import Phase
from sloproof.load.arrivals import Arrival
from sloproof.load.process import LoadProcess
from sloproof.load.protocol import LoadConfig, RunPhase
from sloproof.load.selfcheck import generator_problems

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sloproof.load.protocol import PhaseFacts

ROUNDS = 4
CONNECTIONS = 32
SETTLE_S, WINDOW_S, RUN_S = 0.7, 1.5, 30
START_TIMEOUT_S = 30.0
OVERLOAD = 15_000  # arrivals/s; more than it can serve
LADDER = (1_000, 2_000, 3_000, 4_000, 5_000, 6_000, 7_000, 8_000, 10_000, 12_000)
LADDER_S, LATE_S, TRIES = 2.0, 0.1, 3
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
FAST, K6 = "Locust FastHttpUser", "k6"

BODY = b'{"id":"0190f3a2","state":"ok"}'
ANSWER = (
    b"HTTP/1.1 200 OK\r\ndate: Wed, 25 Nov 2026 12:00:00 GMT\r\nserver: bench\r\n"
    b"content-length: %d\r\ncontent-type: application/json\r\n\r\n%s" % (len(BODY), BODY)
)
LOCUSTFILE = """from locust import {user}, task


class Visitor({user}):
    @task
    def work(self):
        self.client.get("/work")
"""
K6_SCRIPT = """import http from 'k6/http';
export const options = {{ vus: {connections}, duration: '{seconds}s' }};
export default function () {{ http.get('{url}'); }}
"""


class Answering(asyncio.Protocol):
    """Takes what comes at once for a request, as it is with these clients, and counts it."""

    def __init__(self, answered: memoryview) -> None:
        self._answered = answered

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._write = transport.write  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:  # noqa: ARG002 - they all ask for the same
        self._write(ANSWER)
        self._answered[0] += 1


def shared(path: Path) -> memoryview:
    """Map the number of answered requests, which the server writes and this process reads."""
    with path.open("r+b") as file:
        return memoryview(mmap.mmap(file.fileno(), 8)).cast("Q")


async def serve(path: Path) -> None:
    """Answer until this process is ended; print the port first."""
    server = await asyncio.get_running_loop().create_server(partial(Answering, shared(path)), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """End a process and its group when the block is over."""
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@dataclass(frozen=True, slots=True)
class Cost:
    """What a client did in a window of time."""

    us_per_request: float
    rate: float


def processor_s(pid: int) -> float:
    """Return the processor time of all threads of a process, ended ones too. Source: proc_pid_stat(5)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def measured(pid: int, answered: memoryview) -> Cost:
    """Watch a client for a while, once it is at work."""
    deadline, first = monotonic() + START_TIMEOUT_S, answered[0]
    while answered[0] < first + 10 * CONNECTIONS:
        if monotonic() > deadline:
            raise SystemExit(f"process {pid} did not begin to send within {START_TIMEOUT_S:g} s")
        sleep(0.01)
    sleep(SETTLE_S)
    before_s, count, began_s = processor_s(pid), answered[0], perf_counter()
    sleep(WINDOW_S)
    spent_s, count, took_s = processor_s(pid) - before_s, answered[0] - count, perf_counter() - began_s
    return Cost(spent_s / count * 1e6, count / took_s)


def command(arguments: list[str], answered: memoryview, folder: Path, *, input: str = "") -> Cost:  # noqa: A002
    """Measure a client that is a program."""
    with (folder / "client.log").open("w") as log:
        process = subprocess.Popen(
            arguments,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            text=True,
            cwd=folder,
            start_new_session=True,
        )
    with ended(process):
        assert process.stdin is not None
        process.stdin.write(input)
        process.stdin.close()
        process.stdin = None
        try:
            return measured(process.pid, answered)
        except (OSError, SystemExit) as exc:
            raise SystemExit(f"{arguments[0]}: {exc}\n{(folder / 'client.log').read_text()[-2000:]}") from exc


def order(phase: Phase, rate: float, duration_s: float, *, drain_s: float = 5.0) -> RunPhase:
    """Return a phase of Poisson arrivals."""
    return RunPhase(
        phase=phase, arrival=Arrival.POISSON, rate=rate, duration_s=duration_s, seed=1, drain_s=drain_s
    )


@contextmanager
def generator(host: str, folder: Path) -> Iterator[LoadProcess]:
    """Run sloproof's own process, its connections open."""
    config = LoadConfig(
        locustfile=folder / "FastHttpUser.py", host=host, output=folder / "load", users=CONNECTIONS
    )
    with LoadProcess(config) as process:
        process.phase(order(Phase.WARMUP, 300, 0.5))
        yield process


def sloproof(host: str, answered: memoryview, folder: Path) -> Cost:
    """Measure this project's generator on a schedule that it can't keep."""
    with generator(host, folder) as process:
        process.begin_phase(order(Phase.LOAD, OVERLOAD, SETTLE_S + WINDOW_S + 1, drain_s=0))
        return measured(process.pid, answered)


def clients(host: str, answered: memoryview, folder: Path) -> dict[str, Callable[[], Cost]]:
    """Return how to measure each client that is here."""
    for user in ("FastHttpUser", "HttpUser"):
        (folder / f"{user}.py").write_text(LOCUSTFILE.format(user=user))
    url, connections, seconds = f"{host}/work", str(CONNECTIONS), f"{RUN_S}s"
    (folder / "k6.js").write_text(K6_SCRIPT.format(connections=CONNECTIONS, seconds=RUN_S, url=url))
    locust = [
        sys.executable,
        "-m",
        "locust",
        "--headless",
        "--only-summary",
        "-u",
        connections,
        "-r",
        connections,
    ]
    run = partial(command, answered=answered, folder=folder)
    found: dict[str, Callable[[], Cost]] = {"sloproof": partial(sloproof, host, answered, folder)}
    for user in ("FastHttpUser", "HttpUser"):
        arguments = [*locust, "-t", seconds, "--host", host, "-f", str(folder / f"{user}.py")]
        found[f"Locust {user}"] = partial(run, arguments)
    programs = {
        "wrk": ["-t1", f"-c{connections}", f"-d{seconds}", url],
        "hey": ["-c", connections, "-z", seconds, "-cpus", "1", url],
        "vegeta": ["-cpus=1", "attack", "-rate=0", f"-max-workers={connections}", f"-duration={seconds}"],
        K6: ["run", "--quiet", "k6.js"],
    }
    for program, arguments in programs.items():
        if path := shutil.which(program):
            text = f"GET {url}\n" if program == "vegeta" else ""
            found[program] = partial(run, [path, *arguments], input=text)
    return found


def rung(process: LoadProcess, rate: float) -> tuple[PhaseFacts, float, list[str]]:
    """Offer a rate; return what came of it, its cost in CPU-µs a request, and why it does not count."""
    before_s = processor_s(process.pid)
    facts = process.phase(order(Phase.LOAD, rate, LADDER_S))
    cost_us = (processor_s(process.pid) - before_s) / max(1, facts.completed) * 1e6
    problems = generator_problems(facts)
    if facts.completed < facts.scheduled or facts.elapsed_s > LADDER_S + LATE_S:
        problems.append("the answers came too late")
    return facts, cost_us, problems


def tried(process: LoadProcess, rate: float) -> tuple[PhaseFacts, float, list[str]]:
    """Offer a rate up to a few times, until it is kept: neighbours on the machine come and go."""
    for _ in range(TRIES):
        facts, cost_us, problems = rung(process, rate)
        lag_ms, waited = facts.dispatch_lag_p99_s * 1e3, facts.wait_ratio or 0
        print(
            f"  {rate:6,.0f}/s: dispatch lag p99 {lag_ms:5.2f} ms, {cost_us:4.0f} µs a request, "
            f"waited for the processor {waited:.1%} of the time; {'; '.join(problems) or 'kept'}"
        )
        if not problems:
            break
    return facts, cost_us, problems


def climb(host: str, folder: Path) -> None:
    """Find the highest rate that the generator keeps, and how late it is at half of it."""
    print("\nsloproof, open loop, on one processor")
    highest = 0.0
    with generator(host, folder) as process:
        for rate in LADDER:
            if tried(process, rate)[2]:
                break
            highest = rate
        if not highest:
            print("no rate of the ladder was kept")
            return
        halves = [tried(process, highest / 2) for _ in range(TRIES)]
    facts, cost_us, _ = min(halves, key=lambda half: half[0].wait_ratio or 0)
    print(
        f"highest rate kept: {highest:,.0f}/s; at half of it a dispatch lag p99 of "
        f"{facts.dispatch_lag_p99_s * 1e3:.2f} ms and {cost_us:.0f} µs a request, in the one of {TRIES} "
        f"phases that waited least for the processor ({facts.wait_ratio or 0:.1%} of the time)"
    )


def table(costs: dict[str, list[Cost]]) -> None:
    """Print a line a client, cheapest first; a ratio is one of medians."""
    medians = {
        client: statistics.median(cost.us_per_request for cost in rounds) for client, rounds in costs.items()
    }
    print(f"flat out, {CONNECTIONS} connections, one processor, {ROUNDS} rounds")
    print(f"{'client':20} {'CPU-µs/request':>14} {'min':>6} {'× Fast':>7} {'× k6':>6} {'requests/s':>11}")
    for client, median in sorted(medians.items(), key=lambda item: item[1]):
        least = min(cost.us_per_request for cost in costs[client])
        rate = statistics.median(cost.rate for cost in costs[client])
        to_k6 = f"{median / medians[K6]:6.2f}" if K6 in medians else f"{'–':>6}"
        print(f"{client:20} {median:14.0f} {least:6.0f} {median / medians[FAST]:7.2f} {to_k6} {rate:11,.0f}")


def main() -> None:
    """Start the server on one processor and all else on another, and measure."""
    available = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        counter = folder / "answered"
        counter.write_bytes(bytes(8))
        os.sched_setaffinity(0, {available[-1]})
        server = subprocess.Popen(
            [sys.executable, __file__, str(counter)],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        os.sched_setaffinity(0, {available[0]})
        with ended(server):
            assert server.stdout is not None
            host = f"http://127.0.0.1:{int(server.stdout.readline())}"
            found = clients(host, shared(counter), folder)
            costs: dict[str, list[Cost]] = {client: [] for client in found}
            for _ in range(ROUNDS):
                for client in random.sample([*found], len(found)):
                    costs[client].append(found[client]())
            table(costs)
            climb(host, folder)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        with suppress(ImportError):
            import uvloop

            uvloop.install()
        asyncio.run(serve(Path(sys.argv[1])))
    else:
        main()
