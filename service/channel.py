"""What the supervisor and a worker process share: four descriptors and three words."""

import os
from contextlib import suppress
from dataclasses import astuple, dataclass

PREPARED = b"prepared\n"
"""The worker has opened all it needs, and serves as soon as the gate is open."""
READY = b"ready\n"
"""The worker accepts connections."""
CLOSED = b"closed\n"
"""The worker accepts no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptors:
    """The listening socket, the read ends of the supervisor's life and gate, the write end of reports to it.

    Nothing is ever written to life and gate: what tells is that they end.
    """

    listener: int
    life: int
    gate: int
    reports: int

    def arguments(self) -> list[str]:
        """Return them as command-line arguments of the worker.

        >>> Descriptors(listener=3, life=4, gate=5, reports=6).arguments()
        ['3', '4', '5', '6']
        """
        return [str(number) for number in astuple(self)]

    @classmethod
    def parse(cls, arguments: list[str]) -> "Descriptors":
        """Read them back."""
        listener, life, gate, reports = (int(argument) for argument in arguments)
        return cls(listener=listener, life=life, gate=gate, reports=reports)

    def report(self, word: bytes) -> None:
        """Tell the supervisor, if there still is one."""
        with suppress(BrokenPipeError):
            os.write(self.reports, word)
