"""Which configurations of a run are compared with each other."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Protocol

from sloproof.analysis.comparison.judging import Pair, compare
from sloproof.analysis.comparison.outcome import Design

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sloproof.analysis.comparison.measured import Objective, Trial
    from sloproof.analysis.comparison.outcome import Comparison, Margin

MOST_PAIRS = 28  # all of 8 configurations: with more, intervals grow wide and nobody reads them all


class Configuration(Protocol):
    """One cell of the matrix."""

    @property
    def id(self) -> str:
        """Return its readable name."""
        ...

    @property
    def factors(self) -> Mapping[str, str]:
        """Return what it is made of."""
        ...


def within_run(
    objectives: Sequence[Objective],
    configurations: Sequence[Configuration],
    trials: Sequence[Trial],
    *,
    traffic_factor: str,
    margin: Margin,
) -> tuple[Comparison, ...]:
    """Return how the configurations of one run compare, within its blocks.

    `traffic_factor` names the factor, if there is one, that says under which traffic a configuration ran.
    """
    by_configuration = {each.id: [t for t in trials if t.configuration == each.id] for each in configurations}
    pairs = [
        Pair(
            baseline=first.id,
            current=second.id,
            before=by_configuration[first.id],
            after=by_configuration[second.id],
        )
        for first, second in chosen_pairs(configurations, traffic_factor=traffic_factor)
    ]
    return tuple(compare(pairs, objectives, design=Design.BLOCKS, margin=margin))


def chosen_pairs(
    configurations: Sequence[Configuration], *, traffic_factor: str
) -> list[tuple[Configuration, Configuration]]:
    """Return the pairs to compare, the first of each being the earlier in the matrix.

    Every two that ran under the same traffic. Where these are more than `MOST_PAIRS`: those that differ in
    one factor alone, whose effect they show; where even these are, the first of each traffic with the others.
    """
    groups: dict[str | None, list[Configuration]] = {}
    for each in configurations:
        groups.setdefault(each.factors.get(traffic_factor), []).append(each)
    every = [pair for group in groups.values() for pair in itertools.combinations(group, 2)]
    if len(every) <= MOST_PAIRS:
        return every
    alike = [pair for pair in every if _differing(*pair) == 1]
    if 0 < len(alike) <= MOST_PAIRS:
        return alike
    return [(group[0], other) for group in groups.values() for other in group[1:]]


def _differing(first: Configuration, second: Configuration) -> int:
    return sum(first.factors[name] != second.factors[name] for name in first.factors)
