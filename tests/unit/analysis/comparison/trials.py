"""Trials as a comparison reads them, made of given values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sloproof.analysis.comparison.judging import Pair, compare
from sloproof.analysis.comparison.outcome import Comparison, Design, Margin
from sloproof.analysis.counts import Counts
from sloproof.analysis.results import ObjectiveDefinition, Observation, TrialPercentile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

OBJECTIVES = (
    ObjectiveDefinition(
        name="submit-latency",
        description="",
        indicator="Latency",
        target="0.99",
        threshold_s=0.25,
        endpoint="POST /jobs",
    ),
    ObjectiveDefinition(
        name="integrity", description="", indicator="integrity", target=None, threshold_s=None, endpoint=None
    ),
)


@dataclass(frozen=True, kw_only=True)
class Broken:
    violations: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Made:
    """A trial whose p99 is `p99_s`, and whose objective has `bad` bad events of `total`."""

    block: int
    p99_s: float | None = 0.1
    bad: int = 0
    total: int = 1000
    configuration: str = "a"
    valid: bool = True
    integrity: Broken = field(default_factory=Broken)

    @property
    def percentiles(self) -> Sequence[TrialPercentile]:
        if self.p99_s is None:
            return ()
        return (TrialPercentile(about="POST /jobs", q=0.99, value_s=self.p99_s),)

    @property
    def observations(self) -> Mapping[str, Observation]:
        counts = Counts(good=self.total - self.bad, total=self.total)
        return {"submit-latency": Observation(client=counts, server=None)}


def of_p99(values_s: Sequence[float | None]) -> list[Made]:
    """Return a trial a block with each of these p99s."""
    return [Made(block=block, p99_s=value) for block, value in enumerate(values_s, start=1)]


def of_bad(bad: Sequence[int], *, total: int = 1000) -> list[Made]:
    """Return a trial a block with as many bad events."""
    return [Made(block=block, bad=each, total=total) for block, each in enumerate(bad, start=1)]


def compared(
    before: Sequence[Made],
    after: Sequence[Made],
    *,
    design: Design = Design.BLOCKS,
    margin: Margin | None = None,
) -> dict[str, Comparison]:
    """Return how `b` compares to `a`, by the name of the metric."""
    pair = Pair(baseline="a", current="b", before=before, after=after)
    made = compare([pair], OBJECTIVES, design=design, margin=margin or Margin())
    return {each.metric.name: each for each in made}
