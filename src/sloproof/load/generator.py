"""The generator from the inside: a Locust file's users, waiting, and what can be asked of them."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import gevent
import locust
import locust.stats
from locust.env import Environment

from sloproof.load.audit import read_back
from sloproof.load.crew import Crew
from sloproof.load.files import write_jobs, write_samples
from sloproof.load.ledger import Reading, audit_facts
from sloproof.load.locustfile import LocustfileError, load_traffic
from sloproof.load.measurement import Measurement
from sloproof.load.phase import PhaseRun
from sloproof.load.pool import Pool
from sloproof.load.protocol import check_host
from sloproof.load.users import open_loop

if TYPE_CHECKING:
    from collections.abc import Callable

    from sloproof.load.protocol import Audit, AuditFacts, LoadConfig, Progress, RunPhase

SPAWN_POLL_S = 0.01


class Generator:
    """Users that wait for arrivals, and the measurement of all that they do.

    Making one loads the Locust file and spawns the users; no connection is made yet. Raises LocustfileError.
    """

    def __init__(self, config: LoadConfig) -> None:
        # Locust keeps two digits of a time, which can shift the share of fast answers by percents.
        locust.stats.bucket_response_time = three_digits  # type: ignore[assignment]  # a float serves
        traffic = load_traffic(config.locustfile)
        rng = random.Random(config.seed)  # noqa: S311 - it spreads load and keeps no secret
        self._config = config
        self._crew = Crew(
            config=config,
            tasks=traffic.tasks,
            pool=Pool(kinds=len(traffic.user_classes), rng=rng),
            measurement=Measurement([task.name for task in traffic.tasks]),
        )
        self._readings: list[Reading] = []
        classes = [
            open_loop(user_class, kind=kind, crew=self._crew)
            for kind, user_class in enumerate(traffic.user_classes)
        ]
        self._runner = Environment(
            user_classes=[*classes], events=locust.events, host=config.host
        ).create_local_runner()
        self._spawn(config.users)

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
        check_host(order.host, self._config.allow_hosts)
        accepted = tuple(self._crew.measurement.ledger)
        self._readings = read_back(accepted, order)
        return audit_facts(accepted, self._readings)

    def finish(self) -> None:
        """Stop the users and write the files; jobs that no audit has asked for are marked so."""
        self._runner.quit()
        measurement, folder = self._crew.measurement, self._config.output
        write_samples(folder, measurement.records.samples(), epoch_unix_s=measurement.epoch_unix_s)
        unasked = [Reading()] * (len(measurement.ledger) - len(self._readings))
        write_jobs(folder, measurement.ledger, [*self._readings, *unasked])

    def _spawn(self, users: int) -> None:
        errors: list[str] = []
        events, runner = self._runner.environment.events, self._runner
        events.user_error.add_listener(  # type: ignore[no-untyped-call]
            lambda exception, **_: errors.append(repr(exception))
        )
        events.init.fire(environment=runner.environment, runner=runner, web_ui=None)  # type: ignore[no-untyped-call]
        runner.start(users, spawn_rate=users)
        if runner.spawning_greenlet is not None:
            runner.spawning_greenlet.join()
        while self._crew.busy():
            if runner.user_count < users:
                reason = errors[0] if errors else "see the log"
                raise LocustfileError(f"{self._config.locustfile}: a user did not start: {reason}")
            gevent.sleep(SPAWN_POLL_S)
        if not all(self._crew.pool.idle()):
            names = ", ".join(user_class.__name__ for user_class in runner.user_classes)
            raise LocustfileError(f"{self._config.locustfile}: {users} users are too few for {names}")


def three_digits(response_time_ms: float) -> float:
    """Round to three significant digits: 147.4 to 147, 58760 to 58800, 0.41234 to 0.412."""
    return float(f"{response_time_ms:.3g}")
