"""The JSON Schema of ``results.json``, made from the very classes that it is written from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from sloproof.analysis.results import SCHEMA, Results

if TYPE_CHECKING:
    from pydantic_core import core_schema

DIALECT = "https://json-schema.org/draft/2020-12/schema"
# JSON has no number for what never ended: these may be infinite, and are then null.
PERHAPS_INFINITE = {
    "Interval": ("low", "median", "high"),
    "Effect": ("estimate", "low", "high"),
    "TrialPercentile": ("value_s",),
}


class _Plain(GenerateJsonSchema):
    """Leaves out what only repeats a name, and the worked examples of our docstrings."""

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002 - the signature is pydantic's
        return False

    def dataclass_schema(self, schema: core_schema.DataclassSchema) -> dict[str, object]:
        made = super().dataclass_schema(schema)
        if "description" in made:
            made["description"] = made["description"].partition(">>>")[0].strip()
        return made


def results_schema() -> str:
    """Return the schema as JSON."""
    schema = TypeAdapter(Results).json_schema(mode="serialization", schema_generator=_Plain)
    schema["properties"]["schema"]["const"] = SCHEMA
    for name, fields in PERHAPS_INFINITE.items():
        for field in fields:
            schema["$defs"][name]["properties"][field]["type"] = ["number", "null"]
    schema = {"$schema": DIALECT, **schema, "title": "The results of a run of sloproof"}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
