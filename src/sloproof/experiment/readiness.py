"""Wait until a subject that was started says that it is ready; it sends nothing else."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NoReturn

import httpx

from sloproof.subject.port import SubjectError

if TYPE_CHECKING:
    from sloproof.experiment.sections import SubjectSpec
    from sloproof.subject.port import Instance

POLL_S = 0.02
PROBE_WITHIN_S = 2.0
LOG_LINES = 20


def await_ready(instance: Instance, spec: SubjectSpec) -> None:
    """Return when the readiness probe answers with a success.

    Raises:
        SubjectError: it ends before that, or its time is over; with the end of its log.

    """
    deadline = time.monotonic() + spec.ready_within
    answer = "nothing answered"
    with client(instance, timeout_s=PROBE_WITHIN_S) as http:
        while time.monotonic() < deadline:
            if (status := instance.exit_status()) is not None:
                because = f" ({ending})" if (ending := instance.ending()) else ""
                fail(instance, f"ended with status {status}{because} before it was ready")
            try:
                response = http.get(spec.ready)
            except httpx.TransportError as error:
                answer = f"{type(error).__name__}: {error}"
            else:
                if response.is_success:
                    return
                answer = f"{response.status_code} {response.text[:200]}"
            time.sleep(POLL_S)
    fail(instance, f"was not ready within {spec.ready_within:g} s; {spec.ready} last said: {answer}")


def client(instance: Instance, *, timeout_s: float) -> httpx.Client:
    """Return an HTTP client of an instance; a proxy in the environment is for other hosts than this one."""
    return httpx.Client(base_url=instance.url, timeout=timeout_s, trust_env=False)


def fail(instance: Instance, what: str) -> NoReturn:
    """Raise SubjectError with what the subject did, and the end of its log."""
    raise SubjectError(f"the subject {what}\n{instance.log_tail(LOG_LINES)}".rstrip())
