"""Kill workers and stop the leader under load, over and over: nothing accepted is lost or done twice.

``SOAK_ROUNDS=10 pytest tests/integration/service/test_soak.py -s`` runs the full soak and prints its figures.
"""

import asyncio
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.integration.service.conftest import Start
from tests.integration.service.harness import RunningService, Samples, until

ROUNDS = int(os.environ.get("SOAK_ROUNDS", "1"))
RATE = 60
BODY = b'{"kind": "sleep", "params": {"duration_s": 0.05}}'
REQUEST = (
    b"POST /jobs HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(BODY), BODY)
)


@dataclass(slots=True)
class Ledger:
    """What the clients of all rounds saw; ``latest_start`` is when the latest accepted request was begun."""

    accepted: set[str] = field(default_factory=set)
    outcomes: Counter[str] = field(default_factory=Counter)
    latest_start: float = 0.0


class Load(threading.Thread):
    """Submit jobs at a steady rate, each on a new connection, until stopped."""

    def __init__(self, port: int, ledger: Ledger) -> None:
        super().__init__(name="load", daemon=True)
        self._port = port
        self._ledger = ledger
        self._stopped = threading.Event()

    def run(self) -> None:
        asyncio.run(self._submit_steadily())

    def stop(self) -> None:
        self._stopped.set()
        self.join()

    async def _submit_steadily(self) -> None:
        async with asyncio.TaskGroup() as requests:
            while not self._stopped.is_set():
                requests.create_task(self._submit())
                await asyncio.sleep(1 / RATE)

    async def _submit(self) -> None:
        start = time.monotonic()
        outcome, answer = await self._exchange()
        self._ledger.outcomes[outcome] += 1
        if outcome == "202":
            location = next(line for line in answer.lower().splitlines() if line.startswith(b"location:"))
            self._ledger.accepted.add(location.decode().rpartition("/")[2])
            self._ledger.latest_start = max(start, self._ledger.latest_start)

    async def _exchange(self) -> tuple[str, bytes]:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            return "not connected", b""
        try:
            writer.write(REQUEST)
            answer = await reader.read()
        except OSError:
            return "no answer", b""
        finally:
            writer.close()
        return (answer.split(maxsplit=2)[1].decode() if answer else "no answer"), answer


@contextmanager
def load(service: RunningService, ledger: Ledger) -> Iterator[None]:
    clients = Load(service.port, ledger)
    clients.start()
    try:
        yield
    finally:
        clients.stop()


def counters(samples: Samples) -> Samples:
    return {key: value for key, value in samples.items() if key[0].endswith(("_total", "_bucket", "_count"))}


def kill_a_worker(service: RunningService, ledger: Ledger) -> float:
    """Kill one and wait for its replacement; return how long no request was accepted."""
    before = counters(service.metrics())
    ready = len(service.events("worker_ready"))
    victim = random.choice(service.worker_pids())  # noqa: S311  # any will do
    killed_at = time.monotonic()
    os.kill(victim, signal.SIGKILL)
    until(lambda: ledger.latest_start > killed_at, "jobs are accepted again")
    serving_s = time.monotonic() - killed_at
    service.wait_for("worker_ready", ready + 1)
    after = counters(service.metrics())
    assert victim not in service.worker_pids()
    fell = [key for key in before if not key[0].startswith("process_") and after[key] < before[key]]
    assert fell == []
    return serving_s


def stop_the_leader(service: RunningService, ledger: Ledger) -> None:
    """Stop all of it; every connection that was made is answered."""
    unanswered = ledger.outcomes["no answer"]
    assert service.stop() == 0
    assert service.events("worker_killed") == []
    assert ledger.outcomes["no answer"] == unanswered


def test_nothing_accepted_is_lost_or_done_twice(start: Start) -> None:
    ledger = Ledger()
    serving_s = []
    for _ in range(ROUNDS):
        with start(lease_s=1, pre_stop_delay_s=0.3) as service, load(service, ledger):
            begun = len(ledger.accepted) + RATE // 2
            until(lambda: len(ledger.accepted) > begun, "the load has begun")  # noqa: B023
            serving_s.append(kill_a_worker(service, ledger))
            stop_the_leader(service, ledger)

    with start(lease_s=1, pre_stop_delay_s=0) as service:
        until(lambda: {job.state for job in service.stored().values()} == {"succeeded"}, "all jobs ended")
        stored = service.stored()
        assert service.stop() == 0

    lost = [job for job in ledger.accepted if job not in stored or stored[job].state != "succeeded"]
    doubled = [job for job, end in stored.items() if end.completions != 1]
    print(  # noqa: T201  # the figures are the point of a soak
        f"\n{ROUNDS} rounds: {len(ledger.accepted)} accepted, {len(lost)} lost, {len(doubled)} not done once,"
        f" accepting again {max(serving_s):.2f} s after a kill at worst, {dict(ledger.outcomes)}"
    )
    assert lost == []
    assert doubled == []
