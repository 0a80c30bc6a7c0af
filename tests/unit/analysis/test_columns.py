"""A column of words behaves as an array of texts does, and views are taken where nothing need be copied."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloproof.analysis.columns import Words, together

texts = st.lists(st.sampled_from(["GET /", "POST /jobs", "answered", "é"]), max_size=30)


@given(texts, st.sampled_from(["GET /", "é", "never seen"]))
def test_a_column_of_words_compares_as_an_array_of_texts(words: list[str], word: str) -> None:
    column, array = Words.of(words), np.array(words, dtype=np.str_)

    np.testing.assert_array_equal(column == word, array == word)
    np.testing.assert_array_equal(column != word, array != word)
    np.testing.assert_array_equal(column, array)
    assert list(column) == words
    assert column.used == tuple(sorted(set(words)))


@given(texts, texts)
def test_words_come_out_of_arrow_as_they_went_in_whatever_each_piece_calls_them(
    first: list[str], second: list[str]
) -> None:
    pieces = pa.chunked_array([Words.of(each).to_arrow() for each in (first, second)])
    plain = pa.chunked_array([first, second], type=pa.string())

    assert Words.from_arrow(pieces).tolist() == Words.from_arrow(plain).tolist() == first + second


def test_rows_are_counted_by_their_word_and_what_no_row_has_is_not_used() -> None:
    column = Words.of(["a", "b", "a", "c"])

    assert column[:3].count() == {"a": 2, "b": 1, "c": 0}
    assert column[:2].used == ("a", "b")
    assert column[np.array([2, 3])].tolist() == ["a", "c"]


def test_a_word_that_was_given_twice_is_one() -> None:
    column = Words(np.array([0, 1, 2]), ("a", "b", "a"))

    assert column.tolist() == ["a", "b", "a"]
    assert column.count() == {"a": 2, "b": 1}


@given(st.lists(st.booleans(), max_size=20))
def test_rows_that_lie_together_are_a_slice_and_any_others_are_picked(mask: list[bool]) -> None:
    rows, values = np.array(mask, dtype=np.bool_), np.arange(len(mask))

    found = together(rows)

    np.testing.assert_array_equal(values[found], values[rows])
    assert isinstance(found, slice) == (
        np.count_nonzero(np.diff(np.append(np.append(False, rows), False))) <= 2
    )


@pytest.mark.parametrize("words", [["x"], []], ids=["some", "none"])
def test_a_column_cannot_be_a_key(words: list[str]) -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(Words.of(words))
