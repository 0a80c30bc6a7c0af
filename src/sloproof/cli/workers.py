"""Options that say which processes send the load of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sloproof.cli.choices import whole_number
from sloproof.experiment.record import BackendName
from sloproof.load.protocol import LOOPBACK
from sloproof.load.workers import LOOPBACK_ADDRESS, MAX_WORKERS, Workers
from sloproof.slo.problems import WrongInput

if TYPE_CHECKING:
    import argparse

    from sloproof.experiment.spec import Experiment

LOCUSTS_PORT = 5557
OPTIONS = ("load_workers", "expect_workers", "master_bind_host", "master_bind_port", "subject_host")


class WorkersError(WrongInput):
    """The options ask for workers that cannot do what the experiment asks for."""


def add_workers(parser: argparse.ArgumentParser) -> None:
    """Add the options, named as Locust names its own."""
    group = parser.add_argument_group("load from several processes, see docs/load-workers.md")
    group.add_argument(
        "--load-workers",
        type=_count,
        metavar="N",
        help="how many processes of this machine send the load, instead of the file's load.workers",
    )
    group.add_argument(
        "--expect-workers",
        type=_count,
        metavar="N",
        help="how many `sloproof load-worker` of other machines do, beside --load-workers or instead",
    )
    group.add_argument(
        "--master-bind-host",
        metavar="HOST",
        help=f"the address on which they find this machine; {LOOPBACK_ADDRESS}, so nobody does",
    )
    group.add_argument(
        "--master-bind-port", type=port, metavar="PORT", help=f"its port, by default {LOCUSTS_PORT}"
    )
    group.add_argument(
        "--subject-host",
        metavar="HOST",
        help="where they find the subject, which must listen there; naming it allows load on it",
    )


def workers_of(options: argparse.Namespace, experiment: Experiment, backend: BackendName) -> Workers:
    """Return who sends the load, as the options and the experiment say; raises WorkersError."""
    remote = options.expect_workers or 0
    of_file = 0 if remote else experiment.load.workers
    if not remote and (stray := next((name for name in OPTIONS[2:] if getattr(options, name)), None)):
        option = stray.replace("_", "-")
        raise WorkersError(f"--{option} is for workers of other machines: add --expect-workers")
    host = options.subject_host or LOOPBACK_ADDRESS
    if backend is BackendName.DOCKER and host not in LOOPBACK:
        raise WorkersError(
            f"no other machine can reach a container, whose port is published on {LOOPBACK_ADDRESS} only: "
            "leave out --subject-host, or take --backend process"
        )
    try:
        workers = Workers(
            local=of_file if options.load_workers is None else options.load_workers,
            remote=remote,
            bind_host=options.master_bind_host or LOOPBACK_ADDRESS,
            bind_port=options.master_bind_port or (LOCUSTS_PORT if remote else 0),
            subject_host=host,
        )
    except ValueError as error:
        raise WorkersError(str(error)) from error
    _check_users(experiment, workers)
    return workers


def port(text: str) -> int:
    """Return a port, for argparse."""
    return whole_number(text, least=1, most=65_535)


def _check_users(experiment: Experiment, workers: Workers) -> None:
    for configuration in experiment.configurations():
        users = experiment.traffic(configuration).users
        if users < workers.total:
            raise WorkersError(
                f"{configuration.id}: {users} users for {workers.total} workers; each takes at least one"
            )


def _count(text: str) -> int:
    return whole_number(text, least=1, most=MAX_WORKERS)
