"""Documents are read key by key, and what is not read is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from sloproof.compile.interop.foreign import Note, close_documents, open_documents
from sloproof.slo.problems import InvalidFile

FILE = Path("f.yaml")


def test_documents_keep_the_lines_of_their_file() -> None:
    first, second = open_documents(FILE, "# a\n---\na: 1\n...\n---\n\n# c\nb: 2\n---\n")

    assert [first.root.need("a", example="1").line, second.root.need("b", example="1").line] == [3, 8]


def test_hyphens_in_a_text_do_not_end_a_document() -> None:
    (document,) = open_documents(FILE, "a: |\n  ---\n  b\n")

    assert document.root.need("a", example="x").text() == "---\n  b".replace("  ", "")


def test_what_is_wrong_in_a_later_document_is_told_by_its_line_in_the_file() -> None:
    with pytest.raises(InvalidFile) as caught:
        open_documents(FILE, "a: 1\n---\nb: [\n")

    assert str(caught.value).startswith("f.yaml:4:1: not valid YAML")


def test_a_key_that_nobody_reads_is_told_once_at_the_highest_level() -> None:
    (document,) = open_documents(FILE, "a: 1\nb:\n  c: 2\n  d: {e: 3}\nf: {g: 4}\n")
    document.root.get("a")
    if b := document.root.get("b"):
        b.get("c")

    assert [(note.line, note.message.split("'")[1]) for note in document.forgotten()] == [
        (4, "b.d"),
        (5, "f"),
    ]


def test_an_empty_value_counts_as_none_and_an_empty_pair_is_told() -> None:
    (document,) = open_documents(FILE, "a:\nlabels: {b: c, d: }\n")

    assert document.root.get("a") is None
    assert [key for key, _ in document.root.need("labels", example="{}").pairs()] == ["b"]
    assert close_documents([document], carried=True) == (Note(2, "'labels.d' is empty, and left out"),)


def test_more_documents_than_anybody_writes_are_refused() -> None:
    with pytest.raises(InvalidFile, match="more than 1,000 documents: split it"):
        open_documents(FILE, "a: 1\n---\n" * 1_001)
