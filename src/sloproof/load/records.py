"""The growing columns of request samples; it knows when and how requests ended, not who sends them.

Columns are appended to while load runs: a row costs about a microsecond, and the garbage collector nothing.
"""

from __future__ import annotations

from array import array
from math import nan
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from sloproof.analysis.columns import Words
from sloproof.analysis.samples import Outcome, Phase, Samples

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

PHASES = tuple(Phase)
OUTCOMES = tuple(Outcome)
CODE_OF_PHASE = {phase: code for code, phase in enumerate(PHASES)}
CODE_OF_OUTCOME = {outcome: code for code, outcome in enumerate(OUTCOMES)}
UNFINISHED = CODE_OF_OUTCOME[Outcome.UNFINISHED]
UNPLANNED = UNKNOWN = -1
S = TypeVar("S", bound=np.generic)


class Records:
    """Requests, a row each, in the order in which they were dispatched.

    A row is unfinished from the moment it is opened until it is closed, so nothing that was meant to be sent
    can be lost. ``tasks`` are the names of the tasks whose requests these are.
    """

    def __init__(self, tasks: Sequence[str]) -> None:
        self._tasks = tasks
        self._endpoint_of_task: dict[int, str] = {}
        self._phase = array("b")
        self._task = array("h")
        self._endpoint = array("i")
        self._intended_s = array("d")
        self._dispatched_s = array("d")
        self._start_s = array("d")
        self._end_s = array("d")
        self._status = array("h")
        self._outcome = array("b")
        self._endpoints: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._intended_s)

    def open(self, phase: Phase, *, task: int, intended_s: float, dispatched_s: float) -> int:
        """Append a request that is meant to start at ``intended_s``; return its row.

        ``task`` is the index of the task whose first request it will be, ``UNPLANNED`` for any further one.
        """
        self._phase.append(CODE_OF_PHASE[phase])
        self._task.append(task)
        self._endpoint.append(UNKNOWN)
        self._intended_s.append(intended_s)
        self._dispatched_s.append(dispatched_s)
        self._start_s.append(nan)
        self._end_s.append(nan)
        self._status.append(0)
        self._outcome.append(UNFINISHED)
        return len(self._intended_s) - 1

    def start(self, row: int, *, start_s: float, endpoint: str) -> None:
        """Note that the request was begun, and what it is for."""
        self._start_s[row] = start_s
        self._endpoint[row] = self._endpoints.setdefault(endpoint, len(self._endpoints))
        if (task := self._task[row]) != UNPLANNED:
            self._endpoint_of_task[task] = endpoint

    def close(self, row: int, *, end_s: float, status: int, outcome: Outcome) -> None:
        """Note how the request ended."""
        self._end_s[row] = end_s
        self._status[row] = status
        self._outcome[row] = CODE_OF_OUTCOME[outcome]

    def samples(self, begin: int = 0) -> Samples:
        """Return the rows from ``begin`` on as columns.

        A request that was never begun is named after the last one that its task began, else after its task.
        """
        return Samples(
            phase=Words(_view(self._phase, np.int8)[begin:], PHASES),
            endpoint=self._endpoint_names()[begin:],
            intended_s=_view(self._intended_s, np.float64)[begin:],
            dispatched_s=_view(self._dispatched_s, np.float64)[begin:],
            start_s=_view(self._start_s, np.float64)[begin:],
            end_s=_view(self._end_s, np.float64)[begin:],
            status=_view(self._status, np.int16)[begin:],
            outcome=Words(_view(self._outcome, np.int8)[begin:], OUTCOMES),
        )

    def planned(self, begin: int = 0) -> NDArray[np.bool_]:
        """Return for each row from ``begin`` on whether it was an arrival's first request."""
        return np.not_equal(_view(self._task, np.int16)[begin:], UNPLANNED)

    def endpoints_of_tasks(self) -> dict[str, str]:
        """Return for each task that has begun a request what its last first one was for."""
        return {self._tasks[task]: endpoint for task, endpoint in self._endpoint_of_task.items()}

    def _endpoint_names(self) -> Words:
        of_task = [self._endpoint_of_task.get(task, name) for task, name in enumerate(self._tasks)]
        names = (*self._endpoints, *of_task)
        known, task = _view(self._endpoint, np.int32), _view(self._task, np.int16)
        return Words(np.where(known == UNKNOWN, len(self._endpoints) + task, known), names)


def _view(column: array[float] | array[int], kind: type[S]) -> NDArray[S]:
    """Copy a column: a buffer that NumPy holds could not grow any more."""
    return np.frombuffer(column, dtype=kind).copy()
