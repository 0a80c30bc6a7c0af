"""Traffic of the jobs service: submit a job, read a recent one back, as often the one as the other.

An ordinary Locust file: ``locust -f loadtest/locustfile.py --host http://127.0.0.1:8000``. sloproof runs the
same tasks on a schedule instead of after ``wait_time``. A request's name is its route template, since that is
how it is matched to the objectives of ``slo/``.
"""

import random
from collections import deque
from itertools import cycle

from locust import FastHttpUser, between, task

# Nine jobs that wait to one that computes, in a fixed order, so that every run submits the same mix.
JOBS = cycle(
    [
        *(
            {"kind": "sleep", "params": {"duration_s": milliseconds / 1000}}
            for milliseconds in range(5, 50, 5)
        ),
        {"kind": "digest", "params": {"rounds": 5_000}},
    ]
)
RECENT: deque[str] = deque(maxlen=200)
ACCEPTED = 202
NOT_FOUND = 404


class JobsUser(FastHttpUser):
    """Someone who submits jobs and looks after them."""

    wait_time = between(0.5, 1.5)

    @task
    def submit(self) -> None:
        """Submit the next job, and remember its place."""
        response = self.client.post("/jobs", json=next(JOBS), name="/jobs")
        if response.status_code == ACCEPTED:
            RECENT.append(f"/jobs/{response.json()['id']}")

    @task
    def read_back(self) -> None:
        """Read a job that was accepted lately, which must be known; the very first reader submits one."""
        if not RECENT:
            self.submit()
            return
        with self.client.get(random.choice(RECENT), name="/jobs/{id}", catch_response=True) as response:
            if response.status_code == NOT_FOUND:
                response.failure("an accepted job is not found")
