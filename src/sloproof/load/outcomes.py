"""How a request ended, told from the exception that Locust reports with it."""

from __future__ import annotations

import gevent
from geventhttpclient.response import HTTPConnectionClosed, HTTPParseError
from geventhttpclient.useragent import RetriesExceeded
from locust.contrib.fasthttp import LocustBadStatusCode

from sloproof.analysis.samples import Outcome

# What the parser says when a connection ends inside an answer; other words are of an answer that is no HTTP.
CUT_SHORT = ("Invalid EOF state", "Incomplete response", "connection closed")


OUTCOMES: tuple[tuple[tuple[type[BaseException], ...], Outcome], ...] = (
    ((LocustBadStatusCode,), Outcome.ANSWERED),
    ((gevent.Timeout, TimeoutError), Outcome.TIMEOUT),
    ((ConnectionRefusedError,), Outcome.REFUSED),
    ((HTTPConnectionClosed, ConnectionError), Outcome.RESET),
)


def outcome_of(exception: BaseException | None) -> Outcome:
    """Name the outcome of a request.

    A status that Locust calls bad is an answer: what to think of it is the objective's business. A failure
    that the Locust file itself declares (``response.failure(...)``) is an error, whatever the status.
    """
    if exception is None:
        return Outcome.ANSWERED
    if isinstance(
        exception, RetriesExceeded
    ):  # wraps time-outs and broken pipes even though there are no retries
        return outcome_of(vars(exception).get("original", Exception()))
    if isinstance(exception, HTTPParseError) and any(words in str(exception) for words in CUT_SHORT):
        return Outcome.RESET
    return next((outcome for kinds, outcome in OUTCOMES if isinstance(exception, kinds)), Outcome.ERROR)
