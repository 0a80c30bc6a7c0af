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


def describe(error: ErrorDetails, model: type[BaseModel]) -> str:
    """Return one sentence on one error of a model's validation."""
    location = error["loc"]
    match error["type"]:
        case "extra_forbidden":
            keys = properties(model, location[:-1])
            return f"unknown key '{location[-1]}'{_closest(location[-1], keys)} (one of: {', '.join(keys)})"
        case "missing":
            example = _example(properties(model, location[:-1]).get(str(location[-1]), {}))
            return f"missing key '{location[-1]}'" + (f", e.g. {location[-1]}: {example}" if example else "")
        case _:
            key = next(
                (step for step in reversed(location) if isinstance(step, str) and step != "[key]"), None
            )
            return f"{key}: {_fault(error)}" if key else _fault(error)


def _fault(error: ErrorDetails) -> str:
    context, given = error.get("ctx", {}), shown(error["input"])
    match error["type"]:
        case "value_error":
            fault = str(context["error"])
        case "model_type" | "model_attributes_type" | "dict_type":
            fault = f"takes a mapping ('key: value'), not {given}"
        case "list_type" | "tuple_type":
            fault = f"takes a list ('- item'), not {given}"
        case "string_type":
            fault = f"takes a text, not {given}"
        case "too_short":
            fault = f"takes {context['min_length']} or more items, not {context['actual_length']}"
        case "literal_error":
            choices = re.findall(r"'([^']*)'", context["expected"])
            fault = f"takes {context['expected']}, not {given}{_closest(error['input'], choices)}"
        case "string_pattern_mismatch":
            fault = f"{given} does not match {context['pattern']}"
        case _:
            fault = f"{re.sub('^[A-Z][a-z]+ should', 'must', error['msg'])}, not {given}"
    return fault


def _closest(word: object, choices: Iterable[str]) -> str:
    by_folded = {choice.casefold(): choice for choice in choices}
    close = difflib.get_close_matches(str(word).casefold(), by_folded, n=1)
    return f", did you mean '{by_folded[close[0]]}'?" if close else ""


def _example(schema: Schema) -> str | None:
    examples = schema.get("examples") or schema.get("enum") or [schema.get("const")]
    return str(examples[0]) if examples[0] else None
