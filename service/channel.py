"""What the supervisor and a worker process share: three descriptors and two words."""

import os
from contextlib import suppress
from dataclasses import astuple, dataclass

READY = b"ready\n"
"""The worker accepts connections."""
CLOSED = b"closed\n"
"""The worker accepts no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptors:
    """The listening socket, the read end of the supervisor's life, the write end of the worker's reports."""

    listener: int
    life: int
    reports: int

    def arguments(self) -> list[str]:
        """Return them as command-line arguments of the worker.

        >>> Descriptors(listener=3, life=4, reports=5).arguments()
        ['3', '4', '5']
        """
        return [str(number) for number in astuple(self)]

    @classmethod
    def parse(cls, arguments: list[str]) -> "Descriptors":
        """Read them back."""
        listener, life, reports = (int(argument) for argument in arguments)
        return cls(listener=listener, life=life, reports=reports)

    def report(self, word: bytes) -> None:
        """Tell the supervisor, if there still is one."""
        with suppress(BrokenPipeError):
            os.write(self.reports, word)
