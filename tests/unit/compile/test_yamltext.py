"""What is emitted is read back as it was, and is pleasant to read."""

from __future__ import annotations

import yaml
from hypothesis import given
from hypothesis import strategies as st

from sloproof.compile.yamltext import emit, emit_items

# Any character that a YAML file can hold at all: half a character cannot be written.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
AWKWARD = st.sampled_from(
    [
        "",
        " ",
        "yes",
        "No",
        "null",
        "~",
        "1",
        "1.5",
        "1e3",
        "0x1f",
        "2026-11-25",
        "5m",
        "12:30:00",
        "- a",
        "a: b",
        "a #b",
        "'",
        '"',
        "a'b\"c",
        "\\",
        "a\n",
        "\na",
        " a\nb",
        "a\n b\n\nc",
        "a\nb ",
        "a\t\nb",
        "=",
        "<<",
        "a:",
        "\x85",
        "\u2028x",
        "\ufeff",
        "é\nü",
        "😀\nb",
        "a\r\nb",
        "\x00",
        "{a}",
        "[b",
        "!c",
        "&d",
        "*e",
        "?",
        "|",
        ">",
    ]
)
LEAVES = TEXTS | AWKWARD | st.integers(-(10**9), 10**9) | st.booleans() | st.none()
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS | AWKWARD, inner, max_size=4),
    max_leaves=20,
)
MAPPINGS = st.dictionaries(TEXTS | AWKWARD, VALUES, min_size=1, max_size=5)


@given(MAPPINGS)
def test_whatever_is_emitted_is_read_back_as_it_was_and_in_its_order(data: dict[str, object]) -> None:
    read = yaml.safe_load(emit(data))  # type: ignore[arg-type]

    assert read == data
    assert list(read) == list(data)


@given(st.lists(MAPPINGS, min_size=1, max_size=4))
def test_items_in_pieces_are_one_list(items: list[dict[str, object]]) -> None:
    text = "items:\n" + "".join(emit_items(iter(items), indent=2))  # type: ignore[arg-type]

    assert yaml.safe_load(text) == {"items": items}


def test_names_stand_bare_queries_in_blocks_and_what_could_be_a_number_in_quotes() -> None:
    text = emit(
        {
            "record": "slo:sli_error:ratio_rate5m",
            "expr": "sum(\n  a\n)",
            "labels": {"window": "5m", "target": "99.9", "on": "yes"},
            "absent": 'absent(a{b="c"})',
            "nothing": [],
        }
    )

    assert text == (
        "record: slo:sli_error:ratio_rate5m\n"
        "expr: |-\n"
        "  sum(\n"
        "    a\n"
        "  )\n"
        "labels:\n"
        '  window: "5m"\n'
        '  target: "99.9"\n'
        '  "on": "yes"\n'
        "absent: 'absent(a{b=\"c\"})'\n"
        "nothing: []\n"
    )
