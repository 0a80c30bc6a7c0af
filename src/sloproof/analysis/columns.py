"""Columns of very many rows, kept lean: words as numbers, neighbouring rows as views; it knows no meaning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

WORDS = pa.dictionary(pa.int32(), pa.string())


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """A word a row: ``codes`` are places in the ``vocabulary``, which may hold words that no row has.

    Compared with a word it says of each row whether it is that word, as an array of texts would, at a
    fraction of the time and memory.

    >>> column = Words.of(["GET /", "POST /", "GET /"])
    >>> (column == "GET /").tolist(), column[1:].used
    ([True, False, True], ('GET /', 'POST /'))
    """

    codes: NDArray[np.integer[Any]]
    vocabulary: tuple[str, ...]

    def __post_init__(self) -> None:
        """Keep each word once, whatever was given, so that a code is as good as its word."""
        places = {word: place for place, word in enumerate(dict.fromkeys(self.vocabulary))}
        if len(places) < len(self.vocabulary):
            moved = np.array([places[word] for word in self.vocabulary], dtype=np.int32)
            object.__setattr__(self, "codes", moved[self.codes])
            object.__setattr__(self, "vocabulary", tuple(places))

    @classmethod
    def of(cls, words: Words | Sequence[str] | NDArray[np.str_]) -> Words:
        """Return a column of these words, as they are where they are one."""
        if isinstance(words, Words):
            return words
        vocabulary, codes = np.unique(np.asarray(words, dtype=np.str_), return_inverse=True)
        return Words(codes.astype(np.int32), tuple(vocabulary.tolist()))

    @classmethod
    def joined(cls, parts: Sequence[Words]) -> Self:
        """Return the rows of all parts, one part after the other."""
        begins = np.cumsum([0, *(len(part.vocabulary) for part in parts)]).tolist()
        codes = [part.codes + begin for part, begin in zip(parts, begins, strict=False)]
        vocabulary = tuple(word for part in parts for word in part.vocabulary)
        return cls(np.concatenate([np.array([], dtype=np.int32), *codes]), vocabulary)

    @classmethod
    def from_arrow(cls, column: pa.ChunkedArray) -> Self:
        """Take a column of texts without nulls, which is quick where they are dictionaries already."""
        encoded = column.dictionary_encode().unify_dictionaries().combine_chunks()
        return cls(encoded.indices.to_numpy(), tuple(encoded.dictionary.to_pylist()))

    def to_arrow(self) -> pa.DictionaryArray:
        """Return the column as Arrow's dictionary of words."""
        return pa.DictionaryArray.from_arrays(
            pa.array(self.codes, type=pa.int32()), pa.array(map(str, self.vocabulary), type=pa.string())
        )

    @property
    def used(self) -> tuple[str, ...]:
        """The words that some row has, sorted."""
        found = np.flatnonzero(np.bincount(self.codes, minlength=1))
        return tuple(sorted(str(self.vocabulary[code]) for code in found)) if len(self) else ()

    def tolist(self) -> list[str]:
        """Return the words of all rows."""
        return [self.vocabulary[code] for code in self.codes.tolist()]

    def __len__(self) -> int:
        return len(self.codes)

    def __iter__(self) -> Iterator[str]:
        return iter(self.tolist())

    def __getitem__(self, rows: slice | NDArray[Any]) -> Self:
        return type(self)(self.codes[rows], self.vocabulary)

    def count(self) -> dict[str, int]:
        """Return how many rows have each word of the vocabulary."""
        counts = np.bincount(self.codes, minlength=len(self.vocabulary)).tolist()
        return dict(zip(map(str, self.vocabulary), counts, strict=True))

    def __eq__(self, word: object) -> NDArray[np.bool_]:  # type: ignore[override]
        rows: NDArray[np.bool_] = np.zeros(len(self), dtype=np.bool_)
        for code, each in enumerate(self.vocabulary):
            if each == word:
                rows |= self.codes == code
        return rows

    def __ne__(self, word: object) -> NDArray[np.bool_]:  # type: ignore[override]
        return ~(self == word)

    __hash__ = None  # type: ignore[assignment]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:  # noqa: ANN401, FBT001
        del copy  # it always is one
        return np.asarray(np.asarray(self.vocabulary, dtype=np.str_)[self.codes], dtype=dtype)


def together(rows: NDArray[np.bool_]) -> NDArray[np.intp] | slice:
    """Return rows as a slice where they lie together, with which NumPy copies nothing, else as their places.

    Places pick the rows of many columns several times quicker than the mask that they come from.

    >>> together(np.array([False, True, True])), together(np.array([True, False, True]))
    (slice(1, 3, None), array([0, 2]))
    """
    count = int(np.count_nonzero(rows))
    first = int(rows.argmax()) if count else 0
    return slice(first, first + count) if rows[first : first + count].all() else np.flatnonzero(rows)
