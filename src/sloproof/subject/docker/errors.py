"""What goes wrong with an engine, in its own words where it has any; it asks none."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from docker.errors import APIError, DockerException
from requests.exceptions import RequestException, Timeout

from sloproof.subject.port import SubjectError

if TYPE_CHECKING:
    from collections.abc import Iterator


class EngineError(SubjectError):
    """No engine answers, or not one that can be used."""


@contextmanager
def refusals_told(attempt: str) -> Iterator[None]:
    """Turn what the engine refuses into a SubjectError: what was attempted, and the engine's own words."""
    try:
        yield
    except APIError as error:
        raise SubjectError(f"cannot {attempt}: {error.explanation or error}") from error
    except (DockerException, RequestException) as error:
        raise EngineError(f"cannot {attempt}: {cause(error)}") from error


def cause(error: BaseException) -> str:
    """Return in a few words what the chain of exceptions of three libraries comes from."""
    chain: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in chain:
        chain.append(link)
        link = link.__cause__ or link.__context__
    if any(isinstance(each, Timeout | TimeoutError) for each in chain):
        return "it does not answer in time"
    system = [each.strerror for each in chain if isinstance(each, OSError) and each.strerror]
    return system[-1] if system else str(error).partition("\n")[0]
