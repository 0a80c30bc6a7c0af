"""Reads accepted jobs back from the subject until each has ended; it runs on gevent."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import gevent
from gevent.pool import Group
from geventhttpclient.client import HTTPClient
from geventhttpclient.response import HTTPParseError

from sloproof.load.ledger import Reading, audit_facts
from sloproof.load.protocol import check_host

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sloproof.load.ledger import Accepted
    from sloproof.load.protocol import Audit, AuditFacts, LoadConfig

BETWEEN_ROUNDS_S = 0.1
REQUEST_TIMEOUT_S = 5.0


class Audits:
    """What was last read of each accepted job; of those accepted since, nothing."""

    def __init__(self, config: LoadConfig) -> None:
        self._allow_hosts = config.allow_hosts
        self._readings: list[Reading] = []

    def read(self, accepted: Sequence[Accepted], order: Audit) -> AuditFacts:
        """Read all accepted jobs back. Raises ProtocolError for a host that may not be asked."""
        check_host(order.host, self._allow_hosts)
        self._readings = read_back(accepted, order)
        return audit_facts(accepted, self._readings)

    def readings_of(self, accepted: Sequence[Accepted]) -> list[Reading]:
        """Return a reading for each job, those that were audited being the first of them."""
        return [*self._readings, *[Reading()] * (len(accepted) - len(self._readings))]


def read_back(accepted: Sequence[Accepted], audit: Audit) -> list[Reading]:
    """Ask for every job, again and again for those that have not ended, until the deadline.

    The path of a ``Location`` is asked of ``audit.host``, which may be another process than the one that gave
    it. No answer, and any but 200 and 404, says nothing of a job; nor does the deadline.
    """
    readings = [Reading()] * len(accepted)
    client = HTTPClient.from_url(
        audit.host,
        concurrency=audit.concurrency,
        connection_timeout=REQUEST_TIMEOUT_S,
        network_timeout=REQUEST_TIMEOUT_S,
    )
    readers = Group()

    def read(rows: Iterator[int]) -> None:
        for row in rows:
            readings[row] = _read(client, accepted[row].location) or readings[row]

    with gevent.Timeout(audit.deadline_s, False):  # noqa: FBT003 - the way to have it end the block only
        while rows := [row for row, reading in enumerate(readings) if not reading.settled]:
            remaining = iter(rows)
            for _ in range(audit.concurrency):
                readers.spawn(read, remaining)
            readers.join(raise_error=True)
            gevent.sleep(BETWEEN_ROUNDS_S)
    readers.kill()
    client.close()
    return readings


def _read(client: HTTPClient, location: str) -> Reading | None:
    try:
        parts = urlsplit(urljoin("/", location))
        response = client.get(parts.path + (f"?{parts.query}" if parts.query else ""))
        body = response.read()
        if response.status_code == HTTPStatus.NOT_FOUND:
            return Reading(found=False)
        return Reading.of(json.loads(body)) if response.status_code == HTTPStatus.OK else None
    except (OSError, HTTPParseError, ValueError, TypeError, AttributeError):
        return None
