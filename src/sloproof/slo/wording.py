"""Pydantic's errors in our words: what is wrong and what would be right; it knows no file and no line."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from sloproof.slo.hints import properties
from sloproof.slo.quantities import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import BaseModel
    from pydantic_core import ErrorDetails

    from sloproof.slo.hints import Schema


MAPPING = "takes a mapping ('key: value'), not {given}"
LIST = "takes a list ('- item'), not {given}"
# By the type of pydantic's error; the names in braces are those of its context.
FAULTS = {
    "value_error": "{error}",
    "model_type": MAPPING,
    "model_attributes_type": MAPPING,
    "dict_type": MAPPING,
    "list_type": LIST,
    "tuple_type": LIST,
    "string_type": "takes a text, not {given}",
    "string_pattern_mismatch": "{given} does not match {pattern}",
    "int_parsing": "takes a whole number, not {given}",
    "int_type": "takes a whole number, not {given}",
    "bool_parsing": "takes true or false, not {given}",
    "bool_type": "takes true or false, not {given}",
    "too_short": "takes {min_length} or more items, not {actual_length}",
    "literal_error": "takes {expected}, not {given}",
    "union_tag_invalid": "takes a {discriminator} of {expected_tags}, not '{tag}'",
    "union_tag_not_found": "takes a mapping with the key {discriminator}",
}


def describe(error: ErrorDetails, model: type[BaseModel], *, key: str | None) -> str:
    """Return one sentence on one error of a model's validation; `key` is whose value is wrong, if any's."""
    location = error["loc"]
    match error["type"]:
        case "extra_forbidden":
            keys = properties(model, location[:-1])
            return f"unknown key '{location[-1]}'{nearest(location[-1], keys)} (one of: {', '.join(keys)})"
        case "missing":
            example = _example(properties(model, location[:-1]).get(str(location[-1]), {}))
            return f"missing key '{location[-1]}'" + (f", e.g. {location[-1]}: {example}" if example else "")
        case _:
            return f"{key}: {_fault(error)}" if key else _fault(error)


def _fault(error: ErrorDetails) -> str:
    given, context = shown(error["input"]), error.get("ctx", {})
    if template := FAULTS.get(error["type"]):
        fault = template.format(given=given, **context)
    else:
        fault = f"{re.sub('^[A-Z][a-z]+ should', 'must', error['msg'])}, not {given}"
    if error["type"] == "literal_error":
        fault += nearest(error["input"], re.findall(r"'([^']*)'", context["expected"]))
    return fault


def nearest(word: object, choices: Iterable[str]) -> str:
    """Return, as the end of a sentence, the choice that a word was meant to be; nothing if none is close."""
    by_folded = {choice.casefold(): choice for choice in choices}
    close = difflib.get_close_matches(str(word).casefold(), by_folded, n=1)
    return f", did you mean '{by_folded[close[0]]}'?" if close else ""


def _example(schema: Schema) -> str | None:
    examples = schema.get("examples") or schema.get("enum") or [schema.get("const")]
    return str(examples[0]) if examples[0] else None
