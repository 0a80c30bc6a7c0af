"""Bounded traffic for the jobs service of the stack, so that every objective has events; it judges none."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator

PAUSE_S = 0.1
MOST_ROUNDS = 3000
JOB = {"kind": "sleep", "params": {"duration_s": 0.02}}
ACCEPTED, FOUND = 202, 200
ANSWERED_WITHIN_S = 10


@dataclass(slots=True)
class Tally:
    """What was sent so far."""

    requests: int = 0
    failed: int = 0
    jobs: list[str] = field(default_factory=list)


@contextmanager
def driven(url: str) -> Iterator[Tally]:
    """Submit a job and read it again, ten times a second and 3,000 times at most, while the block lasts."""
    tally, over = Tally(), threading.Event()

    def drive() -> None:
        with httpx.Client(base_url=url, timeout=ANSWERED_WITHIN_S, trust_env=False) as client:
            for _ in range(MOST_ROUNDS):
                _round(client, tally)
                if over.wait(PAUSE_S):
                    return

    thread = threading.Thread(target=drive, name="traffic", daemon=True)
    thread.start()
    try:
        yield tally
    finally:
        over.set()
        thread.join()


def _round(client: httpx.Client, tally: Tally) -> None:
    try:
        tally.requests += 1
        answer = client.post("/jobs", json=JOB)
        if answer.status_code != ACCEPTED:
            tally.failed += 1
            return
        tally.jobs.append(str(answer.json()["id"]))
        tally.requests += 1
        tally.failed += client.get(answer.headers["location"]).status_code != FOUND
    except (httpx.HTTPError, LookupError, ValueError):  # no answer, or not that of the service
        tally.failed += 1
