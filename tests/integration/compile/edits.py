"""Sorts of mistakes in compiled rules, as edits of their data; which ones are made is not known here."""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sloproof.compile import conventions as names

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.compile.promtool import Data

    Edit = Callable[[Data], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A mistake in the rules of one objective of the jobs service; `caught_by` begins the proof's name."""

    id: str
    objective: str
    caught_by: str
    edit: Edit

    def of(self, group: Data) -> Data:
        """Return a group of rules with the mistake in it."""
        mutated = deepcopy(group)
        self.edit(mutated)
        if mutated == group:
            raise AssertionError(f"'{self.id}' changes nothing: the rules are not what it was written for")
        return mutated


def everywhere(old: str, new: str) -> Edit:
    """Replace a text in every expression."""

    def edit(group: Data) -> None:
        for rule in group["rules"]:
            rule["expr"] = rule["expr"].replace(old, new)

    return edit


def pattern(old: str, new: str) -> Edit:
    """Replace what matches a pattern in every expression."""

    def edit(group: Data) -> None:
        for rule in group["rules"]:
            rule["expr"] = re.sub(old, new, rule["expr"])

    return edit


def recorded(name: str, old: str, new: str) -> Edit:
    """Replace a text in the expression of one recorded series."""

    def edit(group: Data) -> None:
        for rule in group["rules"]:
            if rule.get("record") == name:
                rule["expr"] = rule["expr"].replace(old, new)

    return edit


def replaced(name: str, expr: str) -> Edit:
    """Give one recorded series another expression."""

    def edit(group: Data) -> None:
        for rule in group["rules"]:
            if rule.get("record") == name:
                rule["expr"] = expr

    return edit


def labelled(name: str, label: str, value: str) -> Edit:
    """Give one recorded series another value of a label."""

    def edit(group: Data) -> None:
        for rule in group["rules"]:
            if rule.get("record") == name:
                rule["labels"][label] = value

    return edit


def swapped(one: str, other: str) -> Edit:
    """Let two recorded series have the expressions of each other."""

    def edit(group: Data) -> None:
        rules = {rule["record"]: rule for rule in group["rules"] if "record" in rule}
        rules[one]["expr"], rules[other]["expr"] = rules[other]["expr"], rules[one]["expr"]

    return edit


def alerting(old: str, new: str, *, tier: str = "page-fast", times: int = -1) -> Edit:
    """Replace a text in the expression of one tier's alert."""

    def edit(group: Data) -> None:
        for rule in group["rules"]:
            if "alert" in rule and rule["labels"][names.TIER] == tier:
                rule["expr"] = rule["expr"].replace(old, new, times)

    return edit


def floorless(group: Data) -> None:
    """Ask for no number of failures."""
    for rule in group["rules"]:
        if rule.get("alert") == names.BURN_ALERT:
            rule["expr"] = rule["expr"][: rule["expr"].rindex("\nand\n")]


def another_severity(group: Data) -> None:
    """Let a page be a ticket."""
    for rule in group["rules"]:
        if rule["labels"].get(names.TIER) == "page-fast":
            rule["labels"][names.SEVERITY] = "ticket"


def lasting(duration: str | None) -> Edit:
    """Let gone metrics be told after another time, or at once."""

    def edit(group: Data) -> None:
        for rule in group["rules"]:
            if rule.get("alert") == names.ABSENCE_ALERT:
                rule.pop("for")
                rule.update({"for": duration} if duration else {})

    return edit


def annotation(old: str, new: str) -> Edit:
    """Replace a text in what burn alerts say."""

    def edit(group: Data) -> None:
        for rule in group["rules"]:
            if rule.get("alert") == names.BURN_ALERT:
                rule["annotations"] = {
                    name: text.replace(old, new) for name, text in rule["annotations"].items()
                }

    return edit
