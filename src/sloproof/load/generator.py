"""The generator from the inside: a Locust file's users, waiting, and what can be asked of them."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import gevent
import locust
import locust.stats
from locust.env import Environment

from sloproof.load.audit import Audits
from sloproof.load.crew import Crew
from sloproof.load.files import write_jobs, write_samples
from sloproof.load.locustfile import LocustfileError, load_traffic
from sloproof.load.measurement import Measurement
from sloproof.load.phase import PhaseRun
from sloproof.load.pool import Pool
from sloproof.load.users import open_loop

if TYPE_CHECKING:
    from collections.abc import Callable

    from locust import FastHttpUser
    from locust.runners import Runner

    from sloproof.load.clocks import Zero
    from sloproof.load.locustfile import Traffic
    from sloproof.load.protocol import Audit, AuditFacts, LoadConfig, Progress, RunPhase

SPAWN_POLL_S = 0.01


class Generator:
    """Users that wait for arrivals, and the measurement of all that they do.

    Making one loads the Locust file and spawns the users; no connection is made yet. Raises LocustfileError.
    """

    def __init__(self, config: LoadConfig) -> None:
        keep_three_digits()
        traffic = load_traffic(config.locustfile)
        self._config = config
        self._crew, classes = assemble(config, traffic)
        self._audits = Audits(config)
        self._runner = Environment(
            user_classes=[*classes], events=locust.events, host=config.host
        ).create_local_runner()
        errors = errors_of_users()
        locust.events.init.fire(environment=self._runner.environment, runner=self._runner, web_ui=None)  # type: ignore[no-untyped-call]
        self._runner.start(config.users, spawn_rate=config.users)
        await_users(self._crew, self._runner, errors)

    @property
    def tasks(self) -> tuple[str, ...]:
        """The names of the tasks that arrivals run."""
        return tuple(task.name for task in self._crew.tasks)

    @property
    def epoch_unix_s(self) -> float:
        """The moment that all seconds count from, in Unix seconds."""
        return self._crew.measurement.epoch_unix_s

    def phase(self, order: RunPhase, report: Callable[[Progress], None]) -> PhaseRun:
        """Plan a phase; it is for the caller to run."""
        return PhaseRun(order, self._crew, report)

    def audit(self, order: Audit) -> AuditFacts:
        """Read all accepted jobs back. Raises ProtocolError for a host that may not be asked."""
        return self._audits.read(tuple(self._crew.measurement.ledger), order)

    def finish(self) -> None:
        """Stop the users and write the files; jobs that no audit has asked for are marked so."""
        self._runner.quit()
        measurement, folder = self._crew.measurement, self._config.output
        write_samples(folder, measurement.records.samples(), epoch_unix_s=measurement.epoch_unix_s)
        write_jobs(folder, measurement.ledger, self._audits.readings_of(measurement.ledger))


def assemble(
    config: LoadConfig, traffic: Traffic, zero: Zero | None = None
) -> tuple[Crew, list[type[FastHttpUser]]]:
    """Return what a process' users are to share, and the classes they are to be made of."""
    crew = Crew(
        config=config,
        tasks=traffic.tasks,
        pool=Pool(
            kinds=len(traffic.user_classes),
            rng=random.Random(config.seed),  # noqa: S311 - it spreads load and keeps no secret
        ),
        measurement=Measurement([task.name for task in traffic.tasks], zero),
    )
    classes = [
        open_loop(user_class, kind=kind, crew=crew) for kind, user_class in enumerate(traffic.user_classes)
    ]
    return crew, classes


def errors_of_users() -> list[str]:
    """Return a list of what users raise from now on, outside of their tasks; it goes on to grow."""
    errors: list[str] = []
    locust.events.user_error.add_listener(  # type: ignore[no-untyped-call]
        lambda exception, **_: errors.append(repr(exception))
    )
    return errors


def await_users(crew: Crew, runner: Runner, errors: list[str]) -> None:
    """Wait until all users that the runner was told to spawn wait for arrivals. Raises LocustfileError."""
    users, locustfile = crew.config.users, crew.config.locustfile
    if runner.spawning_greenlet is not None:
        runner.spawning_greenlet.join()
    while crew.busy():
        if runner.user_count < users:
            reason = errors[0] if errors else "see the log"
            raise LocustfileError(f"{locustfile}: a user did not start: {reason}")
        gevent.sleep(SPAWN_POLL_S)
    if not all(crew.pool.idle()):
        names = ", ".join(user_class.__name__ for user_class in runner.user_classes)
        raise LocustfileError(f"{locustfile}: {users} users are too few for {names}")


def keep_three_digits() -> None:
    """Let Locust's statistics keep a third digit: two can shift the share of fast answers by percents."""
    locust.stats.bucket_response_time = three_digits  # type: ignore[assignment]  # a float serves


def three_digits(response_time_ms: float) -> float:
    """Round to three significant digits: 147.4 to 147, 58760 to 58800, 0.41234 to 0.412."""
    return float(f"{response_time_ms:.3g}")
