"""The JSON Schema of ``results.json``, made from the very classes that it is written from."""

from __future__ import annotations

import json

from pydantic import TypeAdapter

from sloproof.analysis.results import SCHEMA, Results

DIALECT = "https://json-schema.org/draft/2020-12/schema"
# JSON has no number for what never ended: these may be infinite, and are then null.
PERHAPS_INFINITE = {"Interval": ("low", "median", "high")}


def results_schema() -> str:
    """Return the schema as JSON."""
    schema = TypeAdapter(Results).json_schema(mode="serialization")
    schema["properties"]["schema"]["const"] = SCHEMA
    for name, fields in PERHAPS_INFINITE.items():
        for field in fields:
            schema["$defs"][name]["properties"][field]["type"] = ["number", "null"]
    schema = {"$schema": DIALECT, **schema, "title": "The results of a run of sloproof"}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
