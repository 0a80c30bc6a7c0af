"""Whose file a document is, where it is not that of the tool that is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sloproof.compile.interop.foreign import Value

TOOLS = {"sloth.slok.dev/": "sloth", "pyrra.dev/": "pyrra", "openslo/": "openslo", "openslo.com/": "openslo"}
"""By how the apiVersion begins."""


def reader_of(root: Value, *, besides: str) -> str | None:
    """Return what to do with a file that another command reads, or ``None``; raises Wrong: no mapping."""
    api, kind = _text(root, "apiVersion"), _text(root, "kind")
    if api == "v1" and kind == "List":
        return "it is a List of Kubernetes: write its items as documents of their own, with --- between"
    if _text(root, "version").startswith("prometheus/") and not api:
        tool = "sloth"
    elif not api and root.get("service") and root.get("objectives"):
        return "it is an SLO file of sloproof already"
    else:
        tool = next((tool for start, tool in TOOLS.items() if api.startswith(start)), besides)
    return None if tool == besides else f"sloproof import {tool} reads it"


def _text(root: Value, key: str) -> str:
    value = root.get(key)
    return value.data if value and isinstance(value.data, str) else ""
