"""How a request ended, told from the exception that Locust reports with it."""

from __future__ import annotations

import gevent
from geventhttpclient.response import HTTPConnectionClosed, HTTPParseError
from geventhttpclient.useragent import RetriesExceeded
from locust.contrib.fasthttp import LocustBadStatusCode

from sloproof.analysis.samples import Outcome

# What the parser says when a connection ends in the middle of an answer, as opposed to an answer that is no HTTP.
CUT_SHORT = ("Invalid EOF state", "Incomplete response", "connection closed")


def outcome_of(exception: BaseException | None) -> Outcome:
    """Name the outcome of a request.

    A status that Locust calls bad is an answer: what to think of it is the objective's business. A failure that the
    Locust file itself declares (``response.failure(...)``) is an error, whatever the status.
    """
    match exception:
        case None | LocustBadStatusCode():
            return Outcome.ANSWERED
        case RetriesExceeded():  # wraps time-outs and broken pipes, even where retries are off
            return outcome_of(getattr(exception, "original", None) or exception.__cause__ or Exception())
        case gevent.Timeout() | TimeoutError():
            return Outcome.TIMEOUT
        case ConnectionRefusedError():
            return Outcome.REFUSED
        case HTTPConnectionClosed() | ConnectionError():
            return Outcome.RESET
        case HTTPParseError() if any(words in str(exception) for words in CUT_SHORT):
            return Outcome.RESET
        case _:
            return Outcome.ERROR
