"""The columns of a trial's request samples and what follows from a row of them; it opens no file."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sloproof.analysis.columns import WORDS, Words, together


class Phase(StrEnum):
    """The part of a trial in which a request was meant to start; only LOAD is scored."""

    WARMUP = "warmup"
    LOAD = "load"
    DRAIN = "drain"


class Outcome(StrEnum):
    """How a request ended, as its client saw it."""

    ANSWERED = "answered"  # a whole response arrived, whatever its status
    TIMEOUT = "timeout"
    REFUSED = "refused"
    RESET = "reset"
    UNFINISHED = "unfinished"  # still under way, or not yet started, when the phase was over
    ERROR = "error"


SCHEMA = pa.schema(
    [
        pa.field("phase", WORDS, nullable=False),
        pa.field("endpoint", WORDS, nullable=False),
        pa.field("intended_s", pa.float64(), nullable=False),
        pa.field("dispatched_s", pa.float64(), nullable=False),
        pa.field("start_s", pa.float64(), nullable=False),
        pa.field("end_s", pa.float64(), nullable=False),
        pa.field("status", pa.int16(), nullable=False),
        pa.field("outcome", WORDS, nullable=False),
    ]
)
COLUMNS: tuple[str, ...] = tuple(SCHEMA.names)
VOCABULARIES: dict[str, type[StrEnum]] = {"phase": Phase, "outcome": Outcome}
FIRST_SERVER_ERROR = 500
TOO_MANY_REQUESTS = 429
Texts = Words | Sequence[str] | NDArray[np.str_]


@dataclass(frozen=True, slots=True, init=False, eq=False)
class Samples:
    """Requests of one trial, a row each, as columns of equal length.

    Times are seconds from the load generator's epoch; NaN says that it never happened. ``endpoint`` is
    method, space and route (``POST /jobs``). ``status`` is 0 where no answer came.
    """

    phase: Words
    endpoint: Words
    intended_s: NDArray[np.float64]
    dispatched_s: NDArray[np.float64]
    start_s: NDArray[np.float64]
    end_s: NDArray[np.float64]
    status: NDArray[np.int16]
    outcome: Words

    def __init__(  # noqa: PLR0913 - a parameter a column
        self,
        *,
        phase: Texts,
        endpoint: Texts,
        intended_s: NDArray[np.float64],
        dispatched_s: NDArray[np.float64],
        start_s: NDArray[np.float64],
        end_s: NDArray[np.float64],
        status: NDArray[np.int16],
        outcome: Texts,
    ) -> None:
        """Take columns; those of words may be plain texts."""
        columns = (Words.of(phase), Words.of(endpoint), intended_s, dispatched_s, start_s, end_s, status)
        for name, column in zip(COLUMNS, (*columns, Words.of(outcome)), strict=True):
            object.__setattr__(self, name, column)
        lengths = {name: len(getattr(self, name)) for name in COLUMNS}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"columns of samples must be equally long, not {lengths}")

    def __len__(self) -> int:
        return len(self.intended_s)

    @classmethod
    def from_table(cls, table: pa.Table) -> Self:
        """Take the columns out of an Arrow table.

        Raises ValueError where a column is missing, holds nulls, or a word outside its vocabulary.
        """
        if missing := [name for name in COLUMNS if name not in table.column_names]:
            raise ValueError(f"samples lack the columns {missing}; they need {list(COLUMNS)}")
        for name in COLUMNS:
            if table[name].null_count:
                raise ValueError(f"samples hold nulls in {name!r}; what never happened is NaN, or status 0")
        samples = cls(**{field.name: _to_numpy(table[field.name], field.type) for field in SCHEMA})
        for name, vocabulary in VOCABULARIES.items():
            words: Words = getattr(samples, name)
            strangers = set(words.vocabulary) - set(vocabulary)  # none, mostly: then no row need be looked at
            if strangers and (unknown := sorted(strangers.intersection(words.used))):
                raise ValueError(
                    f"samples hold {unknown} in {name!r}; it takes {[str(w) for w in vocabulary]}"
                )
        return samples

    @classmethod
    def none(cls) -> Self:
        """Return no requests at all."""
        return cls.from_table(SCHEMA.empty_table())

    def to_table(self) -> pa.Table:
        """Return the samples as an Arrow table of ``SCHEMA``, words as dictionaries."""
        columns = [_to_arrow(getattr(self, field.name), field.type) for field in SCHEMA]
        return pa.Table.from_arrays(columns, schema=SCHEMA)

    def select(self, *, phase: Phase | None = None, endpoint: str | None = None) -> Self:
        """Return the rows of a phase, of an endpoint, or of both.

        They are views where the rows lie together, as those of a phase mostly do, else copies.
        """
        masks = [column == word for column, word in ((self.phase, phase), (self.endpoint, endpoint)) if word]
        rows = together(np.logical_and.reduce(masks)) if masks else slice(None)
        return type(self)(**{name: getattr(self, name)[rows] for name in COLUMNS})

    def by_endpoint(self) -> dict[str, Self]:
        """Return the rows of each endpoint that occurs, the endpoints sorted."""
        return {endpoint: self.select(endpoint=endpoint) for endpoint in self.endpoints}

    @property
    def endpoints(self) -> tuple[str, ...]:
        """The endpoints that occur, sorted."""
        return self.endpoint.used

    @property
    def answered(self) -> NDArray[np.bool_]:
        """Whether a whole response arrived, whatever its status."""
        return self.outcome == Outcome.ANSWERED

    @property
    def served(self) -> NDArray[np.bool_]:
        """Whether the service did its part: answered, and neither a server error nor a refusal (5xx, 429).

        Any other 4xx is the client's own mistake, rightly answered.
        """
        failed = (self.status >= FIRST_SERVER_ERROR) | (self.status == TOO_MANY_REQUESTS)
        served: NDArray[np.bool_] = self.answered & ~failed
        return served

    @property
    def latency_s(self) -> NDArray[np.float64]:
        """Seconds from the intended start to the last byte; +inf where no answer came.

        A time-out or an unfinished request is censored: all that is known is that it took longer, and
        leaving it out, or counting the time it was given, would make the tail look short.
        """
        return np.where(self.answered, self.end_s - self.intended_s, np.inf)

    @property
    def service_time_s(self) -> NDArray[np.float64]:
        """Seconds from the actual start to the last byte; +inf where no answer came."""
        return np.where(self.answered, self.end_s - self.start_s, np.inf)

    @property
    def start_lag_s(self) -> NDArray[np.float64]:
        """Seconds from the intended to the actual start, +inf where it never started."""
        return _lag_s(self.intended_s, self.start_s)

    @property
    def dispatch_lag_s(self) -> NDArray[np.float64]:
        """Seconds from the intended start until the generator turned to it, +inf where it never did."""
        return _lag_s(self.intended_s, self.dispatched_s)


def _lag_s(intended_s: NDArray[np.float64], actual_s: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.isnan(actual_s), np.inf, actual_s - intended_s)


def _to_numpy(column: pa.ChunkedArray, kind: pa.DataType) -> Any:  # noqa: ANN401 - as its field has it
    return Words.from_arrow(column) if kind == WORDS else np.asarray(column.cast(kind).to_numpy())


def _to_arrow(column: NDArray[Any] | Words, kind: pa.DataType) -> pa.Array:
    return column.to_arrow() if isinstance(column, Words) else pa.array(column, type=kind)
