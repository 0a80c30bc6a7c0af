"""The section `search` of an experiment file, and what a file with one leaves unsaid; it runs nothing."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from sloproof.slo.quantities import DurationSeconds, RatePerSecond, parse_rate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

KIND = "capacity"


class SearchSection(BaseModel):
    """Between which rates to search, for how long in all, and which capacity is demanded."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    lowest: Annotated[RatePerSecond, Field(alias="from")]
    highest: Annotated[RatePerSecond, Field(alias="to")]
    budget: DurationSeconds
    trials: Annotated[int, Field(ge=3, le=50)] = 4
    at_least: RatePerSecond | None = None

    @model_validator(mode="after")
    def _spans_rates(self) -> Self:
        if self.lowest >= self.highest:
            raise ValueError(
                f"from {self.lowest:g}/s to {self.highest:g}/s leaves nothing to search: "
                "from is the lower of the two"
            )
        if self.at_least is not None and not self.lowest <= self.at_least <= self.highest:
            raise ValueError(
                f"at_least {self.at_least:g}/s is not searched: write a rate "
                f"from {self.lowest:g}/s to {self.highest:g}/s"
            )
        return self


def completed(data: Any) -> Any:  # noqa: ANN401 - whatever a YAML file holds
    """Return a file's data with what a search chooses: its rates, of which bounds hold for the highest.

    Anything but a mapping of this kind is returned as it is.
    """
    match data:
        case {"kind": "capacity", "load": {**load}}:
            return {**data, "blocks": 1, "load": {**load, "rate": _highest(data.get("search"))}}
        case {"kind": "capacity"}:
            return {**data, "blocks": 1}
    return data


def _highest(search: Any) -> str:  # noqa: ANN401 - as above
    """Return the highest rate of a search; any other where that is wrong, so that it is told once."""
    match search:
        case {"to": highest}:
            with suppress(ValueError):
                parse_rate(highest)
                return str(highest)
    return "1/s"


def misplaced(data: Any) -> Iterator[tuple[tuple[str, ...], str]]:  # noqa: ANN401 - as above
    """Yield the keys that a file of this kind must not have, each with what to do instead."""
    match data:
        case {"kind": "capacity"}:
            if "blocks" in data:
                yield ("blocks",), "blocks: a search decides how many trials it needs: leave it out"
            if "repeats" in data:
                yield ("repeats",), "repeats: a search repeats what is invalid by itself: leave it out"
            yield from _traffic(data)


def _traffic(data: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    instead = {
        "rate": "rate: the search chooses the rates: write search.from and search.to instead",
        "shape": "shape: a search runs at constant rates: leave it out",
    }
    sections: dict[tuple[str, ...], Any] = {("load",): data.get("load")}
    sections |= {("profiles", name): profile for name, profile in (data.get("profiles") or {}).items()}
    for path, section in sections.items():
        for key, what in instead.items():
            if key in (section or {}):
                yield (*path, key), what
