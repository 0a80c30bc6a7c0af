"""Logs: one JSON object a line on standard error, from structlog and stdlib alike, without secrets."""

import logging
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import cast

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from service.domain.job import LeasedJob

REDACTED = "[redacted]"
_SECRET_WORDS = (
    "api_key",
    "apikey",
    "authorization",
    "cookie",
    "credential",
    "passwd",
    "password",
    "private_key",
    "secret",
    "token",
)
# With its newline a line has at most the 4,096 bytes that a pipe takes in one piece, so lines of several
# processes never mix.
_LINE_BYTES = 4095


def configure(level: str) -> None:
    """Set up structlog and the standard library's logging for this process."""
    shared = _shared_processors()
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(serializer=_dumps)],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(serializer=_dumps_text),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(number)
    # The servers set up handlers of their own when they are the ones to start the process.
    for name in ("uvicorn", "uvicorn.error", "hypercorn.error"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    for name in ("uvicorn.access", "hypercorn.access"):  # requests are logged by the application
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = False


@contextmanager
def job_context(job: LeasedJob) -> Iterator[None]:
    """Bind the job and the request it came from to every line that is logged while it runs."""
    fields = {"job_id": job.lease.job_id, "kind": job.kind, **job.origin.known()}
    with structlog.contextvars.bound_contextvars(**fields):
        yield


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace the value of every key that names a secret, at any depth."""
    return cast("EventDict", _without_secrets(event))


def _without_secrets(value: object) -> object:
    if isinstance(value, Mapping):
        return {
            key: REDACTED if _names_secret(key) else _without_secrets(inner) for key, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [_without_secrets(inner) for inner in value]
    return value


@lru_cache(maxsize=1024)  # the same few keys on every line
def _names_secret(key: object) -> bool:
    name = str(key).lower().replace("-", "_")
    return any(word in name for word in _SECRET_WORDS)


def _shared_processors() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _process_adder(),
        structlog.processors.format_exc_info,
        redact,
    ]


def _process_adder() -> Processor:
    pid = (
        os.getpid()
    )  # structlog's own adder looks for the caller's frame each time, a seventh of a line's cost

    def add(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["process"] = pid
        return event

    return add


def _dumps(event: EventDict, **_: object) -> bytes:
    """Render a line; one that is too long has the middle of its longest values cut until it fits."""
    line = _json(event)
    kept = 1536
    while len(line) > _LINE_BYTES and kept:
        line = _json({key: _without_middle(value, kept) for key, value in event.items()})
        kept //= 2
    return line


def _dumps_text(event: EventDict, **_: object) -> str:
    return _dumps(event).decode()


def _without_middle(value: object, kept: int) -> object:
    """Keep that many characters of each end: a traceback has its cause at one and its error at the other."""
    text = value if isinstance(value, str) else _json(value).decode()
    return value if len(text) <= 2 * kept else f"{text[:kept]}…{text[-kept:]}"


def _json(value: object) -> bytes:
    return orjson.dumps(value, default=repr, option=orjson.OPT_NON_STR_KEYS)
