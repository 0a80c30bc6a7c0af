"""What OpenSLO's documents are called and how they refer to each other, and what ours add to them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from sloproof.compile.interop import ours
from sloproof.slo.quantities import shown

if TYPE_CHECKING:
    from sloproof.compile.interop.foreign import Value

V1, ALPHA = "openslo/v1", "openslo/v1alpha"
KINDS = ("SLO", "SLI", "Service", "DataSource", "AlertPolicy", "AlertCondition", "AlertNotificationTarget")
# Annotations for what OpenSLO has no place for; an import of ours reads them again.
OWN_PREFIX = "sloproof.dev/"
OWN_ALERTING = f"{OWN_PREFIX}alerting"
OWN_PROMETHEUS = f"{OWN_PREFIX}prometheus"
OWN_WINDOW = f"{OWN_PREFIX}window"
OWN_TIER = f"{OWN_PREFIX}tier"
OWN_LONG = f"{OWN_PREFIX}long-window"
OWN_SHORT = f"{OWN_PREFIX}short-window"
SHORTHAND = re.compile(r"([1-9][0-9]{0,5})([mhdwMQY])")
UNITS_S = {
    "m": 60,
    "h": 3_600,
    "d": 86_400,
    "w": 604_800,
    "M": 30 * 86_400,
    "Q": 90 * 86_400,
    "Y": 365 * 86_400,
}
NOMINAL = frozenset("MQY")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The documents of a file, by kind and name, and which of them others have referred to."""

    documents: dict[str, dict[str, Value]] = field(default_factory=dict)
    used: set[Value] = field(default_factory=set)

    def add(self, kind: str, root: Value) -> None:
        """Add a document; raises Wrong where its name is missing or taken."""
        name = root.need("metadata", example="{name: checkout}").need("name", example="checkout")
        of_kind = self.documents.setdefault(kind, {})
        if (first := of_kind.setdefault(name.text(), root)) is not root:
            raise name.wrong(
                f"the {kind} '{name.text()}' is on line {first.line} already: choose another name"
            )

    def of(self, kind: str) -> list[Value]:
        """Return all documents of a kind."""
        return list(self.documents.get(kind, {}).values())

    def name(self, root: Value) -> str:
        """Return the name of a document."""
        return root.need("metadata", example="{name: checkout}").need("name", example="checkout").text()

    def find(self, kind: str, reference: Value) -> Value:
        """Return the document that is referred to; raises Wrong where there is none."""
        of_kind = self.documents.get(kind, {})
        if (found := of_kind.get(reference.text())) is None:
            there = ", ".join(of_kind) or "none"
            raise reference.wrong(
                f"{reference.name}: no {kind} in this file is called '{reference.text()}' "
                f"(there is: {there}): add its document to the file"
            )
        self.used.add(found)
        return found

    def known(self, kind: str, name: str) -> Value | None:
        """Return a document if it is there, without its counting as used."""
        return self.documents.get(kind, {}).get(name)


def shorthand_s(value: Value) -> Decimal:
    """Return the seconds of OpenSLO's shorthand, 4w for one; months, which differ, are told; raises Wrong."""
    if not (match := SHORTHAND.fullmatch(text := value.text())):
        raise value.wrong(
            f"{value.name}: {shown(text)} is not a duration: write a number and one of m, h, d, w, M, Q, Y"
        )
    seconds = Decimal(match[1]) * UNITS_S[match[2]]
    if match[2] in NOMINAL:
        value.note(f"{text} became {ours.duration(seconds)}: a rolling window has one length")
    return seconds


def shorthand(seconds: Decimal) -> str | None:
    """Return a duration in OpenSLO's shorthand, or ``None`` where it has none for it.

    >>> shorthand(Decimal(2_592_000)), shorthand(Decimal(90))
    ('30d', None)
    """
    for unit in ("d", "h", "m"):
        count = seconds / UNITS_S[unit]
        if count == int(count):
            return f"{int(count)}{unit}"
    return None
