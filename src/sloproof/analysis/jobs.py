"""The client's ledger: every job that the subject accepted in a trial, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pyarrow as pa

from sloproof.analysis.columns import Words, together

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sloproof.analysis.samples import Phase

SUCCEEDED = "succeeded"
FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Jobs:
    """Accepted jobs, a row each, unnamed. Times are Unix seconds; NaN says that it never happened.

    ``intended_at_s`` is the intended start of the request that submitted the job, so that a job's latency
    counts from when its client wanted it. ``found`` is false for a job that the subject no longer knew, and
    ``None`` for one of which it did not say, or was not asked; ``state`` is empty for both.
    """

    phase: Words
    intended_at_s: NDArray[np.float64]
    found: NDArray[np.object_] | NDArray[np.bool_]
    state: Words
    completions: NDArray[np.int64]
    finished_at_s: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.intended_at_s)

    @classmethod
    def from_table(cls, table: pa.Table) -> Self:
        """Take the columns out of an Arrow table.

        Raises ValueError where a column is missing.
        """
        names = [field.name for field in fields(cls)]
        if missing := [name for name in names if name not in table.column_names]:
            raise ValueError(f"the ledger of jobs lacks the columns {missing}; it needs {names}")
        return cls(**{name: _to_numpy(table[name]) for name in names})

    @classmethod
    def none(cls) -> Self:
        """Return the ledger of a subject that accepts no jobs."""
        return cls(
            phase=Words.of([]),
            intended_at_s=np.array([]),
            found=np.array([], dtype=np.object_),
            state=Words.of([]),
            completions=np.array([], dtype=np.int64),
            finished_at_s=np.array([]),
        )

    def select(self, *, phase: Phase) -> Self:
        """Return the jobs that were submitted in a phase."""
        rows = together(self.phase == phase)
        return type(self)(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    @property
    def succeeded(self) -> NDArray[np.bool_]:
        """Whether the job has ended well."""
        return self.state == SUCCEEDED

    @property
    def ended(self) -> NDArray[np.bool_]:
        """Whether the job has ended, well or not."""
        return self.succeeded | (self.state == FAILED)

    @property
    def lost(self) -> NDArray[np.bool_]:
        """Whether the subject, when asked, did not know the job."""
        return np.equal(self.found, False).astype(np.bool_)  # noqa: FBT003 - None is not false

    @property
    def pending(self) -> NDArray[np.bool_]:
        """Whether the job had not ended when last asked after, or its state could not be learnt in time."""
        return ~(self.lost | self.ended)

    @property
    def doubled(self) -> NDArray[np.bool_]:
        """Whether the job's end was recorded more than once."""
        return np.greater(self.completions, 1)

    @property
    def latency_s(self) -> NDArray[np.float64]:
        """Seconds from the intended submission to the recorded end; +inf for a job that has not ended."""
        latency_s: NDArray[np.float64] = np.where(self.ended, self.finished_at_s - self.intended_at_s, np.inf)
        return latency_s


def _to_numpy(column: pa.ChunkedArray) -> Any:  # noqa: ANN401 - as its field has it
    words = pa.types.is_dictionary(column.type) or pa.types.is_string(column.type)
    return Words.from_arrow(column) if words else column.to_numpy()
