"""Which trials a matrix experiment runs, in which order: pure, and the same for the same seed."""

from __future__ import annotations

import hashlib
import itertools
import random
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Configuration:
    """One cell of the matrix: a value for every factor."""

    factors: Mapping[str, str]

    @property
    def id(self) -> str:
        """Return the readable name: the values in the order of the factors, fit for the name of a file."""
        return re.sub(r"[^A-Za-z0-9._-]+", "-", "-".join(self.factors.values()))

    def matches(self, some: Mapping[str, str]) -> bool:
        """Tell whether it has these values, whatever its others are."""
        return some.items() <= self.factors.items()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTrial:
    """One run of one configuration, within a block; `seed` draws its arrivals.

    `rate_per_s` is the rate of a trial that a search has chosen, else the traffic's own.
    """

    block: int
    configuration: Configuration
    seed: int
    rate_per_s: float | None = None


def configurations(
    factors: Mapping[str, Sequence[str]],
    *,
    exclude: Sequence[Mapping[str, str]] = (),
    include: Sequence[Mapping[str, str]] = (),
) -> list[Configuration]:
    """Return every combination of levels, the last factor varying fastest, and then the inclusions.

    What an exclusion matches is left out of the combinations.

    >>> [c.id for c in configurations({"server": ["a", "b"], "workers": ["1", "4"]})]
    ['a-1', 'a-4', 'b-1', 'b-4']
    """
    combined = (
        Configuration(dict(zip(factors, levels, strict=True)))
        for levels in itertools.product(*factors.values())
    )
    kept = [each for each in combined if not any(each.matches(some) for some in exclude)]
    return kept + [Configuration({name: values[name] for name in factors}) for values in include]


def derived_seed(seed: int, *parts: object) -> int:
    """Return a seed of 63 bits that depends on `seed` and on nothing but the texts of `parts`."""
    digest = hashlib.sha256(":".join(str(part) for part in (seed, *parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def plan(matrix: Sequence[Configuration], *, blocks: int, seed: int) -> list[PlannedTrial]:
    """Return the trials in the order in which they run.

    Every configuration runs once a block, in an order drawn anew for each block, so that a slow minute of the
    machine hits all of them alike. All trials of a block share one seed and so have the same arrivals (common
    random numbers), which makes differences between configurations those of the subject.
    Source: Abedi and Brecht, "Conducting Repeatable Experiments in Highly Variable Cloud Computing
    Environments", ICPE 2017 (randomised multiple interleaved trials).
    """
    trials = []
    for block in range(1, blocks + 1):
        order = list(matrix)
        random.Random(derived_seed(seed, "order", block)).shuffle(order)  # noqa: S311 - not a secret
        arrivals = derived_seed(seed, "arrivals", block)
        trials += [PlannedTrial(block=block, configuration=each, seed=arrivals) for each in order]
    return trials
