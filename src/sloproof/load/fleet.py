"""A generator of several processes: Locust's master, whose workers share the arrivals and the users."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import locust
import locust.runners
from locust.env import Environment

from sloproof.load import rpc
from sloproof.load.audit import Audits
from sloproof.load.clocks import Zero
from sloproof.load.dispatcher import dispatcher_of
from sloproof.load.failures import WorkerError
from sloproof.load.files import write_jobs, write_samples
from sloproof.load.fleetphase import FleetPhase
from sloproof.load.generator import keep_three_digits
from sloproof.load.locustfile import LocustfileError, digest, load_traffic
from sloproof.load.members import Members
from sloproof.load.merging import decode_jobs, joined, named
from sloproof.load.protocol import LOOPBACK, ProtocolError, Ready
from sloproof.load.sharing import allot
from sloproof.load.workers import JOIN_WITHIN_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from locust.runners import MasterRunner

    from sloproof.analysis.samples import Samples
    from sloproof.load.ledger import Accepted
    from sloproof.load.locustfile import Traffic
    from sloproof.load.protocol import Audit, AuditFacts, LoadConfig, Progress, RunPhase

START_WITHIN_S = 50.0
ANSWER_WITHIN_S = 25.0
END_WITHIN_S = 10.0
LINGER_MS = 2_000
SILENT_WORKER_S = 10
SPAWN_RATE = 100  # per worker and second; all are spawned at once, and Locust warns of more


class Fleet:
    """Workers with their users, waiting, and what can be asked of all of them together.

    Making one starts the workers of this machine, waits for those of others, and has all spawn their users.
    Raises LocustfileError, ProtocolError and WorkerError, as does all that it is asked for.
    """

    def __init__(self, config: LoadConfig) -> None:
        keep_three_digits()
        traffic = load_traffic(config.locustfile)
        self._config = config
        self._allotted = allotted(config, traffic)
        self._zero = Zero.now()
        self._audits = Audits(config)
        self._accepted: list[Accepted] = []
        self._endpoints: dict[str, str] = {}
        self._phases: list[Samples] = []
        self._runner = master(config, traffic)
        self._members = Members(self._runner, config, digest=digest(config.locustfile))
        self._enlist()
        self._spawn(traffic)
        self.tasks = tuple(task.name for task in traffic.tasks)

    @property
    def epoch_unix_s(self) -> float:
        """The moment that all seconds count from, in Unix seconds."""
        return self._zero.unix_s

    def phase(self, order: RunPhase, report: Callable[[Progress], None]) -> FleetPhase:
        """Plan a phase; it is for the caller to run."""
        return FleetPhase(order, self._members, self._zero, report=report, keep=self._phases.append)

    def audit(self, order: Audit) -> AuditFacts:
        """Read all accepted jobs back, from here. Raises ProtocolError for a host that may not be asked."""
        self._take_over()
        return self._audits.read(tuple(self._accepted), order)

    def finish(self) -> None:
        """Stop the users, let the workers go and write the files, as one process would have."""
        self._take_over()
        self._runner.stop(send_stop_to_client=False)  # for Locust's listeners here
        self._members.dismiss(within_s=END_WITHIN_S)
        self._runner.greenlet.kill()
        self._runner.server.socket.context.destroy(linger=LINGER_MS)
        samples, folder = named(joined(self._phases), self._endpoints), self._config.output
        write_samples(folder, samples, epoch_unix_s=self.epoch_unix_s)
        write_jobs(folder, self._accepted, self._audits.readings_of(self._accepted))

    def _enlist(self) -> None:
        """Wait for all workers, and give each its part."""
        workers, zero = self._config.workers, self._zero
        within_s = JOIN_WITHIN_S if workers.remote else START_WITHIN_S
        self._members.gather(rpc.Answer, within_s=within_s)
        config = asdict(self._config)
        for index, member in enumerate(self._members):
            if not member.here and urlsplit(self._config.host).hostname in LOOPBACK:
                raise ProtocolError(
                    f"the subject is at {self._config.host}, which on {member.hello.machine} is that machine "
                    "itself: name the subject's address for other machines with --subject-host"
                )
            theirs = Zero(clock_s=zero.clock_s + member.clock.ahead_s, unix_s=zero.unix_s)
            users = sum(self._allotted[index])
            order = rpc.Enlist(config=config, users=users, index=index, of=workers.total, zero=theirs)
            self._members.tell(order, member)
        self._members.gather(rpc.Enlisted, within_s=ANSWER_WITHIN_S)

    def _spawn(self, traffic: Traffic) -> None:
        """Have Locust spawn all users."""
        names = [user_class.__name__ for user_class in traffic.user_classes]
        users = {
            member.client_id: dict(zip(names, counts, strict=True))
            for member, counts in zip(self._members, self._allotted, strict=True)
        }
        self._runner.environment.dispatcher_class = dispatcher_of(users)
        rate = min(self._config.users, SPAWN_RATE * len(users))
        self._runner.start(self._config.users, spawn_rate=rate)
        self._members.gather(Ready, within_s=ANSWER_WITHIN_S)

    def _take_over(self) -> None:
        """Have the workers send the jobs that were accepted since they last did, and their statistics."""
        self._members.tell(rpc.HandOver())
        for handed_over in self._members.gather(rpc.HandedOver, within_s=ANSWER_WITHIN_S).values():
            self._endpoints.update(handed_over.endpoints)
        jobs = [job for member in self._members for job in decode_jobs(member.take_rows())]
        self._accepted += sorted(jobs, key=lambda job: job.intended_at_s)


def allotted(config: LoadConfig, traffic: Traffic) -> list[list[int]]:
    """Return for each worker its users of each class. Raises LocustfileError where one would have none."""
    workers, weights = config.workers.total, [user_class.weight for user_class in traffic.user_classes]
    users = allot(config.users, weights, workers=workers)
    if not all(map(all, users)):
        names = ", ".join(user_class.__name__ for user_class in traffic.user_classes)
        raise LocustfileError(
            f"{config.locustfile}: {config.users} users are too few for {names} in {workers} workers: "
            "each worker needs one of each"
        )
    return users


def master(config: LoadConfig, traffic: Traffic) -> MasterRunner:
    """Return Locust's master, listening. Raises WorkerError where it can't."""
    locust.runners.HEARTBEAT_LIVENESS = SILENT_WORKER_S
    workers = config.workers
    environment = Environment(user_classes=[*traffic.user_classes], events=locust.events, host=config.host)
    try:
        runner = environment.create_master_runner(workers.bind_host, workers.bind_port)
    except (SystemExit, Exception) as exc:  # Locust exits where the port is taken, and says so
        raise WorkerError(
            f"the load master cannot listen at {workers.bind_host}:{workers.bind_port}, "
            f"which may be taken: {exc}"
        ) from exc
    locust.events.init.fire(environment=environment, runner=runner, web_ui=None)  # type: ignore[no-untyped-call]
    return runner
