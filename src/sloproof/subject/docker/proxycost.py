"""What the engine's port proxy adds to a request, measured; it judges no subject by it."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING

from docker.errors import APIError

from sloproof.subject.docker import probe
from sloproof.subject.docker.errors import refusals_told
from sloproof.subject.docker.leftovers import remove_container
from sloproof.subject.owner import LABEL, Owner
from sloproof.subject.port import SubjectError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from docker.models.containers import Container

    from sloproof.subject.docker.instance import DockerInstance

PYTHONS = ("python3", "python")
ROUNDS = 4
REQUESTS_A_ROUND = 50
ROUND_WITHIN_S = 0.6
FEWEST = 20
IDLE = "import time; time.sleep(60)"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyCost:
    """How long the same request takes past the proxy and through it, in seconds.

    The medians are of `requests` requests each way; what is added is the difference of the two medians, and
    of the two 99th percentiles, which with so few requests is a rough figure.
    """

    direct_median_s: float
    published_median_s: float
    added_median_s: float
    added_p99_s: float
    requests: int

    @classmethod
    def between(cls, direct: Sequence[float], published: Sequence[float]) -> ProxyCost:
        """Compare the service times of both ways, in seconds; each has two at least."""
        direct_median, published_median = median(direct), median(published)
        return cls(
            direct_median_s=direct_median,
            published_median_s=published_median,
            added_median_s=published_median - direct_median,
            added_p99_s=quantiles(published, n=100)[-1] - quantiles(direct, n=100)[-1],
            requests=min(len(direct), len(published)),
        )


def port_proxy_cost(instance: DockerInstance, *, path: str) -> ProxyCost | str:
    """Measure what the proxy costs a ready instance that nobody else loads, or say why that cannot be told.

    The same client asks for `path` over the loopback interface within the instance's network, where there is
    no proxy, and within this machine's, through the published port. Both take turns, so that a noisy moment
    hits both. The instance's own limits do not apply to the client.
    """
    direct: list[float] = []
    published: list[float] = []
    try:
        with ExitStack() as helpers:
            inside = _helper(helpers, instance, network=f"container:{instance.id}")
            outside = _helper(helpers, instance, network="host")
            for _ in range(ROUNDS):
                direct += _probe(inside, instance.inner_port, path)
                published += _probe(outside, instance.outer_port, path)
    except SubjectError as error:
        return f"not measured: {error}"
    if min(len(direct), len(published)) < FEWEST:
        return f"not measured: fewer than {FEWEST} requests were answered in the time there was"
    return ProxyCost.between(direct, published)


def _helper(helpers: ExitStack, instance: DockerInstance, *, network: str) -> tuple[Container, str]:
    """Start a container of the instance's image that idles; return it and what its Python is called."""
    client = instance.engine.client
    failure: APIError | None = None
    with refusals_told("run the image's own Python"):
        for python in PYTHONS:
            helper = client.containers.create(
                instance.image,
                entrypoint=[python, "-c", IDLE],
                command=[],
                network_mode=network,
                healthcheck={"test": ["NONE"]},
                labels={LABEL: Owner.present().mark},
            )
            helpers.callback(remove_container, helper)
            try:
                helper.start()
            except APIError as error:
                failure = error
            else:
                return helper, python
        assert failure is not None  # noqa: S101 - there is a Python to try
        raise failure


def _probe(helper: tuple[Container, str], port: int, path: str) -> list[float]:
    container, python = helper
    arguments = [str(port), path, str(REQUESTS_A_ROUND), str(ROUND_WITHIN_S)]
    with refusals_told("run the probe"):
        status, output = container.exec_run([python, "-c", Path(probe.__file__).read_text(), *arguments])
    assert isinstance(output, bytes)  # noqa: S101 - it is not streamed
    if status != 0:
        last_line = output.decode(errors="replace").strip().rpartition("\n")[2]
        raise SubjectError(f"the probe of port {port} failed: {last_line}")
    times: list[float] = json.loads(output)
    return times
