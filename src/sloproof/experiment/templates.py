"""Texts with names in braces, as experiment files have them; it does not know which names there are."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator

if TYPE_CHECKING:
    from collections.abc import Iterable


def _checked(text: str) -> str:
    try:
        fields = [field for field in string.Formatter().parse(text) if field[1] is not None]
    except ValueError as error:
        raise ValueError(f"{error}: write {{{{ and }}}} for literal braces") from error
    if any(
        not name.isidentifier() or spec or conversion
        for _, name, spec, conversion in fields
        if name is not None
    ):
        raise ValueError("a placeholder is a name in braces and nothing more, such as {port}")
    return text


Template = Annotated[str, AfterValidator(_checked)]


def names_in(templates: Iterable[str]) -> frozenset[str]:
    """Return every name in braces that the templates use."""
    parsed = (field for text in templates for field in string.Formatter().parse(text))
    return frozenset(name for _, name, _, _ in parsed if name is not None)
