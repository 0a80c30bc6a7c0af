"""Which keys a model takes at a place, with examples, from its JSON Schema; it knows no file and no error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pydantic import BaseModel

Schema = dict[str, Any]


def properties(model: type[BaseModel], location: Iterable[str | int]) -> dict[str, Schema]:
    """Return the schema of every key that the mapping at a location of pydantic's may hold.

    A location runs through keys, indices and, for unions, the tag or class of the variant in question.
    """
    root = model.model_json_schema()
    definitions: Schema = root.get("$defs", {})
    schemas = [root]
    for step in location:
        variants = [variant for schema in schemas for variant in _variants(schema, definitions, step)]
        schemas = [child for variant in variants for child in _children(variant, step)] or variants
    leaves = [leaf for schema in schemas for leaf in _variants(schema, definitions)]
    return {key: schema for leaf in leaves for key, schema in leaf.get("properties", {}).items()}


def _variants(schema: Schema, definitions: Schema, step: str | int = "") -> Iterator[Schema]:
    """Yield all that a schema may stand for: the target of a reference, the members of a union.

    Where the step is the tag or the class of one member, it is that member alone.
    """
    if "$ref" in schema:
        yield from _variants(definitions[_target(schema["$ref"])], definitions, step)
    elif members := schema.get("anyOf") or schema.get("oneOf"):
        tagged = _target(schema.get("discriminator", {}).get("mapping", {}).get(step, ""))
        named = [member for member in members if _target(member.get("$ref", "")) in {tagged, step} - {""}]
        for member in named or members:
            yield from _variants(member, definitions, step)
    else:
        yield schema


def _children(schema: Schema, step: str | int) -> Iterator[Schema]:
    """Yield the schemas of an item or a key; none where the step is not part of the data."""
    if isinstance(step, int):
        yield from [schema["items"]] if "items" in schema else []
    elif step in schema.get("properties", {}):
        yield schema["properties"][step]
    else:
        yield from schema.get("patternProperties", {}).values()
        yield from [extra] if isinstance(extra := schema.get("additionalProperties"), dict) else []


def _target(reference: str) -> str:
    return reference.rpartition("/")[2]
