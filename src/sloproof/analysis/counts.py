"""Good and total events, kept apart so that sums are weighted by traffic; it knows no objective."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Counts:
    """How many of `total` events were good.

    >>> Counts(good=99, total=100) + Counts(good=400, total=400)
    Counts(good=499, total=500)
    """

    good: int
    total: int

    def __post_init__(self) -> None:
        if not 0 <= self.good <= self.total:
            raise ValueError(f"good events must lie between 0 and {self.total}, not at {self.good}")

    @property
    def bad(self) -> int:
        """The events that were not good."""
        return self.total - self.good

    @property
    def ratio(self) -> float | None:
        """The share of good events; ``None`` where there was no event, since that says nothing."""
        return self.good / self.total if self.total else None

    def __add__(self, other: Counts) -> Counts:
        return Counts(good=self.good + other.good, total=self.total + other.total)
