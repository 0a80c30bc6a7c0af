"""Which environment variables a subject knows, as it says itself in a JSON Schema; it judges no value."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class SettingsFileError(Exception):
    """The file is not a JSON Schema of an object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownSettings:
    """The names of a schema's properties, its patterns of further names, and whether it takes any other."""

    names: tuple[str, ...]
    patterns: tuple[str, ...]
    others: bool

    def accepts(self, name: str) -> bool:
        """Tell whether an object of the schema may have this property.

        Source: JSON Schema 2020-12, core, section 10.3.2.
        """
        return name in self.names or any(re.search(each, name) for each in self.patterns) or self.others


def known_settings(path: Path) -> KnownSettings:
    """Read a schema whose properties are environment variables.

    Raises:
        SettingsFileError: it is none.

    """
    try:
        schema = json.loads(path.read_bytes())
    except ValueError as error:
        raise SettingsFileError(f"{path} is not JSON: {error}") from error
    if not isinstance(schema, dict) or not isinstance(schema.get("properties"), dict):
        raise SettingsFileError(f"{path} is not a JSON Schema with properties named like the variables")
    return KnownSettings(
        names=tuple(schema["properties"]),
        patterns=tuple(schema.get("patternProperties", {})),
        others=schema.get("additionalProperties", True) is not False,
    )
